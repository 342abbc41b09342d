// Small foreign models around one operator, from `x` to `y`.
import { floats, fromNumbers, type Tensor } from "../../../src/base/tensor.js";
import { drawn } from "../../support/against-runtime.js";
import type { ForeignModel, ForeignNode } from "../../support/onnx-builder.js";

export type Cases = Readonly<Record<string, ForeignModel>>;

export const ints = (...values: number[]): Tensor => fromNumbers("int64", [values.length], values);
export const one = (value: number): Tensor => floats([], [value]);
export const bool = (value: boolean): Tensor => fromNumbers("bool", [], [value ? 1 : 0]);
export const float = (value: number): { float: number } => ({ float: value });
export const image = ["N", 2, 5, 4];
export const positive = (of = "x"): ForeignNode[] => [
  { op: "Abs", in: [of], out: ["abs"] },
  { op: "Add", in: ["abs", "tenth"], out: ["positive"] },
];
export const tenth = { tenth: one(0.1) };
export const filters = drawn([3, 2, 3, 2], "w");

/** One node from `x` to `y`. */
export const single = (
  op: string,
  attributes: ForeignNode["attributes"] = {},
  model: Omit<ForeignModel, "nodes"> & { readonly more?: readonly string[] } = {},
): ForeignModel => ({ ...model, nodes: [{ op, in: ["x", ...(model.more ?? [])], attributes }] });

/** One node on |x| + 0.1. */
export const onPositive = (op: string): ForeignModel => ({
  nodes: [...positive(), { op, in: ["positive"] }],
  tensors: tenth,
});

export const withTensor = (
  op: string,
  value: Tensor,
  attributes: ForeignNode["attributes"] = {},
): ForeignModel => single(op, attributes, { more: ["c"], tensors: { c: value } });
