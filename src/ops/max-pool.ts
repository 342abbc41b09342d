// Max pooling | selection at its maxima | scattering to them. Ties go to the first index in row-major order.
import { check } from "../base/errors.js";
import { B, count, formatShape, sameShape, sizeOf, type Shape } from "../base/shape.js";
import { argument, checkFloat, type Node, type Operand, type TensorType } from "../graph/node.js";
import { operation, type Emitter, type Operation } from "../graph/op.js";
import { mul } from "./arithmetic.js";
import { averagePoolAdjoint } from "./average-pool.js";
import { emitReshape } from "./reshape.js";
import { firstMaxima } from "./first-maxima.js";
import { scatterToTaps, selectFromTaps } from "./max-pool-taps.js";
import { foldRows, unfoldRows } from "./rows.js";
import { isTiling } from "./tiles.js";
import { maximaOf, onnxWindow, poolCounts, repeated, spatialOf, type Window } from "./windows.js";

export interface MaxPoolOptions {
  readonly kernel: readonly number[];
  /** Distance between windows along each spatial axis; default 1. */
  readonly strides?: readonly number[];
  /** Distance between the taps of a window; default 1. */
  readonly dilations?: readonly number[];
  /** Padding in ONNX order, e.g. [top, left, bottom, right], each below the kernel size; default 0. Never chosen. */
  readonly pads?: readonly number[];
}

const windowOf = ({ kernel, ...options }: MaxPoolOptions): Window => ({
  kernel,
  strides: options.strides ?? repeated(1, kernel.length),
  dilations: options.dilations ?? repeated(1, kernel.length),
  pads: options.pads ?? repeated(0, 2 * kernel.length),
});

/** The shape of the pooled x, or what the user reads. */
function pooledShape(where: string, x: TensorType, window: Window): Shape {
  checkFloat(where, x);
  return [...x.shape.slice(0, 2), ...poolCounts(where, spatialOf(where, x.shape), window)];
}

function checkLike(where: string, what: string, type: TensorType, shape: Shape): void {
  checkFloat(where, type);
  check(sameShape(type.shape, shape), where, `${what} of shape ${formatShape(shape)}`, () =>
    formatShape(type.shape),
  );
}

/** Indices of the maxima into the flattened x, as ONNX gives them. */
function emitIndices(emit: Emitter, x: string, window: Window): string {
  const [, indices = ""] = emit.nodes("MaxPool", [x], 2, onnxWindow(window));
  return indices;
}

type MaxPool = (x: Operand, options: MaxPoolOptions) => Node;
type AtMaxima = (x: Operand, other: Operand, options: MaxPoolOptions) => Node;

const plain = { dilations: [1, 1], pads: [0, 0, 0, 0] };
const samples: readonly { x: Shape; y: Shape; window: Window }[] = [
  { x: [B, 2, 4, 6], y: [B, 2, 2, 3], window: { ...plain, kernel: [2, 2], strides: [2, 2] } },
  {
    x: [B, 2, 5, 4],
    y: [B, 2, 5, 2],
    window: { ...plain, kernel: [3, 2], strides: [1, 2], pads: [1, 0, 1, 0] },
  },
  {
    x: [2, 1, 6, 7],
    y: [2, 1, 3, 5],
    window: { kernel: [2, 3], strides: [2, 1], dilations: [2, 1], pads: [1, 0, 0, 0] },
  },
  { x: [2, 2, 7], y: [2, 2, 3], window: { kernel: [2], strides: [3], dilations: [1], pads: [0, 1] } },
];

/** Maximum of each window of x [N, C, spatial …] (ONNX MaxPool). Derivative: to the first maximum of each. */
export const maxPool: Operation<MaxPool> = operation<Window, MaxPool>(
  {
    name: "maxPool",
    infer: (inputs, window) => ({
      dtype: "float32",
      shape: pooledShape("maxPool", argument(inputs, 0), window),
    }),
    evaluate: (inputs, window) => {
      const x = argument(inputs, 0);
      return Float64Array.from(maximaOf(x, window), (at) => x.data[at] ?? NaN);
    },
    derivative: (g, y) => {
      const { inputs, attributes } = y;
      const x = argument(inputs, 0);
      const { kernel } = attributes;
      if (!isTiling(attributes, x.shape.slice(2).map(Number))) return [maxPoolScatter(x, g, attributes)];
      const spread = averagePoolAdjoint(mul(g, count(kernel)), {
        kernel,
        strides: kernel,
        inputShape: x.shape,
      });
      return [mul(spread, firstMaxima(x, y, kernel))];
    },
    lower: (emit, inputs, { attributes }) => emit.node("MaxPool", inputs, onnxWindow(attributes)),
    vectorize: ({ shape, attributes }, inputs, rows) =>
      unfoldRows(maxPool(foldRows(argument(inputs, 0).node), attributes), shape, rows),
    examples: samples.map(({ x, window }) => ({
      inputs: [{ shape: x, distinct: true }],
      attributes: window,
    })),
    rejects: [
      {
        inputs: [{ shape: [1, 1, 4, 4], dtype: "int32" }],
        attributes: { ...plain, kernel: [2, 2], strides: [1, 1] },
        message: "maxPool: expected a float32 tensor, got int32",
      },
      {
        inputs: [{ shape: [1, 1, 4, 4] }],
        attributes: { ...plain, kernel: [2], strides: [1, 1] },
        message: "maxPool: expected 2 kernel sizes of 1 or more, got 2",
      },
      {
        inputs: [{ shape: [1, 1, 1, 4] }],
        attributes: { kernel: [2, 2], strides: [1, 1], dilations: [2, 1], pads: [1, 0, 1, 0] },
        message: "maxPool: expected windows that touch the input, got window 0 of padding along axis 2",
      },
    ],
  },
  (make) => (x, options) => make([x], windowOf(options)),
);

