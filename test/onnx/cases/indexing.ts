// Operators that pick, place, resample and contract elements.
import { floats, fromNumbers } from "../../../src/base/tensor.js";
import { drawn } from "../../support/against-runtime.js";
import type { ForeignModel } from "../../support/onnx-builder.js";
import { float, image, ints, one, single, withTensor, type Cases } from "./single.js";

const asFloats = (op: string, attributes: Readonly<Record<string, number>> = {}): ForeignModel => ({
  nodes: [
    { op, in: ["x"], out: ["i"], attributes },
    { op: "Cast", in: ["i"], attributes: { to: 1 } },
  ],
});

/** Resize with scales, or sizes. */
const resize = (
  attributes: Readonly<Record<string, string | number>>,
  scales: readonly number[],
  sizes: readonly number[] = [],
): ForeignModel =>
  single("Resize", attributes, {
    x: image,
    more: sizes.length > 0 ? ["", "", "sizes"] : ["", "scales"],
    tensors: sizes.length > 0 ? { sizes: ints(...sizes) } : { scales: floats([scales.length], scales) },
  });

const einsum = (equation: string, x: ForeignModel["x"], shape: readonly number[]): ForeignModel => ({
  x: x ?? [],
  nodes: [{ op: "Einsum", in: ["x", "w"], attributes: { equation } }],
  tensors: { w: drawn(shape, "w") },
});

/** Attention of x with itself, two heads of three. */
const attention = (
  attributes: Readonly<Record<string, number | { float: number }>>,
  mask: ForeignModel["tensors"] = {},
): ForeignModel => ({
  opset: 23,
  x: ["N", 4, 6],
  nodes: [
    {
      op: "Attention",
      in: ["x", "x", "x", ...Object.keys(mask)],
      attributes: { q_num_heads: 2, kv_num_heads: 2, ...attributes },
    },
  ],
  tensors: mask,
});

