// Elements at given indices: gather | scatterAdd for whole slices, takeAlong | scatterAlong element by element.
import { check } from "../base/errors.js";
import {
  B,
  count,
  formatShape,
  resolveAxis,
  sameDim,
  sameShape,
  sizeOf,
  stridesOf,
  type Shape,
} from "../base/shape.js";
import { argument, checkFloat, toNode, type Node, type Operand, type TensorType } from "../graph/node.js";
import { operation, type Emitter, type Operation, type Sample, type Vectorized } from "../graph/op.js";
import { walk } from "./arrays.js";
import { broadcastTo } from "./reduce.js";
import { reshape } from "./reshape.js";
import { tiled } from "./rows.js";
import { emitSliceSums } from "./slice-sums.js";
import { transpose } from "./structure.js";

type Axis = { readonly axis: number };
type Scatter = Axis & { readonly shape: Shape };
type Take = (x: Operand, indices: Operand, axis: number) => Node;
type Add = (g: Operand, indices: Operand, axis: number, shape: Shape) => Node;

function checkIndices(where: string, { dtype }: TensorType): void {
  check(dtype === "int32" || dtype === "int64", where, "int32 or int64 indices", () => dtype);
}

/** The shape of slices of a tensor of `shape` at indices of shape `at`. */
const gatheredShape = (shape: Shape, at: Shape, axis: number): Shape => [
  ...shape.slice(0, axis),
  ...at,
  ...shape.slice(axis + 1),
];

/** Calls `visit` with the offsets of every element of gathered slices: in the result, in the whole. */
function eachGathered(
  shape: readonly number[],
  indices: Float64Array,
  axis: number,
  visit: (part: number, whole: number) => void,
): void {
  const inner = count(shape.slice(axis + 1));
  const size = shape[axis] ?? 1;
  let part = 0;
  for (let outer = 0; outer < count(shape.slice(0, axis)); outer++)
    for (const index of indices)
      for (let i = 0; i < inner; i++) visit(part++, (outer * size + index) * inner + i);
}

/** Calls `visit` with the offsets of every element taken along `axis`: in the result, in the whole. */
function eachTaken(
  shape: readonly number[],
  indices: { readonly shape: readonly number[]; readonly data: Float64Array },
  axis: number,
  visit: (part: number, whole: number) => void,
): void {
  const strides = stridesOf(shape);
  const step = strides[axis] ?? 1;
  const elsewhere = strides.map((stride, i) => (i === axis ? 0 : stride));
  walk(indices.shape, elsewhere, (part, offset) => visit(part, offset + (indices.data[part] ?? 0) * step));
}

/** Writes zeros of `shape` with `values` added along `axis`. */
function emitScatter(emit: Emitter, inputs: readonly string[], { axis, shape }: Scatter): string {
  const zeros = emit.node("ConstantOfShape", [emit.shape(shape)]);
  return emit.node("ScatterElements", [zeros, argument(inputs, 1), argument(inputs, 0)], {
    axis,
    reduction: "add",
  });
}

/** Mapped indices for slices as indices for single elements: [rows, at …] → [rows, …, |at|, …], and their values likewise. */
function elementwise(values: Shape, indices: Vectorized, at: Shape, axis: number, rows: number) {
  const before = values.slice(0, axis);
  const behind = values.slice(axis + at.length);
  const flat: Shape = [rows, ...before, sizeOf(at), ...behind];
  const aligned = [rows, ...before.map(() => 1), sizeOf(at), ...behind.map(() => 1)];
  return { flat, indices: broadcastTo(reshape(tiled(indices, rows), aligned), flat) };
}

const upTo = (shape: Shape, last: number, dtype: "int32" | "int64" = "int32"): Sample => ({
  shape,
  dtype,
  domain: [[0, last]],
});

