// Where numbers enter and leave the computation of shapes: sizes of values, constants, casts.
import { fail } from "../../base/errors.js";
import { sizeOf } from "../../base/shape.js";
import { floats, fromNumbers } from "../../base/tensor.js";
import { cast } from "../../ops/index.js";
import type { Builder } from "../call.js";
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
  return valueOfTensor(isFloat ? floats(shape, values) : fromNumbers("int64", shape, values));
};

/** To whole numbers: worked out at once where the value is known. */
export const Cast: Builder = (call): Value => {
  const to = call.int("to", 0);
  const dtype = dtypeOf(to) ?? fail("attribute 'to'", "floats, whole numbers or booleans", elementType(to));
  const x = call.value(0);
  if (dtype === "float32") return x.kind === "known" ? asFloat(x) : cast(x, dtype);
  const whole = (d: number): number => (dtype === "bool" ? Number(d !== 0) : Math.trunc(d));
  if (x.kind !== "known") {
    if (!isFixed(x)) return cast(x, dtype);
    const fixed = call.numbers(0);
    return known(dtype, fixed.shape, fixed.data.map(whole));
  }
  const { shape, data } = x;
  return known(dtype, shape, dtype === "bool" ? data.map((d) => Number(!equalSizes("Cast", d, 0))) : data);
};
