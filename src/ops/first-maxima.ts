// Where the maxima of windows lie that tile their input: a mask instead of ONNX's slow indices.
import { check } from "../base/errors.js";
import { B, count, formatShape, sameShape, sizeOf, type Shape } from "../base/shape.js";
import { argument, checkFloat, type Node, type Operand } from "../graph/node.js";
import { operation, type Emitter, type Operation } from "../graph/op.js";
import { emitReshape } from "./reshape.js";
import { foldRows, tiled, unfoldRows } from "./rows.js";
import { emitRepeat, isTiling, tilesOf } from "./tiles.js";
import { onnxWindow, repeated, tapsOf } from "./windows.js";

type Tiles = {
  /** Size and stride of the windows along each spatial axis. */
  readonly kernel: readonly number[];
};

const countsOf = (spatial: readonly number[], kernel: readonly number[]): number[] =>
  spatial.map((d, axis) => d / (kernel[axis] ?? 1));

/** For each element of a plane its place in its tile, counted backwards: the first element has the largest. */
function places(spatial: readonly number[], kernel: readonly number[]): number[] {
  const out = repeated(0, count(spatial));
  for (const { input, kernel: tap } of tapsOf(spatial, countsOf(spatial, kernel), tilesOf(kernel)))
    out[input] = count(kernel) - tap;
  return out;
}

/** 1 where x ≥ y, for y ≥ x or far below; a clipped line as in `step`. */
const emitReaches = (emit: Emitter, x: string, y: string): string =>
  emit.target.narrow
    ? emit.cast(emit.node("GreaterOrEqual", [x, y]), "float32")
    : emit.node("HardSigmoid", [emit.node("Sub", [x, y])], { alpha: { float: 3e38 }, beta: { float: 1 } });

/** Numbers in a row of tiles up to which a product finds the first of each tile faster than pooling (measured on CPU). */
const longestStrip = 56;

/**
 * 1 at the first of the ones in each tile of planes [N·C, 1, spatial …] of zeros and ones: each less those before it in
 * its tile, in one product over each row of tiles.
 */
function emitFirst(emit: Emitter, ones: string, columns: number, kernel: readonly number[]): string {
  const [width, taps] = [columns, kernel.at(-1) ?? 1];
  const strip = kernel.length === 2 ? width * (kernel[0] ?? 1) : width;
  const tileAt = (i: number): number => Math.floor((i % width) / taps);
  const matrix = repeated(0, strip * strip).map((_, at) => {
    const [before, here] = [Math.floor(at / strip), at % strip];
    if (before === here) return 1;
    // In row-major order within a tile, as in a strip.
    return before < here && tileAt(before) === tileAt(here) ? -1 : 0;
  });
  const strips = emit.node("Reshape", [ones, emit.constant([-1, strip], "int64")]);
  return emit.node("Relu", [emit.node("Gemm", [strips, emit.constant(matrix, "float32", [strip, strip])])]);
}

type FirstMaxima = (x: Operand, y: Operand, kernel: readonly number[]) => Node;

/**
 * 1 at the first element of each tile of x [N, C, spatial …] that reaches y, the maxima of the tiles, else 0.
 * Derivative: 0.
 */