/** Slices of x at whole-number `indices` in [0, n): [.., n, ..] → [.., indices …, ..]. Derivative: `scatterAdd`. */
export const gather: Operation<Take> = operation<Axis, Take>(
  {
    name: "gather",
    infer: (inputs, { axis }) => {
      const [x, indices] = [argument(inputs, 0), argument(inputs, 1)];
      checkIndices("gather", indices);
      const resolved = resolveAxis("gather", axis, x.shape.length);
      return { dtype: x.dtype, shape: gatheredShape(x.shape, indices.shape, resolved) };
    },
    evaluate: (inputs, { axis }, shape) => {
      const [x, indices] = [argument(inputs, 0), argument(inputs, 1)];
      const out = new Float64Array(count(shape));
      eachGathered(x.shape, indices.data, axis, (part, whole) => (out[part] = x.data[whole] ?? NaN));
      return out;
    },
    derivative: (g, { inputs, attributes: { axis } }) => [
      scatterAdd(g, argument(inputs, 1), axis, argument(inputs, 0).shape),
      null,
    ],
    lower: (emit, inputs, { attributes: { axis } }) => emit.node("Gather", inputs, { axis }),
    vectorize: ({ inputs: nodes, shape, attributes: { axis } }, inputs, rows) => {
      const [x, indices] = [argument(inputs, 0), argument(inputs, 1)];
      if (!indices.mapped) return gather(x.node, indices.node, axis + 1);
      if (!x.mapped) {
        const taken = gather(x.node, indices.node, axis);
        return transpose(taken, [axis, ...taken.shape.flatMap((_, i) => (i === axis ? [] : [i]))]);
      }
      const single = elementwise(shape, indices, argument(nodes, 1).shape, axis, rows);
      return reshape(takeAlong(x.node, single.indices, axis + 1), [rows, ...shape]);
    },
    examples: [
      { inputs: [{ shape: [4, 3] }, upTo([5], 3)], attributes: { axis: 0 } },
      { inputs: [{ shape: [2, 4, 3] }, upTo([2, 3], 3, "int64")], attributes: { axis: 1 } },
      { inputs: [{ shape: [6, 2] }, upTo([B], 5)], attributes: { axis: 0 } },
      { inputs: [{ shape: [B, 4] }, upTo([], 3)], attributes: { axis: 1 } },
    ],
    rejects: [
      {
        inputs: [{ shape: [4] }, { shape: [2] }],
        attributes: { axis: 0 },
        message: "gather: expected int32 or int64 indices, got float32",
      },
      {
        inputs: [{ shape: [4] }, upTo([2], 1)],
        attributes: { axis: 1 },
        message: "gather: expected an axis of a tensor of rank 1, got 1 (allowed: -1 to 0)",
      },
    ],
  },
  (make) => (x, indices, axis) => {
    const node = toNode(x);
    return make([node, indices], { axis: resolveAxis("gather", axis, node.shape.length) });
  },
);

/** Zeros of `shape` to which the slices of g are added at `indices` along `axis`. Derivative: `gather`. */
export const scatterAdd: Operation<Add> = operation<Scatter, Add>(
  {
    name: "scatterAdd",
    infer: (inputs, { axis, shape }) => {
      const [g, indices] = [argument(inputs, 0), argument(inputs, 1)];
      checkFloat("scatterAdd", g);
      checkIndices("scatterAdd", indices);
      const slices = gatheredShape(shape, indices.shape, resolveAxis("scatterAdd", axis, shape.length));
      check(sameShape(g.shape, slices), "scatterAdd", `values of shape ${formatShape(slices)}`, () =>
        formatShape(g.shape),
      );
      return { dtype: "float32", shape };
    },
    evaluate: (inputs, { axis }, shape) => {
      const [g, indices] = [argument(inputs, 0), argument(inputs, 1)];
      const out = new Float64Array(count(shape));
      eachGathered(shape, indices.data, axis, (part, whole) => {
        out[whole] = (out[whole] ?? 0) + (g.data[part] ?? 0);
      });
      return out;
    },
    derivative: (g, { inputs, attributes: { axis } }) => [gather(g, argument(inputs, 1), axis), null],
    lower: (emit, inputs, { inputs: nodes, attributes: { axis, shape } }) => {
      const places = argument(nodes, 1);
      if (places.kind === "constant") {
        const sums = emitSliceSums(emit, argument(inputs, 0), places.value, { axis, shape });
        if (sums !== null) return sums;
      }
      const at = sizeOf(places.shape);
      const flat: Shape = [...shape.slice(0, axis), at, ...shape.slice(axis + 1)];
      const aligned = flat.map((d, i) => (i === axis ? d : 1));
      const values = emit.node("Reshape", [argument(inputs, 0), emit.shape(flat)]);
      const indices = emit.node("Reshape", [argument(inputs, 1), emit.shape(aligned)]);
      const wide = emit.node("Expand", [indices, emit.shape(flat)]);
      return emitScatter(emit, [values, wide], { axis, shape });
    },
    vectorize: ({ inputs: nodes, attributes: { axis, shape } }, inputs, rows) => {
      const [g, indices] = [argument(inputs, 0), argument(inputs, 1)];
      const whole = [rows, ...shape];
      if (!indices.mapped) return scatterAdd(g.node, indices.node, axis + 1, whole);
      const [values, at] = [argument(nodes, 0).shape, argument(nodes, 1).shape];
      const single = elementwise(values, indices, at, axis, rows);
      return scatterAlong(reshape(tiled(g, rows), single.flat), single.indices, axis + 1, whole);
    },
    examples: [
      { inputs: [{ shape: [5, 3] }, upTo([5], 3)], attributes: { axis: 0, shape: [4, 3] } },
      {
        inputs: [{ shape: [2, 2, 3, 3] }, upTo([2, 3], 3, "int64")],
        attributes: { axis: 1, shape: [2, 4, 3] },
      },
      { inputs: [{ shape: [B, 2] }, upTo([B], 5)], attributes: { axis: 0, shape: [6, 2] } },
      { inputs: [{ shape: [B] }, upTo([], 3)], attributes: { axis: 1, shape: [B, 4] } },
    ],
    rejects: [
      {
        inputs: [{ shape: [5, 2] }, upTo([5], 3)],
        attributes: { axis: 0, shape: [4, 3] },
        message: "scatterAdd: expected values of shape [5, 3], got [5, 2]",
      },
    ],
  },
  (make) => (g, indices, axis, shape) =>
    make([g, indices], { axis: resolveAxis("scatterAdd", axis, shape.length), shape }),
);

