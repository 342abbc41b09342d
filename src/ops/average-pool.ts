// Average pooling | its adjoint: linear, each the other's derivative.
import { check } from "../base/errors.js";
import { B, count, formatShape, multiplyDims, sameShape, sizeOf, type Shape } from "../base/shape.js";
import { argument, checkFloat, type Node, type Operand } from "../graph/node.js";
import { operation, type Emitter, type Operation } from "../graph/op.js";
import { lowerInputAdjoint } from "./conv-lowering.js";
import { emitReshape } from "./reshape.js";
import { foldRows, unfoldRows } from "./rows.js";
import { emitRepeat, isTiling } from "./tiles.js";
import { poolCounts, repeated, spatialOf, tapsOf, type Tap, type Window } from "./windows.js";

export interface AveragePoolOptions {
  readonly kernel: readonly number[];
  /** Distance between windows along each spatial axis; default 1. */
  readonly strides?: readonly number[];
  /** Padding in ONNX order, e.g. [top, left, bottom, right], each below the kernel size; default 0. */
  readonly pads?: readonly number[];
  /** Divide by the size of the kernel also where it reaches into the padding; default false. */
  readonly countIncludePad?: boolean;
}

type Attributes = { readonly [K in keyof AveragePoolOptions]-?: NonNullable<AveragePoolOptions[K]> };

const attributesOf = ({ kernel, ...options }: AveragePoolOptions): Attributes => ({
  kernel,
  strides: options.strides ?? repeated(1, kernel.length),
  pads: options.pads ?? repeated(0, 2 * kernel.length),
  countIncludePad: options.countIncludePad ?? false,
});

const windowOf = ({ kernel, strides, pads }: Attributes): Window => ({
  kernel,
  strides,
  dilations: repeated(1, kernel.length),
  pads,
});

/** The shape of the pooled x, or what the user reads. */
const pooledShape = (where: string, x: Shape, attributes: Attributes): Shape => [
  ...x.slice(0, 2),
  ...poolCounts(where, spatialOf(where, x), windowOf(attributes)),
];

interface Plane {
  readonly spatial: readonly number[];
  readonly counts: readonly number[];
  readonly taps: readonly Tap[];
  /** 1 / number of elements that each window averages. */
  readonly weights: readonly number[];
}

/** How the windows of one channel of `input` [N, C, spatial …] are averaged into `pooled` [N, C, counts …]. */
function planeOf(input: Shape, pooled: Shape, attributes: Attributes): Plane {
  const [spatial, counts] = [input.slice(2).map(Number), pooled.slice(2).map(Number)];
  const taps = tapsOf(spatial, counts, windowOf(attributes));
  const sizes = repeated(attributes.countIncludePad ? count(attributes.kernel) : 0, count(counts));
  if (!attributes.countIncludePad) for (const { result } of taps) sizes[result] = (sizes[result] ?? 0) + 1;
  return { spatial, counts, taps, weights: sizes.map((size) => 1 / size) };
}

/** Calls `visit` for every element of a window: offsets into the input and the result, and its weight. */
function eachWeight(
  planes: number,
  { spatial, counts, taps, weights }: Plane,
  visit: (x: number, y: number, weight: number) => void,
): void {
  const [xPlane, yPlane] = [count(spatial), count(counts)];
  for (let plane = 0; plane < planes; plane++)
    for (const { input, result } of taps)
      visit(plane * xPlane + input, plane * yPlane + result, weights[result] ?? 0);
}

/** Each weighted element added to its window: a transposed convolution with ones, channel by channel. */
function spreadOver(emit: Emitter, value: string, x: Shape, y: Shape, attributes: Attributes): string {
  const window = windowOf(attributes);
  const planes = sizeOf(x.slice(0, 2));
  const sizes = {
    x: [planes, 1, ...x.slice(2)],
    w: [1, 1, ...window.kernel],
    y: [planes, 1, ...y.slice(2)],
    window,
    groups: 1,
  };
  const ones = emit.constant(repeated(1, count(window.kernel)), "float32", sizes.w);
  return emitReshape(emit, lowerInputAdjoint(emit, emitReshape(emit, value, sizes.y), ones, sizes), x);
}

type AveragePool = (x: Operand, options: AveragePoolOptions) => Node;
type Adjoint = (g: Operand, options: AveragePoolOptions & { inputShape: Shape }) => Node;

const plain = { pads: [0, 0, 0, 0], countIncludePad: false };
const samples: readonly { x: Shape; y: Shape; attributes: Attributes }[] = [
  { x: [B, 2, 4, 6], y: [B, 2, 2, 3], attributes: { ...plain, kernel: [2, 2], strides: [2, 2] } },
  { x: [2, 3, 3, 4], y: [2, 3, 1, 1], attributes: { ...plain, kernel: [3, 4], strides: [1, 1] } },
  {
    x: [B, 2, 5, 4],
    y: [B, 2, 3, 2],
    attributes: { kernel: [3, 2], strides: [2, 3], pads: [1, 1, 1, 0], countIncludePad: false },
  },
  {
    x: [2, 1, 6, 5],
    y: [2, 1, 3, 6],
    attributes: { kernel: [3, 2], strides: [2, 1], pads: [1, 1, 0, 1], countIncludePad: true },
  },
  { x: [2, 2, 8, 5], y: [2, 2, 2, 2], attributes: { ...plain, kernel: [2, 2], strides: [5, 2] } },
  { x: [B, 2, 6], y: [B, 2, 3], attributes: { ...plain, kernel: [2], strides: [2], pads: [0, 0] } },
  { x: [2, 2, 5], y: [2, 2, 4], attributes: { ...plain, kernel: [2], strides: [1], pads: [0, 0] } },
];