export const firstMaxima: Operation<FirstMaxima> = operation<Tiles, FirstMaxima>(
  {
    name: "firstMaxima",
    infer: (inputs, { kernel }) => {
      const [x, y] = [argument(inputs, 0), argument(inputs, 1)];
      for (const type of [x, y]) checkFloat("firstMaxima", type, kernel.length + 2);
      const spatial = x.shape.slice(2).map(Number);
      check(
        isTiling(tilesOf(kernel), spatial),
        "firstMaxima",
        "windows that tile the input",
        () => `${kernel.join("×")} in ${formatShape(x.shape)}`,
      );
      const pooled: Shape = [...x.shape.slice(0, 2), ...countsOf(spatial, kernel)];
      check(sameShape(y.shape, pooled), "firstMaxima", `maxima of shape ${formatShape(pooled)}`, () =>
        formatShape(y.shape),
      );
      return { dtype: "float32", shape: x.shape };
    },
    evaluate: (inputs, { kernel }) => {
      const [x, y] = [argument(inputs, 0), argument(inputs, 1)];
      const [spatial, counts] = [x.shape.slice(2), y.shape.slice(2)];
      const taps = tapsOf(spatial, counts, tilesOf(kernel));
      const out = new Float64Array(x.data.length);
      const found = new Set<number>();
      for (let plane = 0; plane < count(x.shape.slice(0, 2)); plane++)
        for (const { input, result } of taps) {
          const [from, to] = [plane * count(spatial) + input, plane * count(counts) + result];
          if (found.has(to) || (x.data[from] ?? NaN) < (y.data[to] ?? NaN)) continue;
          found.add(to);
          out[from] = 1;
        }
      return out;
    },
    derivative: null,
    lower: (emit, [x = "", y = ""], { shape, attributes: { kernel } }) => {
      const spatial = shape.slice(2).map(Number);
      const columns = spatial.at(-1) ?? 1;
      const planeCount = sizeOf(shape.slice(0, 2));
      const small = [planeCount, 1, ...countsOf(spatial, kernel)];
      // Planes as samples of one channel keep ONNX Runtime from reordering whole tensors for its blocked pooling.
      const planes = emitReshape(emit, x, [planeCount, 1, ...spatial]);
      const largest = emitRepeat(emit, emitReshape(emit, y, small), small, kernel);
      const reached = emitReaches(emit, planes, largest);
      if (kernel.length <= 2 && columns * (kernel.length === 2 ? (kernel[0] ?? 1) : 1) <= longestStrip)
        return emitReshape(emit, emitFirst(emit, reached, columns, kernel), shape);
      const rank = emit.constant(places(spatial, kernel), "float32", spatial);
      const placed = emit.node("Mul", [reached, rank]);
      const first = emit.node("MaxPool", [placed], onnxWindow(tilesOf(kernel)));
      return emitReshape(emit, emitReaches(emit, placed, emitRepeat(emit, first, small, kernel)), shape);
    },
    vectorize: ({ shape, attributes: { kernel } }, inputs, rows) => {
      const [x, y] = [argument(inputs, 0), argument(inputs, 1)].map((v) => foldRows(tiled(v, rows)));
      return unfoldRows(firstMaxima(x ?? 0, y ?? 0, kernel), shape, rows);
    },
    examples: [
      {
        inputs: [{ shape: [B, 2, 4, 6] }, { shape: [B, 2, 2, 2], domain: [[-1.5, -1]] }],
        attributes: { kernel: [2, 3] },
      },
      // All equal: the first element of each tile.
      {
        inputs: [
          { shape: [2, 2, 6], domain: [[1, 1]] },
          { shape: [2, 2, 3], domain: [[1, 1]] },
        ],
        attributes: { kernel: [2] },
      },
      // Rows of tiles too long for a product.
      {
        inputs: [
          { shape: [2, 1, 4, 40], domain: [[1, 1]] },
          { shape: [2, 1, 2, 20], domain: [[1, 1]] },
        ],
        attributes: { kernel: [2, 2] },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [1, 1, 5] }, { shape: [1, 1, 2] }],
        attributes: { kernel: [2] },
        message: "firstMaxima: expected windows that tile the input, got 2 in [1, 1, 5]",
      },
      {
        inputs: [{ shape: [1, 1, 4] }, { shape: [1, 1, 4] }],
        attributes: { kernel: [2] },
        message: "firstMaxima: expected maxima of shape [1, 1, 2], got [1, 1, 4]",
      },
    ],
  },
  (make) => (x, y, kernel) => make([x, y], { kernel }),
);
