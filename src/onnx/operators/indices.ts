// Elements at indices, indices of elements, and sums along an axis.
import { check, fail } from "../../base/errors.js";
import { count, formatShape, isStatic, resolveAxis, stridesOf, type Dim } from "../../base/shape.js";
import { floats, fromNumbers } from "../../base/tensor.js";
import { constant, type Node } from "../../graph/node.js";
import {
  add,
  argMax,
  cast,
  equal,
  less,
  matmul,
  neg,
  reshape,
  scatterAdd,
  scatterAlong,
  slice,
  sub,
  takeAlong,
  transpose,
  where,
} from "../../ops/index.js";
import { numberAt, type Builder, type Call, type Numbers } from "../call.js";
import { take } from "../elements.js";
import { moved, shapeOf, workedOut } from "../value.js";

/** Input `index` as indices below `size`, negative ones counted from the end. */
function indicesBelow(call: Call, index: number, size: Dim | undefined): Numbers {
  const { shape, data } = call.numbers(index);
  const limit =
    typeof size === "number" ? size : fail("axis", "an axis that does not depend on the batch", "one");
  const resolved = data.map((at) => (at < 0 ? at + limit : at));
  check(
    resolved.every((at) => Number.isInteger(at) && at >= 0 && at < limit),
    `input ${index + 1}`,
    `indices below ${limit}`,
    () => String(data.find((at) => !Number.isInteger(at) || at >= limit || at < -limit)),
  );
  return { shape, data: resolved };
}

const indexTensor = ({ shape, data }: Numbers): Node => constant(fromNumbers("int64", shape, data));

const axisOf = (call: Call, rank: number, otherwise = 0): number =>
  resolveAxis("axis", call.int("axis", otherwise), rank);

/** Element by element: indices that are computed, such as those of maxima, must not be negative. */
export const GatherElements: Builder = (call) => {
  const axis = axisOf(call, shapeOf(call.value(0)).length);
  const indices = call.value(1);
  if (indices.kind === "op") return takeAlong(call.at(0), cast(indices, "int32"), axis);
  return moved([call.value(0)], ([x = call.at(0)]) =>
    takeAlong(x, indexTensor(indicesBelow(call, 1, x.shape[axis])), axis),
  );
};

/** Positions in the flattened leading axes `sizes` of rows of indices [.., k]. */
function flatIndices(call: Call, index: number, sizes: readonly Dim[]): { at: Numbers; rows: number } {
  const { shape, data } = call.numbers(index);
  const k = shape.at(-1) ?? 0;
  const lead: readonly Dim[] = sizes.slice(0, k);
  if (!isStatic(lead))
    return fail(`input ${index + 1}`, "indices within an image", "indices along the batch");
  check(k >= 1 && lead.length === k, `input ${index + 1}`, `at most ${sizes.length} indices a row`, () =>
    String(k),
  );
  const strides = stridesOf(lead);
  const rows = data.length / k;
  const positions = Array.from({ length: rows }, (_, row) =>
    lead.reduce<number>((total, size, axis) => {
      const given = data[row * k + axis] ?? 0;
      const at = given < 0 ? given + size : given;
      check(Number.isInteger(at) && at >= 0 && at < size, `input ${index + 1}`, `indices below ${size}`, () =>
        String(given),
      );
      return total + at * (strides[axis] ?? 1);
    }, 0),
  );
  return { at: { shape: shape.slice(0, -1), data: positions }, rows: count(lead) };
}

export const GatherND: Builder = (call) => {
  check(call.int("batch_dims", 0) === 0, "attribute 'batch_dims'", "0", () =>
    String(call.int("batch_dims", 0)),
  );
  return moved([call.value(0)], ([x = call.at(0)]) => {
    const { at, rows } = flatIndices(call, 1, x.shape);
    const k = call.numbers(1).shape.at(-1) ?? 0;
    return take(reshape(x, [rows, ...x.shape.slice(k)]), at, 0);
  });
};

/** x with what was scattered: added to it, or in the place of what `ones`, scattered likewise, marks. */
function scattered(call: Call, x: Node, updates: Node, put: (values: Node) => Node): Node {
  const reduction = call.text("reduction", "none");
  if (reduction === "add") return add(x, put(updates));
  if (reduction !== "none") return fail("attribute 'reduction'", "none or add", reduction);
  const ones = constant(
    floats(updates.shape.map(Number), new Float32Array(count(updates.shape.map(Number))).fill(1)),
  );
  return where(equal(put(ones), 0), x, put(updates));
}