/** Mean of each window of x [N, C, spatial …] (ONNX AveragePool). Derivative: `averagePoolAdjoint`. */
export const averagePool: Operation<AveragePool> = operation<Attributes, AveragePool>(
  {
    name: "averagePool",
    infer: (inputs, attributes) => {
      const x = argument(inputs, 0);
      checkFloat("averagePool", x);
      return { dtype: "float32", shape: pooledShape("averagePool", x.shape, attributes) };
    },
    evaluate: (inputs, attributes, shape) => {
      const x = argument(inputs, 0);
      const out = new Float64Array(count(shape));
      eachWeight(count(shape.slice(0, 2)), planeOf(x.shape, shape, attributes), (i, j, weight) => {
        out[j] = (out[j] ?? 0) + weight * (x.data[i] ?? 0);
      });
      return out;
    },
    derivative: (g, { inputs, attributes }) => [
      averagePoolAdjoint(g, { ...attributes, inputShape: argument(inputs, 0).shape }),
    ],
    lower: (emit, inputs, { attributes: { kernel, strides, pads, countIncludePad } }) =>
      emit.node("AveragePool", inputs, {
        kernel_shape: kernel,
        strides,
        pads,
        count_include_pad: countIncludePad ? 1 : 0,
      }),
    vectorize: ({ shape, attributes }, inputs, rows) =>
      unfoldRows(averagePool(foldRows(argument(inputs, 0).node), attributes), shape, rows),
    examples: samples.map(({ x, attributes }) => ({ inputs: [{ shape: x }], attributes })),
    rejects: [
      {
        inputs: [{ shape: [1, 1, 2, 4] }],
        attributes: { ...plain, kernel: [3, 3], strides: [1, 1] },
        message:
          "averagePool: expected a padded input at least as large as the window, got 1 too few along axis 2",
      },
      {
        inputs: [{ shape: [1, 1, 4, 4] }],
        attributes: { ...plain, kernel: [2, 2], strides: [1, 1], pads: [0, 2, 0, 0] },
        message: "averagePool: expected pads below the kernel size 2 along axis 3, got 2 and 0",
      },
    ],
  },
  (make) => (x, options) => make([x], attributesOf(options)),
);

type AdjointAttributes = Attributes & { readonly inputShape: Shape };

/** The adjoint of averagePool: g [N, C, spatial …] → `inputShape`. Derivative: `averagePool`. */
export const averagePoolAdjoint: Operation<Adjoint> = operation<AdjointAttributes, Adjoint>(
  {
    name: "averagePoolAdjoint",
    infer: (inputs, attributes) => {
      const [g, { inputShape }] = [argument(inputs, 0), attributes];
      checkFloat("averagePoolAdjoint", g);
      const shape = pooledShape("averagePoolAdjoint", inputShape, attributes);
      check(
        sameShape(g.shape, shape),
        "averagePoolAdjoint",
        `a cotangent of shape ${formatShape(shape)}`,
        () => formatShape(g.shape),
      );
      return { dtype: "float32", shape: inputShape };
    },
    evaluate: (inputs, attributes, shape) => {
      const g = argument(inputs, 0);
      const out = new Float64Array(count(shape));
      eachWeight(count(shape.slice(0, 2)), planeOf(shape, g.shape, attributes), (i, j, weight) => {
        out[i] = (out[i] ?? 0) + weight * (g.data[j] ?? 0);
      });
      return out;
    },
    derivative: (g, { attributes }) => [averagePool(g, attributes)],
    lower: (emit, inputs, { inputs: nodes, shape, attributes }) => {
      const [g, y] = [argument(inputs, 0), argument(nodes, 0).shape];
      const plane = planeOf(shape, y, attributes);
      const weighted = emit.node("Mul", [g, emit.constant(plane.weights, "float32", plane.counts)]);
      if (isTiling(windowOf(attributes), plane.spatial))
        return emitRepeat(emit, weighted, y, attributes.kernel);
      return spreadOver(emit, weighted, shape, y, attributes);
    },
    vectorize: ({ shape, attributes }, inputs, rows) => {
      const [n = 1, ...rest] = shape;
      const inputShape = [multiplyDims(rows, n), ...rest];
      const { node } = argument(inputs, 0);
      return unfoldRows(averagePoolAdjoint(foldRows(node), { ...attributes, inputShape }), shape, rows);
    },
    examples: samples.map(({ x, y, attributes }) => ({
      inputs: [{ shape: y }],
      attributes: { ...attributes, inputShape: x },
    })),
    rejects: [
      {
        inputs: [{ shape: [1, 1, 4, 4] }],
        attributes: { ...plain, kernel: [2, 2], strides: [2, 2], inputShape: [1, 1, 4, 4] },
        message: "averagePoolAdjoint: expected a cotangent of shape [1, 1, 2, 2], got [1, 1, 4, 4]",
      },
    ],
  },
  (make) =>
    (g, { inputShape, ...options }) =>
      make([g], { ...attributesOf(options), inputShape }),
);
