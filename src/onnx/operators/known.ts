// Where numbers enter and leave the computation of shapes: sizes of values, constants, casts.
import { check, fail } from "../../base/errors.js";
import { sizeOf, stridesOf } from "../../base/shape.js";
import { floats, fromNumbers, type DType } from "../../base/tensor.js";
import type { Node } from "../../graph/node.js";
import { cast, range } from "../../ops/index.js";
import { numberAt, type Builder, type Call } from "../call.js";
import { dtypeOf, elementType } from "../read-tensor.js";
import type { AttributeValue } from "../read.js";
import {
  asFloat,
  equalSizes,
  isFixed,
  known,
  knownSizes,
  shapeOf,
  valueOfTensor,
  type Value,
} from "../value.js";

export const Shape: Builder = (call) => {
  const shape = shapeOf(call.value(0));
  return knownSizes(shape.slice(call.int("start", 0), call.int("end", shape.length)));
};

export const Size: Builder = (call) => known("int64", [], [sizeOf(shapeOf(call.value(0)))]);

const numbersIn = (value: AttributeValue | undefined): readonly number[] | null => {
  if (typeof value === "number") return [value];
  return Array.isArray(value) && value.every((x) => typeof x === "number") ? value : null;
};

export const Constant: Builder = (call) => {
  const whole = call.tensor("value");
  if (whole) return valueOfTensor(whole);
  const [name, value] = Object.entries(call.node.attributes)[0] ?? ["nothing"];
  const values = numbersIn(value);
  if (values === null) return fail("Constant", "a tensor or numbers", name);
  const shape = typeof value === "number" ? [] : [values.length];
  const isFloat = name.startsWith("value_float");
  check(isFloat || values.every(Number.isInteger), "Constant", "whole numbers", () => values.join(", "));
  return valueOfTensor(isFloat ? floats(shape, values) : fromNumbers("int64", shape, values));
};

/** `x` in another dtype: worked out at once where the value is known. */
function castTo(call: Call, x: Value, dtype: DType): Value {
  if (dtype === "float32") return x.kind === "known" ? asFloat(x) : cast(x, dtype);
  const whole = (d: number): number => (dtype === "bool" ? Number(d !== 0) : Math.trunc(d));
  if (x.kind !== "known") {
    if (!isFixed(x)) return cast(x, dtype);
    const fixed = call.numbers(0);
    return known(dtype, fixed.shape, fixed.data.map(whole));
  }
  const { shape, data } = x;
  return known(dtype, shape, dtype === "bool" ? data.map((d) => Number(!equalSizes("Cast", d, 0))) : data);
}

export const Cast: Builder = (call) => {
  const to = call.int("to", 0);
  const dtype = dtypeOf(to) ?? fail("attribute 'to'", "floats, whole numbers or booleans", elementType(to));
  return castTo(call, call.value(0), dtype);
};

/** To the type of input 2. */
export const CastLike: Builder = (call) => castTo(call, call.value(0), call.value(1).dtype);

/** Positions in the batch: 0, 1, … below a size that depends on it; null for other ranges. */
function batchRange(call: Call): Node | null {
  const limit = call.value(1);
  const [end] = limit.kind === "known" ? limit.data : [];
  if (end === undefined || typeof end === "number") return null;
  const [start, delta] = [numberAt(call, 0), numberAt(call, 2)];
  check(
    start === 0 && delta === 1,
    "Range",
    "0, 1, … along the batch",
    () => `${start}, ${start + delta}, …`,
  );
  return range(end);
}

/** start, start + delta, … as long as it is below (above, for a negative delta) the limit. */
export const Range: Builder = (call) => {
  const positions = batchRange(call);
  if (positions) return positions;
  const [start, limit, delta] = [numberAt(call, 0), numberAt(call, 1), numberAt(call, 2)];
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  check(length <= 2 ** 20, "Range", "at most 2^20 numbers", () => String(length));
  const values = Array.from({ length }, (_, i) => start + i * delta);
  const { dtype } = call.value(0);
  return dtype === "float32" ? valueOfTensor(floats([length], values)) : known(dtype, [length], values);
};

/** Positions of the elements that are not 0, one column for each. */
export const NonZero: Builder = (call) => {
  const { shape, data } = call.numbers(0);
  const found = data.flatMap((x, i) => (x === 0 ? [] : [i]));
  const strides = stridesOf(shape);
  const rows = shape.map((d, axis) => found.map((i) => Math.floor(i / (strides[axis] ?? 1)) % d));
  return known("int64", [shape.length, found.length], rows.flat());
};