/** Throws unless `indices` have the sizes of `shape` except along `axis`. */
function checkAlong(where: string, indices: TensorType, shape: Shape, axis: number): void {
  checkIndices(where, indices);
  const fits =
    indices.shape.length === shape.length &&
    indices.shape.every((d, i) => i === axis || sameDim(d, shape[i] ?? d));
  const expected = `indices like ${formatShape(shape)} except along axis ${axis}`;
  check(fits, where, expected, () => formatShape(indices.shape));
}

/** Element by element, x at `indices` along `axis`: [.., n, ..] → the shape of `indices` [.., m, ..]. Derivative: `scatterAlong`. */
export const takeAlong: Operation<Take> = operation<Axis, Take>(
  {
    name: "takeAlong",
    infer: (inputs, { axis }) => {
      const [x, indices] = [argument(inputs, 0), argument(inputs, 1)];
      checkAlong("takeAlong", indices, x.shape, resolveAxis("takeAlong", axis, x.shape.length));
      return { dtype: x.dtype, shape: indices.shape };
    },
    evaluate: (inputs, { axis }, shape) => {
      const [x, indices] = [argument(inputs, 0), argument(inputs, 1)];
      const out = new Float64Array(count(shape));
      eachTaken(x.shape, indices, axis, (part, whole) => (out[part] = x.data[whole] ?? NaN));
      return out;
    },
    derivative: (g, { inputs, attributes: { axis } }) => [
      scatterAlong(g, argument(inputs, 1), axis, argument(inputs, 0).shape),
      null,
    ],
    lower: (emit, inputs, { attributes: { axis } }) => emit.node("GatherElements", inputs, { axis }),
    vectorize: ({ attributes: { axis } }, inputs, rows) =>
      takeAlong(tiled(argument(inputs, 0), rows), tiled(argument(inputs, 1), rows), axis + 1),
    examples: [
      { inputs: [{ shape: [2, 4] }, upTo([2, 3], 3)], attributes: { axis: 1 } },
      { inputs: [{ shape: [3, B, 2] }, upTo([4, B, 2], 2, "int64")], attributes: { axis: 0 } },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 4] }, upTo([3, 1], 3)],
        attributes: { axis: 1 },
        message: "takeAlong: expected indices like [2, 4] except along axis 1, got [3, 1]",
      },
    ],
  },
  (make) => (x, indices, axis) => {
    const node = toNode(x);
    return make([node, indices], { axis: resolveAxis("takeAlong", axis, node.shape.length) });
  },
);

/** Zeros of `shape` to which g is added, element by element, at `indices` along `axis`. Derivative: `takeAlong`. */
export const scatterAlong: Operation<Add> = operation<Scatter, Add>(
  {
    name: "scatterAlong",
    infer: (inputs, { axis, shape }) => {
      const [g, indices] = [argument(inputs, 0), argument(inputs, 1)];
      checkFloat("scatterAlong", g);
      checkAlong("scatterAlong", indices, shape, resolveAxis("scatterAlong", axis, shape.length));
      const expected = `values of shape ${formatShape(indices.shape)}`;
      check(sameShape(g.shape, indices.shape), "scatterAlong", expected, () => formatShape(g.shape));
      return { dtype: "float32", shape };
    },
    evaluate: (inputs, { axis }, shape) => {
      const [g, indices] = [argument(inputs, 0), argument(inputs, 1)];
      const out = new Float64Array(count(shape));
      eachTaken(shape, indices, axis, (part, whole) => {
        out[whole] = (out[whole] ?? 0) + (g.data[part] ?? 0);
      });
      return out;
    },
    derivative: (g, { inputs, attributes: { axis } }) => [takeAlong(g, argument(inputs, 1), axis), null],
    lower: (emit, inputs, { attributes }) => emitScatter(emit, inputs, attributes),
    vectorize: ({ attributes: { axis, shape } }, inputs, rows) => {
      const [g, indices] = [argument(inputs, 0), argument(inputs, 1)];
      return scatterAlong(tiled(g, rows), tiled(indices, rows), axis + 1, [rows, ...shape]);
    },
    examples: [
      { inputs: [{ shape: [2, 3] }, upTo([2, 3], 3)], attributes: { axis: 1, shape: [2, 4] } },
      {
        inputs: [{ shape: [4, B, 2] }, upTo([4, B, 2], 2, "int64")],
        attributes: { axis: 0, shape: [3, B, 2] },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 2] }, upTo([2, 3], 3)],
        attributes: { axis: 1, shape: [2, 4] },
        message: "scatterAlong: expected values of shape [2, 3], got [2, 2]",
      },
    ],
  },
  (make) => (g, indices, axis, shape) =>
    make([g, indices], { axis: resolveAxis("scatterAlong", axis, shape.length), shape }),
);
