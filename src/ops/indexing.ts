// Where the largest element is, and its value; one-hot rows of labels. Ties go to the first index.
import { check } from "../base/errors.js";
import { B, count, resolveAxis, sizeOf, stridesOf } from "../base/shape.js";
import { floats, tensor } from "../base/tensor.js";
import { argument, checkFloat, constant, toNode, type Node, type Operand } from "../graph/node.js";
import { operation, type Array64, type Operation } from "../graph/op.js";
import { neg } from "./arithmetic.js";
import { walk } from "./arrays.js";
import { cast, greaterEqual, sameIndex, where } from "./compare.js";
import { scatterAlong } from "./gather.js";
import { reducedAxes, type ReduceOptions } from "./reduce.js";
import { reshape } from "./reshape.js";
import { transpose } from "./structure.js";

type Reduction = { readonly axes: readonly number[]; readonly keepDims: boolean };
type ArgMaxAttributes = { readonly axis: number; readonly keepDims: boolean };
type ArgMax = (x: Operand, axis: number, options?: { readonly keepDims?: boolean }) => Node;

/** The offset into x of the first largest element of each group that shares all indices but those of `axes`. */
function largestOf(x: Array64, axes: readonly number[]): Int32Array {
  const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const strides = stridesOf(kept).map((stride, i) => (axes.includes(i) ? 0 : stride));
  const best = new Int32Array(count(kept)).fill(-1);
  walk(x.shape, strides, (at, group) => {
    const held = best[group] ?? -1;
    if (held < 0 || (x.data[at] ?? NaN) > (x.data[held] ?? NaN)) best[group] = at;
  });
  return best;
}

const keptShape = <D>(shape: readonly D[], axes: readonly number[], keepDims: boolean): (D | 1)[] =>
  keepDims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));

/** Index of the largest element along `axis`, as int32: [.., n, ..] → [.., ..]. Derivative: 0. */
export const argMax: Operation<ArgMax> = operation<ArgMaxAttributes, ArgMax>(
  {
    name: "argMax",
    infer: (inputs, { axis, keepDims }) => {
      const x = argument(inputs, 0);
      checkFloat("argMax", x);
      const resolved = resolveAxis("argMax", axis, x.shape.length);
      return { dtype: "int32", shape: keptShape(x.shape, [resolved], keepDims) };
    },
    evaluate: (inputs, { axis }) => {
      const x = argument(inputs, 0);
      const stride = stridesOf(x.shape)[axis] ?? 1;
      const index = (at: number): number => Math.floor(at / stride) % (x.shape[axis] ?? 1);
      return Float64Array.from(largestOf(x, [axis]), index);
    },
    derivative: null,
    lower: (emit, inputs, { attributes: { axis, keepDims } }) =>
      emit.cast(emit.node("ArgMax", inputs, { axis, keepdims: keepDims ? 1 : 0 }), "int32"),
    narrow: ({ inputs, attributes: { axis, keepDims } }) => {
      const x = argument(inputs, 0);
      const size = x.shape[axis];
      if (typeof size !== "number") return null;
      const shape = x.shape.map((_, i) => (i === axis ? size : 1));
      const places = floats(
        shape,
        Float32Array.from({ length: size }, (_, i) => -i),
      );
      const isLargest = greaterEqual(x, reduceMax(x, { axes: [axis], keepDims: true }));
      return cast(
        neg(reduceMax(where(isLargest, constant(places), 1 - size), { axes: [axis], keepDims })),
        "int32",
      );
    },
    vectorize: ({ attributes: { axis, keepDims } }, inputs) =>
      argMax(argument(inputs, 0).node, axis + 1, { keepDims }),
    examples: [
      { inputs: [{ shape: [B, 5], distinct: true }], attributes: { axis: 1, keepDims: false } },
      { inputs: [{ shape: [3, 4, 2], distinct: true }], attributes: { axis: 1, keepDims: true } },
      {
        inputs: [
          {
            shape: [4, 6],
            domain: [
              [1, 1],
              [2, 2],
            ],
          },
        ],
        attributes: { axis: 0, keepDims: false },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 3] }],
        attributes: { axis: 2, keepDims: false },
        message: "argMax: expected an axis of a tensor of rank 2, got 2 (allowed: -2 to 1)",
      },
    ],
  },
  (make) =>
    (x, axis, options = {}) => {
      const node = toNode(x);
      const resolved = resolveAxis("argMax", axis, node.shape.length);
      return make([node], { axis: resolved, keepDims: options.keepDims ?? false });
    },
);

type ReduceMax = (x: Operand, options?: ReduceOptions) => Node;

