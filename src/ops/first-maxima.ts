// Where the maxima of windows lie that tile their input: a mask instead of ONNX's slow indices.
import { check } from "../base/errors.js";
import { B, count, formatShape, sizeOf } from "../base/shape.js";
import { argument, checkFloat, type Node, type Operand } from "../graph/node.js";
import { operation, type Emitter, type Operation } from "../graph/op.js";
import { emitReshape } from "./reshape.js";
import { foldRows, unfoldRows } from "./rows.js";
import { emitRepeat, isTiling, tilesOf } from "./tiles.js";
import { maximaOf, onnxWindow, repeated, tapsOf } from "./windows.js";

type Tiles = {
  /** Size and stride of the windows along each spatial axis. */
  readonly kernel: readonly number[];
};

/** For each element of a plane its place in its tile, counted backwards: the first element has the largest. */
function places(spatial: readonly number[], kernel: readonly number[]): number[] {
  const counts = spatial.map((d, axis) => d / (kernel[axis] ?? 1));
  const out = repeated(0, count(spatial));
  for (const { input, kernel: tap } of tapsOf(spatial, counts, tilesOf(kernel)))
    out[input] = count(kernel) - tap;
  return out;
}

/** 1 where x ≥ y, which is where x = y for y a maximum over x; a clipped line as in `step`. */
const emitReaches = (emit: Emitter, x: string, y: string): string =>
  emit.target.narrow
    ? emit.cast(emit.node("GreaterOrEqual", [x, y]), "float32")
    : emit.node("HardSigmoid", [emit.node("Sub", [x, y])], { alpha: { float: 3e38 }, beta: { float: 1 } });

type FirstMaxima = (x: Operand, kernel: readonly number[]) => Node;

/** 1 at the first maximum of each tile of x [N, C, spatial …], else 0. Derivative: 0. */
export const firstMaxima: Operation<FirstMaxima> = operation<Tiles, FirstMaxima>(
  {
    name: "firstMaxima",
    infer: (inputs, { kernel }) => {
      const x = argument(inputs, 0);
      checkFloat("firstMaxima", x, kernel.length + 2);
      const spatial = x.shape.slice(2).map(Number);
      check(
        isTiling(tilesOf(kernel), spatial),
        "firstMaxima",
        "windows that tile the input",
        () => `${kernel.join("×")} in ${formatShape(x.shape)}`,
      );
      return { dtype: "float32", shape: x.shape };
    },
    evaluate: (inputs, { kernel }) => {
      const x = argument(inputs, 0);
      const out = new Float64Array(x.data.length);
      for (const at of maximaOf(x, tilesOf(kernel))) out[at] = 1;
      return out;
    },
    derivative: null,
    lower: (emit, [x = ""], { shape, attributes: { kernel } }) => {
      const spatial = shape.slice(2).map(Number);
      const counts = spatial.map((d, axis) => d / (kernel[axis] ?? 1));
      const planeCount = sizeOf(shape.slice(0, 2));
      const largest = (of: string): string => {
        const pooled = emit.node("MaxPool", [of], onnxWindow(tilesOf(kernel)));
        return emitRepeat(emit, pooled, [planeCount, 1, ...counts], kernel);
      };
      const rank = emit.constant(places(spatial, kernel), "float32", spatial);
      // Planes as samples of one channel keep ONNX Runtime from reordering whole tensors for its blocked pooling.
      const planes = emitReshape(emit, x, [planeCount, 1, ...spatial]);
      const placed = emit.node("Mul", [emitReaches(emit, planes, largest(planes)), rank]);
      return emitReshape(emit, emitReaches(emit, placed, largest(placed)), shape);
    },
    vectorize: ({ shape, attributes: { kernel } }, inputs, rows) =>
      unfoldRows(firstMaxima(foldRows(argument(inputs, 0).node), kernel), shape, rows),
    examples: [
      { inputs: [{ shape: [B, 2, 4, 6] }], attributes: { kernel: [2, 3] } },
      // All equal: the first element of each tile.
      { inputs: [{ shape: [2, 2, 6], domain: [[1, 1]] }], attributes: { kernel: [2] } },
    ],
    rejects: [
      {
        inputs: [{ shape: [1, 1, 5] }],
        attributes: { kernel: [2] },
        message: "firstMaxima: expected windows that tile the input, got 2 in [1, 1, 5]",
      },
    ],
  },
  (make) => (x, kernel) => make([x], { kernel }),
);