export const ScatterND: Builder = (call) => {
  const [x, updates] = [call.at(0), call.at(2)];
  const k = call.numbers(1).shape.at(-1) ?? 0;
  const { at, rows } = flatIndices(call, 1, x.shape);
  const rest = x.shape.slice(k);
  const flat = [rows, ...rest];
  const indices = constant(fromNumbers("int64", [at.data.length], at.data));
  const values = (v: Node): Node => scatterAdd(reshape(v, [at.data.length, ...rest]), indices, 0, flat);
  return reshape(scattered(call, reshape(x, flat), updates, values), x.shape);
};

export const ScatterElements: Builder = (call) => {
  const [x, updates] = [call.at(0), call.at(2)];
  const axis = axisOf(call, x.shape.length);
  const indices = indexTensor(indicesBelow(call, 1, x.shape[axis]));
  return scattered(call, x, updates, (values) => scatterAlong(values, indices, axis, x.shape));
};

/** Position of the largest element along an axis, the first or the last of equal ones. */
function largestIndex(call: Call, x: Node): Node {
  const axis = axisOf(call, x.shape.length);
  const keepDims = call.int("keepdims", 1) !== 0;
  if (call.int("select_last_index", 0) === 0) return argMax(x, axis, { keepDims });
  const size = x.shape[axis];
  if (typeof size !== "number")
    return fail("axis", "an axis that does not depend on the batch", String(axis));
  const data = Array.from({ length: size }, (_, i) => size - 1 - i);
  const last = argMax(take(x, { shape: [size], data }, axis), axis, { keepDims });
  return cast(sub(size - 1, cast(last, "float32")), "int32");
}

export const ArgMax: Builder = (call) => largestIndex(call, call.at(0));
export const ArgMin: Builder = (call) => largestIndex(call, neg(call.at(0)));

/** Rows of `values` = [off, on] with `on` at each index, along a new axis. */
export const OneHot: Builder = (call) => {
  const depth = numberAt(call, 1);
  check(Number.isInteger(depth) && depth >= 1 && depth <= 2 ** 20, "input 2", "1 class or more", () =>
    String(depth),
  );
  const given = call.at(0);
  const index = reshape(where(less(given, 0), add(given, depth), given), [...given.shape, 1]);
  const classes = constant(
    floats(
      [depth],
      Float32Array.from({ length: depth }, (_, i) => i),
    ),
  );
  const values = call.at(2);
  const at = (i: number): Node => reshape(slice(values, { axes: [0], starts: [i], ends: [i + 1] }), []);
  const rows = where(equal(index, classes), at(1), at(0));
  const rank = rows.shape.length;
  const axis = axisOf(call, rank, -1);
  const order = Array.from({ length: rank - 1 }, (_, i) => i);
  order.splice(axis, 0, rank - 1);
  return workedOut(transpose(rows, order), call.value(2).dtype);
};

/** 1 where column − row ≤ k (lower), or ≥ k (upper), else 0. */
const triangle = (rows: number, columns: number, k: number, upper: boolean): Node =>
  constant(
    floats(
      [rows, columns],
      Float32Array.from({ length: rows * columns }, (_, i) => {
        const offset = (i % columns) - Math.floor(i / columns);
        return Number(upper ? offset >= k : offset <= k);
      }),
    ),
  );

/** The last two axes of x, which must be known, small and not empty. */
function planeOf(x: Node): readonly [rows: number, columns: number] {
  const [rows, columns] = x.shape.slice(-2);
  const valid = typeof rows === "number" && typeof columns === "number" && rows * columns <= 2 ** 24;
  return valid ? [rows, columns] : fail("input 1", "matrices of known size", formatShape(x.shape));
}

export const Trilu: Builder = (call) => {
  const k = call.has(1) ? numberAt(call, 1) : 0;
  const upper = call.int("upper", 1) !== 0;
  return moved([call.value(0)], ([given = call.at(0)]) => {
    const x = cast(given, "float32");
    const mask = triangle(...planeOf(x), k, upper);
    return cast(where(equal(mask, 0), 0, x), given.dtype);
  });
};

/** Sums of all elements up to each along an axis: a product with a triangle of ones. */
export const CumSum: Builder = (call) => {
  const x = call.at(0);
  const last = x.shape.length - 1;
  const axis = resolveAxis("axis", numberAt(call, 1), x.shape.length);
  const size = x.shape[axis];
  if (typeof size !== "number" || size > 4096)
    return fail("axis", "an axis of at most 4096 elements", formatShape(x.shape));
  const reverse = call.int("reverse", 0) !== 0;
  const shift = call.int("exclusive", 0) === 0 ? 0 : reverse ? -1 : 1;
  const order = x.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  const rows = transpose(x, order);
  const sums = matmul(last === 0 ? reshape(rows, [1, size]) : rows, triangle(size, size, shift, !reverse));
  return workedOut(transpose(reshape(sums, rows.shape), order), call.value(0).dtype);
};