/** u [N, C, spatial …] at the maxima of x's windows. Derivative in u: `maxPoolScatter`; in x: 0. */
export const maxPoolSelect: Operation<AtMaxima> = operation<Window, AtMaxima>(
  {
    name: "maxPoolSelect",
    infer: (inputs, window) => {
      const x = argument(inputs, 0);
      const shape = pooledShape("maxPoolSelect", x, window);
      checkLike("maxPoolSelect", "a tensor", argument(inputs, 1), x.shape);
      return { dtype: "float32", shape };
    },
    evaluate: (inputs, window) => {
      const u = argument(inputs, 1);
      return Float64Array.from(maximaOf(argument(inputs, 0), window), (at) => u.data[at] ?? NaN);
    },
    derivative: (g, { inputs, attributes }) => [null, maxPoolScatter(argument(inputs, 0), g, attributes)],
    lower: (emit, inputs, { inputs: nodes, attributes }) => {
      const flat = emitReshape(emit, argument(inputs, 1), [sizeOf(argument(nodes, 1).shape)]);
      return emit.node("Gather", [flat, emitIndices(emit, argument(inputs, 0), attributes)], { axis: 0 });
    },
    narrow: ({ inputs, attributes }) => {
      const [x, u] = [argument(inputs, 0), argument(inputs, 1)];
      return selectFromTaps(x, maxPool(x, attributes), u, attributes);
    },
    examples: samples.map(({ x, window }) => ({
      inputs: [{ shape: x, distinct: true }, { shape: x }],
      attributes: window,
    })),
    rejects: [
      {
        inputs: [{ shape: [1, 1, 4, 4] }, { shape: [1, 1, 2, 2] }],
        attributes: { ...plain, kernel: [2, 2], strides: [2, 2] },
        message: "maxPoolSelect: expected a tensor of shape [1, 1, 4, 4], got [1, 1, 2, 2]",
      },
    ],
  },
  (make) => (x, u, options) => make([x, u], windowOf(options)),
);

/** Zeros like x with g added at the maximum of each of x's windows. Derivative in g: `maxPoolSelect`; in x: 0. */
export const maxPoolScatter: Operation<AtMaxima> = operation<Window, AtMaxima>(
  {
    name: "maxPoolScatter",
    infer: (inputs, window) => {
      const x = argument(inputs, 0);
      const shape = pooledShape("maxPoolScatter", x, window);
      checkLike("maxPoolScatter", "a cotangent", argument(inputs, 1), shape);
      return { dtype: "float32", shape: x.shape };
    },
    evaluate: (inputs, window, shape) => {
      const g = argument(inputs, 1);
      const out = new Float64Array(count(shape));
      maximaOf(argument(inputs, 0), window).forEach((at, i) => (out[at] = (out[at] ?? 0) + (g.data[i] ?? 0)));
      return out;
    },
    derivative: (g, { inputs, attributes }) => [null, maxPoolSelect(argument(inputs, 0), g, attributes)],
    lower: (emit, inputs, { inputs: nodes, shape, attributes }) => {
      const indices = emitIndices(emit, argument(inputs, 0), attributes);
      const taken = [sizeOf(argument(nodes, 1).shape)];
      const zeros = emit.node("ConstantOfShape", [emit.shape([sizeOf(shape)])]);
      const [at, g] = [emitReshape(emit, indices, taken), emitReshape(emit, argument(inputs, 1), taken)];
      return emitReshape(emit, emit.node("ScatterElements", [zeros, at, g], { reduction: "add" }), shape);
    },
    narrow: ({ inputs, attributes }) => {
      const [x, g] = [argument(inputs, 0), argument(inputs, 1)];
      return scatterToTaps(x, maxPool(x, attributes), g, attributes);
    },
    examples: samples.map(({ x, y, window }) => ({
      inputs: [{ shape: x, distinct: true }, { shape: y }],
      attributes: window,
    })),
    rejects: [
      {
        inputs: [{ shape: [1, 1, 4, 4] }, { shape: [1, 1, 4, 4] }],
        attributes: { ...plain, kernel: [2, 2], strides: [2, 2] },
        message: "maxPoolScatter: expected a cotangent of shape [1, 1, 2, 2], got [1, 1, 4, 4]",
      },
    ],
  },
  (make) => (x, g, options) => make([x, g], windowOf(options)),
);