export const indexing: Cases = {
  GatherElements: {
    nodes: [
      { op: "GatherElements", in: ["w", "at"], out: ["rows"], attributes: { axis: 1 } },
      { op: "MatMul", in: ["x", "rows"] },
    ],
    tensors: { w: drawn([3, 4], "w"), at: fromNumbers("int64", [3, 2], [0, -1, 2, 2, 1, 0]) },
  },
  "GatherElements at maxima": {
    nodes: [
      { op: "ArgMax", in: ["x"], out: ["at"], attributes: { axis: 1 } },
      { op: "GatherElements", in: ["x", "at"], attributes: { axis: 1 } },
    ],
  },
  GatherND: {
    nodes: [
      { op: "GatherND", in: ["w", "at"], out: ["rows"] },
      { op: "Gemm", in: ["x", "rows"], attributes: { transB: 1 } },
    ],
    tensors: { w: drawn([4, 3], "w"), at: fromNumbers("int64", [2, 1], [1, -1]) },
  },
  ArgMax: asFloats("ArgMax", { axis: 1, keepdims: 0 }),
  "ArgMax, the last": asFloats("ArgMax", { axis: -1, select_last_index: 1 }),
  ArgMin: asFloats("ArgMin", { axis: 1 }),
  OneHot: {
    nodes: [
      { op: "ArgMax", in: ["x"], out: ["at"], attributes: { axis: 1, keepdims: 0 } },
      { op: "OneHot", in: ["at", "depth", "values"], attributes: { axis: 0 } },
    ],
    tensors: { depth: fromNumbers("int64", [], [4]), values: floats([2], [-1, 2]) },
  },
  Trilu: single(
    "Trilu",
    { upper: 0 },
    { x: ["N", 3, 4], more: ["k"], tensors: { k: fromNumbers("int64", [], [1]) } },
  ),
  CumSum: single("CumSum", {}, { more: ["axis"], tensors: { axis: fromNumbers("int64", [], [1]) } }),
  "CumSum, backwards, without itself": single(
    "CumSum",
    { reverse: 1, exclusive: 1 },
    { x: ["N", 4, 2], more: ["axis"], tensors: { axis: fromNumbers("int64", [], [1]) } },
  ),
  "Range, NonZero, ScatterElements, ScatterND": {
    nodes: [
      { op: "Range", in: ["zero", "three", "one"], out: ["range"] },
      { op: "Mod", in: ["range", "two"], out: ["odd"] },
      { op: "NonZero", in: ["odd"], out: ["places"] },
      { op: "Transpose", in: ["places"], out: ["rows"] },
      { op: "ScatterND", in: ["base", "rows", "update"], out: ["placed"] },
      { op: "ScatterElements", in: ["placed", "first", "update"], out: ["weights"], attributes: { axis: 0 } },
      { op: "Mul", in: ["x", "weights"] },
    ],
    tensors: {
      zero: fromNumbers("int64", [], [0]),
      one: fromNumbers("int64", [], [1]),
      two: fromNumbers("int64", [], [2]),
      three: fromNumbers("int64", [], [3]),
      base: floats([3], [1, 2, 3]),
      update: floats([1], [7]),
      first: ints(-3),
    },
  },
  "Mod of floats": withTensor("Mod", one(0.75), { fmod: 1 }),
  "Round, halves to even": {
    nodes: [
      { op: "Round", in: ["x"], out: ["whole"] },
      { op: "Add", in: ["whole", "half"], out: ["halves"] },
      { op: "Round", in: ["halves"] },
    ],
    tensors: { half: one(0.5) },
  },
  ...Object.fromEntries(["Sin", "Cos", "Tan", "Sinh", "Cosh"].map((op) => [op, single(op)])),
  ThresholdedRelu: single("ThresholdedRelu", { alpha: float(0.5) }),
  Shrink: single("Shrink", { bias: float(0.25), lambd: float(0.75) }),
  "Xor, IsNaN, IsInf": {
    nodes: [
      { op: "Div", in: ["x", "noughts"], out: ["far"] },
      { op: "IsInf", in: ["far"], out: ["infinite"] },
      { op: "IsInf", in: ["far"], out: ["below"], attributes: { detect_positive: 0 } },
      { op: "IsInf", in: ["far"], out: ["above"], attributes: { detect_negative: 0 } },
      { op: "Sub", in: ["far", "far"], out: ["nan"] },
      { op: "IsNaN", in: ["nan"], out: ["none"] },
      { op: "Xor", in: ["infinite", "below"], out: ["first"] },
      { op: "And", in: ["first", "above"], out: ["second"] },
      { op: "And", in: ["second", "none"], out: ["third"] },
      { op: "Where", in: ["third", "x", "noughts"] },
    ],
    tensors: { noughts: floats([3], [0, 0, 1]) },
  },

  DepthToSpace: single("DepthToSpace", { blocksize: 2 }, { x: ["N", 8, 2, 3] }),
  "DepthToSpace, columns first": single("DepthToSpace", { blocksize: 2, mode: "CRD" }, { x: ["N", 8, 2, 3] }),
  SpaceToDepth: single("SpaceToDepth", { blocksize: 2 }, { x: ["N", 2, 4, 6] }),
  "Resize, nearest": resize({ mode: "nearest" }, [1, 1, 2, 1.5]),
  "Resize, nearest of old": resize(
    { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
    [1, 1, 2, 2],
  ),
  "Resize, linear to a size": resize({ mode: "linear" }, [], [3, 2, 8, 7]),
  "Resize, linear, corners": resize(
    { mode: "linear", coordinate_transformation_mode: "align_corners" },
    [1, 1, 2, 2],
  ),
  "Resize, cubic": resize({ mode: "cubic" }, [1, 1, 1.6, 2]),
  Upsample: single(
    "Upsample",
    { mode: "nearest" },
    {
      opset: 9,
      x: image,
      more: ["scales"],
      tensors: { scales: floats([4], [1, 1, 2, 3]) },
    },
  ),

  "Einsum, a product": einsum("bij,jk->bik", ["N", 2, 3], [3, 4]),
  "Einsum, heads": einsum("bqhd,khd->bhqk", ["N", 2, 3, 4], [5, 3, 4]),
  "Einsum, implicit": einsum("ij,jk", ["N", 3], [3, 4]),
  "Einsum, dots": einsum("...i,ji->...j", ["N", 2, 3], [4, 3]),
  "Einsum, a diagonal": einsum("bii,i->b", ["N", 3, 3], [3]),

  Attention: attention({}),
  "Attention, causal, capped": attention({ is_causal: 1, softcap: float(2), scale: float(0.7) }),
  "Attention, masked": attention({}, { mask: drawn([4, 4], "mask") }),
  "Attention, hidden": attention(
    {},
    {
      mask: fromNumbers("bool", [4, 4], [1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1]),
    },
  ),
  ...Object.fromEntries(
    [0, 1].map((interleaved) => [
      `RotaryEmbedding ${interleaved === 1 ? "of neighbours" : "of halves"}`,
      {
        opset: 23,
        nodes: [
          {
            op: "RotaryEmbedding",
            in: ["w", "cos", "sin", "at"],
            out: ["turned"],
            attributes: { interleaved, num_heads: 2, rotary_embedding_dim: 4 },
          },
          { op: "ReduceMean", in: ["turned", "rows"], out: ["row"], attributes: { keepdims: 0 } },
          { op: "Slice", in: ["row", "from", "to"], out: ["three"] },
          { op: "Mul", in: ["x", "three"] },
        ],
        tensors: {
          w: drawn([1, 4, 12], "w"),
          cos: drawn([5, 2], "cos"),
          sin: drawn([5, 2], "sin"),
          at: fromNumbers("int64", [1, 4], [0, 4, 2, 3]),
          from: ints(0),
          to: ints(3),
          rows: ints(0, 1),
        },
      },
    ]),
  ),
};