/** The cotangent of x: g at the first largest element of each group, 0 elsewhere. */
function toLargest(g: Node, x: Node, axes: readonly number[]): Node {
  const kept = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
  const order = [...kept, ...axes];
  const sorted = order.every((axis, i) => axis === i);
  const grouped = sorted ? x : transpose(x, order);
  const leading = grouped.shape.slice(0, kept.length);
  const flat = reshape(grouped, [...leading, sizeOf(grouped.shape.slice(kept.length))]);
  const first = argMax(flat, -1, { keepDims: true });
  const spread = scatterAlong(reshape(g, [...leading, 1]), first, -1, flat.shape);
  const whole = reshape(spread, grouped.shape);
  return sorted
    ? whole
    : transpose(
        whole,
        order.map((_, i) => order.indexOf(i)),
      );
}

/** Largest element over `axes`: [.., n, ..] → [.., ..]. Derivative: the cotangent, to the first largest element. */
export const reduceMax: Operation<ReduceMax> = operation<Reduction, ReduceMax>(
  {
    name: "reduceMax",
    infer: (inputs, { axes, keepDims }) => {
      const x = argument(inputs, 0);
      checkFloat("reduceMax", x);
      return {
        dtype: "float32",
        shape: keptShape(x.shape, reducedAxes("reduceMax", x.shape.length, { axes }), keepDims),
      };
    },
    evaluate: (inputs, { axes }) => {
      const x = argument(inputs, 0);
      return Float64Array.from(largestOf(x, axes), (at) => x.data[at] ?? NaN);
    },
    derivative: (g, { inputs, attributes: { axes } }) => [toLargest(g, argument(inputs, 0), axes)],
    lower: (emit, inputs, { attributes: { axes, keepDims } }) =>
      axes.length === 0
        ? emit.node("Identity", inputs)
        : emit.node("ReduceMax", [argument(inputs, 0), emit.constant(axes, "int64")], {
            keepdims: keepDims ? 1 : 0,
          }),
    vectorize: ({ attributes: { axes, keepDims } }, inputs) =>
      reduceMax(argument(inputs, 0).node, { axes: axes.map((axis) => axis + 1), keepDims }),
    examples: [
      { inputs: [{ shape: [B, 5], distinct: true }], attributes: { axes: [1], keepDims: true } },
      { inputs: [{ shape: [2, B, 3, 2], distinct: true }], attributes: { axes: [0, 2], keepDims: false } },
      { inputs: [{ shape: [B, 3], distinct: true }], attributes: { axes: [0, 1], keepDims: false } },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 3] }],
        attributes: { axes: [0, 0], keepDims: false },
        message: "reduceMax: expected different axes, got 0, 0",
      },
    ],
  },
  (make) =>
    (x, options = {}) => {
      const node = toNode(x);
      const axes = reducedAxes("reduceMax", node.shape.length, options);
      return make([node], { axes, keepDims: options.keepDims ?? false });
    },
);

type OneHot = (labels: Operand, classes: number) => Node;

/** Rows of zeros with a 1 at each label: int32 [..] in [0, classes) → float32 [.., classes]. Derivative: 0. */
export const oneHot: Operation<OneHot> = operation<{ readonly classes: number }, OneHot>(
  {
    name: "oneHot",
    infer: (inputs, { classes }) => {
      const labels = argument(inputs, 0);
      check(labels.dtype === "int32", "oneHot", "int32 labels", () => labels.dtype);
      const valid = Number.isInteger(classes) && classes >= 1;
      check(valid, "oneHot", "1 class or more", () => String(classes));
      return { dtype: "float32", shape: [...labels.shape, classes] };
    },
    evaluate: (inputs, { classes }, shape) => {
      const out = new Float64Array(count(shape));
      argument(inputs, 0).data.forEach((label, i) => {
        if (label >= 0 && label < classes) out[i * classes + label] = 1;
      });
      return out;
    },
    derivative: null,
    lower: (emit, inputs, { attributes: { classes } }) =>
      emit.node("OneHot", [
        argument(inputs, 0),
        emit.constant([classes], "int32", []),
        emit.constant([0, 1], "float32"),
      ]),
    narrow: ({ inputs, attributes: { classes } }) => {
      const labels = argument(inputs, 0);
      const all = tensor(
        "int32",
        [classes],
        Int32Array.from({ length: classes }, (_, i) => i),
      );
      return cast(sameIndex(reshape(labels, [...labels.shape, 1]), constant(all)), "float32");
    },
    vectorize: ({ attributes: { classes } }, inputs) => oneHot(argument(inputs, 0).node, classes),
    examples: [
      { inputs: [{ shape: [B], dtype: "int32", domain: [[0, 3]] }], attributes: { classes: 4 } },
      { inputs: [{ shape: [2, 3], dtype: "int32", domain: [[0, 1]] }], attributes: { classes: 2 } },
    ],
    rejects: [
      {
        inputs: [{ shape: [2] }],
        attributes: { classes: 2 },
        message: "oneHot: expected int32 labels, got float32",
      },
      {
        inputs: [{ shape: [2], dtype: "int32" }],
        attributes: { classes: 0 },
        message: "oneHot: expected 1 class or more, got 0",
      },
    ],
  },
  (make) => (labels, classes) => make([labels], { classes }),
);
