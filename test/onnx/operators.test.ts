// Each ONNX operator: the imported graph in float64 = the file itself in ONNX Runtime.
import { describe, expect, it } from "vitest";
import { fromNumbers, floats, type Tensor } from "../../src/base/tensor.js";
import { knownOperators } from "../../src/onnx/import.js";
import { drawn, expectSameAsRuntime } from "../support/against-runtime.js";
import { foreignFile, type ForeignModel, type ForeignNode } from "../support/onnx-builder.js";

const ints = (...values: number[]): Tensor => fromNumbers("int64", [values.length], values);
const one = (value: number): Tensor => floats([], [value]);
const bool = (value: boolean): Tensor => fromNumbers("bool", [], [value ? 1 : 0]);
const float = (value: number): { float: number } => ({ float: value });
const image = ["N", 2, 5, 4];
const positive = (of = "x"): ForeignNode[] => [
  { op: "Abs", in: [of], out: ["abs"] },
  { op: "Add", in: ["abs", "tenth"], out: ["positive"] },
];
const tenth = { tenth: one(0.1) };
const filters = drawn([3, 2, 3, 2], "w");

/** One node from `x` to `y`. */
const single = (
  op: string,
  attributes: ForeignNode["attributes"] = {},
  model: Omit<ForeignModel, "nodes"> & { readonly more?: readonly string[] } = {},
): ForeignModel => ({ ...model, nodes: [{ op, in: ["x", ...(model.more ?? [])], attributes }] });

/** One node on |x| + 0.1. */
const onPositive = (op: string): ForeignModel => ({
  nodes: [...positive(), { op, in: ["positive"] }],
  tensors: tenth,
});

const withTensor = (op: string, value: Tensor, attributes: ForeignNode["attributes"] = {}): ForeignModel =>
  single(op, attributes, { more: ["c"], tensors: { c: value } });

/** A condition as floats. */
const condition = (op: string): ForeignModel => ({
  nodes: [
    { op, in: ["x", "c"], out: ["b"] },
    { op: "Cast", in: ["b"], attributes: { to: 1 } },
  ],
  tensors: { c: floats([3], [0, 0.5, -0.5]) },
});

const statistics = {
  scale: floats([2], [1.5, -0.5]),
  shift: floats([2], [0.25, 1]),
  mean: floats([2], [0.5, -0.25]),
  variance: floats([2], [2, 0.5]),
};
const norm = { x: image, tensors: statistics, more: Object.keys(statistics) };

/** Operators that do nothing but compute sizes, in the forms exporters write. */
const flattenBySize: ForeignModel = {
  x: ["N", 2, 3, 2],
  nodes: [
    { op: "Shape", in: ["x"], out: ["shape"] },
    { op: "Gather", in: ["shape", "zero"], out: ["n"], attributes: { axis: 0 } },
    { op: "Unsqueeze", in: ["n", "first"], out: ["nv"] },
    { op: "Concat", in: ["nv", "rest"], out: ["target"], attributes: { axis: 0 } },
    { op: "Reshape", in: ["x", "target"] },
  ],
  tensors: { zero: fromNumbers("int64", [], [0]), first: ints(0), rest: ints(-1) },
};

const sizeArithmetic: ForeignModel = {
  x: ["N", 4, 6],
  nodes: [
    { op: "Shape", in: ["x"], out: ["shape"] },
    { op: "Cast", in: ["shape"], out: ["s32"], attributes: { to: 6 } },
    { op: "Cast", in: ["s32"], out: ["s64"], attributes: { to: 7 } },
    { op: "Mul", in: ["s64", "factors"], out: ["times"] },
    { op: "Div", in: ["times", "divisors"], out: ["quotient"] },
    { op: "Sub", in: ["quotient", "ones"], out: ["less"] },
    { op: "Add", in: ["less", "ones"], out: ["target"] },
    { op: "Reshape", in: ["x", "target"] },
  ],
  tensors: { factors: ints(2, 1, 1), divisors: ints(1, 2, 1), ones: ints(1, 1, 1) },
};

const expandBySize: ForeignModel = {
  nodes: [
    { op: "Shape", in: ["x"], out: ["shape"] },
    { op: "Size", in: ["x"], out: ["size"] },
    { op: "ConstantOfShape", in: ["rank"], out: ["minus"], attributes: { value: ints(-1) } },
    { op: "Equal", in: ["shape", "minus"], out: ["open"] },
    { op: "Where", in: ["open", "minus", "shape"], out: ["target"] },
    { op: "ReduceProd", in: ["target"], out: ["product"], attributes: { keepdims: 0 } },
    { op: "Equal", in: ["product", "size"], out: ["same"] },
    { op: "Where", in: ["same", "target", "minus"], out: ["chosen"] },
    { op: "ConstantOfShape", in: ["chosen"], out: ["ones"], attributes: { value: floats([1], [2]) } },
    { op: "Expand", in: ["scalar", "chosen"], out: ["wide"] },
    { op: "Mul", in: ["x", "ones"], out: ["scaled"] },
    { op: "Add", in: ["scaled", "wide"] },
  ],
  tensors: { rank: ints(2), scalar: one(3) },
};

const knownLogic: ForeignModel = {
  nodes: [
    { op: "Neg", in: ["a"], out: ["na"] },
    { op: "Max", in: ["na", "b"], out: ["max"] },
    { op: "Min", in: ["max", "b"], out: ["min"] },
    { op: "Less", in: ["a", "b"], out: ["l"] },
    { op: "Greater", in: ["min", "b"], out: ["g"] },
    { op: "Not", in: ["g"], out: ["ng"] },
    { op: "And", in: ["l", "ng"], out: ["and"] },
    { op: "Or", in: ["and", "g"], out: ["or"] },
    { op: "Where", in: ["or", "a", "b"], out: ["w"] },
    { op: "Cast", in: ["w"], out: ["wf"], attributes: { to: 1 } },
    { op: "Add", in: ["x", "wf"] },
  ],
  tensors: { a: ints(1, 5, -7), b: ints(3, 2, 1) },
};

const cases: Readonly<Record<string, ForeignModel>> = {
  Identity: single("Identity"),
  Neg: single("Neg"),
  Abs: single("Abs"),
  Exp: single("Exp"),
  Erf: single("Erf"),
  Sign: single("Sign"),
  Floor: single("Floor"),
  Ceil: single("Ceil"),
  Sqrt: onPositive("Sqrt"),
  Log: onPositive("Log"),
  Reciprocal: onPositive("Reciprocal"),
  ...Object.fromEntries(
    ["Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean"].map((op) => [
      op,
      withTensor(op, floats([3], [1, -2, 0.5])),
    ]),
  ),
  "Sum of three": { nodes: [{ op: "Sum", in: ["x", "c", "x"] }], tensors: { c: one(2) } },
  "Mean of three": { nodes: [{ op: "Mean", in: ["x", "c", "x"] }], tensors: { c: one(2) } },
  ...Object.fromEntries([1, 2, 3].map((n) => [`Pow ${n}`, withTensor("Pow", one(n))])),
  ...Object.fromEntries(
    [0.5, -1, 1.7].map((n) => [
      `Pow ${n}`,
      { nodes: [...positive(), { op: "Pow", in: ["positive", "n"] }], tensors: { ...tenth, n: one(n) } },
    ]),
  ),
  "Pow by rows": {
    nodes: [...positive(), { op: "Pow", in: ["positive", "n"] }],
    tensors: { ...tenth, n: floats([3], [1, 2, 0.5]) },
  },

  Relu: single("Relu"),
  Tanh: single("Tanh"),
  Sigmoid: single("Sigmoid"),
  Softplus: single("Softplus"),
  Softsign: single("Softsign"),
  Mish: single("Mish", {}, { opset: 18 }),
  LeakyRelu: single("LeakyRelu"),
  "LeakyRelu 0.3": single("LeakyRelu", { alpha: float(0.3) }),
  Elu: single("Elu"),
  "Elu 0.3": single("Elu", { alpha: float(0.3) }),
  Selu: single("Selu"),
  Celu: single("Celu", { alpha: float(0.7) }),
  PRelu: withTensor("PRelu", floats([3], [0.1, 0.2, -0.3])),
  HardSigmoid: single("HardSigmoid", { alpha: float(0.4) }),
  HardSwish: single("HardSwish", {}, { opset: 14 }),
  Swish: single("Swish", { alpha: float(1.5) }, { opset: 24 }),
  Gelu: single("Gelu", {}, { opset: 20 }),
  "Gelu by tanh": single("Gelu", { approximate: "tanh" }, { opset: 20 }),
  "Clip 7": single("Clip", { min: float(-0.5), max: float(0.75) }, { opset: 7 }),
  "Clip 7, open": single("Clip", { max: float(0.75) }, { opset: 7 }),
  "Clip 11": single("Clip", {}, { opset: 11, more: ["lo", "hi"], tensors: { lo: one(-0.5), hi: one(0.75) } }),
  "Clip 13, open below": single("Clip", {}, { opset: 13, more: ["", "hi"], tensors: { hi: one(0.75) } }),

  "Softmax 7": single("Softmax", {}, { opset: 7, x: ["N", 3, 2] }),
  "Softmax 11, last axis": single("Softmax", { axis: 2 }, { opset: 11, x: ["N", 3, 2] }),
  "Softmax 13": single("Softmax", {}, { opset: 13, x: ["N", 3, 2] }),
  "Softmax 13, axis 1": single("Softmax", { axis: 1 }, { opset: 13, x: ["N", 3, 2] }),
  "LogSoftmax 11": single("LogSoftmax", {}, { opset: 11, x: ["N", 3, 2] }),
  "LogSoftmax 21": single("LogSoftmax", { axis: 1 }, { opset: 21, x: ["N", 3, 2] }),

  Gemm: single("Gemm", {}, { more: ["w", "b"], tensors: { w: drawn([3, 4], "w"), b: drawn([4], "b") } }),
  "Gemm 7, scaled and transposed": single(
    "Gemm",
    { alpha: float(0.5), beta: float(2), transB: 1 },
    { opset: 7, more: ["w", "b"], tensors: { w: drawn([4, 3], "w"), b: drawn([1, 4], "b") } },
  ),
  "Gemm 11, no bias": single("Gemm", {}, { opset: 11, more: ["w"], tensors: { w: drawn([3, 4], "w") } }),
  MatMul: withTensor("MatMul", drawn([3, 4], "w")),
  "MatMul of many": single("MatMul", {}, { x: ["N", 2, 3], more: ["w"], tensors: { w: drawn([3, 4], "w") } }),
  "MatMul with a vector": withTensor("MatMul", drawn([3], "w")),

  Conv: single("Conv", {}, { x: image, more: ["w", "b"], tensors: { w: filters, b: drawn([3], "b") } }),
  "Conv 7, strides and pads": single(
    "Conv",
    { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2], kernel_shape: [3, 2] },
    { opset: 7, x: image, more: ["w"], tensors: { w: filters } },
  ),
  "Conv in groups": single(
    "Conv",
    { group: 2 },
    { x: image, more: ["w"], tensors: { w: drawn([4, 1, 2, 2], "w") } },
  ),
  "Conv in one dimension": single(
    "Conv",
    { pads: [1, 1] },
    { x: ["N", 2, 7], more: ["w", "b"], tensors: { w: drawn([3, 2, 3], "w"), b: drawn([3], "b") } },
  ),
  ...Object.fromEntries(
    ["SAME_UPPER", "SAME_LOWER", "VALID"].map((mode) => [
      `Conv ${mode}`,
      single("Conv", { auto_pad: mode, strides: [2, 3] }, { x: image, more: ["w"], tensors: { w: filters } }),
    ]),
  ),

  MaxPool: single("MaxPool", { kernel_shape: [2, 2], strides: [2, 2] }, { x: image }),
  "MaxPool 8": single("MaxPool", { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { opset: 8, x: image }),
  "MaxPool 12, dilated": single(
    "MaxPool",
    { kernel_shape: [2, 2], dilations: [2, 1] },
    { opset: 12, x: image },
  ),
  "MaxPool in one dimension": single("MaxPool", { kernel_shape: [3], strides: [2] }, { x: ["N", 2, 8] }),
  "MaxPool SAME_UPPER": single(
    "MaxPool",
    { kernel_shape: [2, 3], strides: [2, 2], auto_pad: "SAME_UPPER" },
    { x: image },
  ),
  ...Object.fromEntries(
    ["MaxPool", "AveragePool"].flatMap((op) =>
      [
        { kernel_shape: [2, 2], strides: [2, 2] },
        { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
        { kernel_shape: [2, 3], strides: [3, 3], pads: [0, 1, 1, 1] },
        { kernel_shape: [1, 2], strides: [2, 3] },
      ].map((window, i) => [
        `${op} ceil ${i}`,
        single(op, { ...window, ceil_mode: 1 }, { x: ["N", 1, 6, 7] }),
      ]),
    ),
  ),
  AveragePool: single("AveragePool", { kernel_shape: [2, 2] }, { x: image }),
  "AveragePool 7, pads": single(
    "AveragePool",
    { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    { opset: 7, x: image },
  ),
  "AveragePool, pads counted": single(
    "AveragePool",
    { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 },
    { opset: 11, x: image },
  ),
  "AveragePool, pads counted, ceil": single(
    "AveragePool",
    { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 0, 0], count_include_pad: 1, ceil_mode: 1 },
    { opset: 19, x: ["N", 1, 6, 7] },
  ),
  "AveragePool SAME_LOWER": single(
    "AveragePool",
    { kernel_shape: [2, 2], auto_pad: "SAME_LOWER" },
    { opset: 22, x: image },
  ),
  GlobalAveragePool: single("GlobalAveragePool", {}, { x: image }),
  GlobalMaxPool: single("GlobalMaxPool", {}, { x: image }),

  ...Object.fromEntries(
    [7, 9, 14, 15].map((opset) => [
      `BatchNormalization ${opset}`,
      single("BatchNormalization", { epsilon: float(0.01) }, { ...norm, opset }),
    ]),
  ),
  "BatchNormalization of rows": single("BatchNormalization", {}, { ...norm, x: ["N", 2] }),
  InstanceNormalization: single("InstanceNormalization", {}, { ...norm, more: ["scale", "shift"] }),
  LayerNormalization: single(
    "LayerNormalization",
    { axis: 2 },
    { x: ["N", 3, 2, 2], tensors: { g: drawn([2, 2], "g"), b: drawn([2, 2], "b") }, more: ["g", "b"] },
  ),
  "Dropout 7": single("Dropout", { ratio: float(0.5) }, { opset: 7 }),
  "Dropout 12": single(
    "Dropout",
    {},
    { opset: 12, more: ["r", "t"], tensors: { r: one(0.5), t: bool(false) } },
  ),

  Flatten: single("Flatten", {}, { x: image }),
  "Flatten from 2": single("Flatten", { axis: 2 }, { x: image }),
  Reshape: single("Reshape", {}, { x: image, more: ["s"], tensors: { s: ints(0, -1) } }),
  "Reshape 5 to rows": single(
    "Reshape",
    {},
    { x: image, opset: 7, more: ["s"], tensors: { s: ints(-1, 4, 10) } },
  ),
  "Reshape 14, allowzero": single(
    "Reshape",
    { allowzero: 1 },
    { x: image, opset: 14, more: ["s"], tensors: { s: ints(-1, 40) } },
  ),
  Transpose: single("Transpose", { perm: [0, 2, 3, 1] }, { x: image }),
  "Transpose, default": single("Transpose", {}, { x: ["N", 3, 2] }),
  Concat: { nodes: [{ op: "Concat", in: ["x", "x"], attributes: { axis: 1 } }] },
  "Concat from the end": { nodes: [{ op: "Concat", in: ["x", "x"], attributes: { axis: -1 } }] },
  "Squeeze 7": single("Squeeze", { axes: [1] }, { opset: 7, x: ["N", 1, 3] }),
  "Squeeze 13": single("Squeeze", {}, { opset: 13, x: ["N", 1, 3], more: ["a"], tensors: { a: ints(-2) } }),
  "Unsqueeze 11": single("Unsqueeze", { axes: [1, 3] }, { opset: 11 }),
  "Unsqueeze 13": single("Unsqueeze", {}, { opset: 13, more: ["a"], tensors: { a: ints(1, -1) } }),
  Expand: single("Expand", {}, { x: ["N", 1, 3], more: ["s"], tensors: { s: ints(1, 2, 1) } }),
  Tile: single("Tile", {}, { more: ["r"], tensors: { r: ints(1, 3) } }),
  "Split 11": {
    opset: 11,
    x: ["N", 5],
    nodes: [
      { op: "Split", in: ["x"], out: ["a", "b"], attributes: { axis: 1, split: [2, 3] } },
      { op: "Concat", in: ["b", "a"], attributes: { axis: 1 } },
    ],
  },
  "Split 18": {
    opset: 18,
    x: ["N", 5],
    nodes: [
      { op: "Split", in: ["x"], out: ["a", "b"], attributes: { axis: 1, num_outputs: 2 } },
      { op: "Concat", in: ["b", "a"], attributes: { axis: 1 } },
    ],
  },
  "Slice 9": single("Slice", { starts: [1, 0], ends: [-1, 3], axes: [2, 1] }, { opset: 9, x: image }),
  "Slice 10": single(
    "Slice",
    {},
    {
      opset: 10,
      x: image,
      more: ["s", "e", "a", "t"],
      tensors: { s: ints(1), e: ints(Number.MAX_SAFE_INTEGER), a: ints(2), t: ints(2) },
    },
  ),
  "Slice of everything": single(
    "Slice",
    {},
    { more: ["s", "e"], tensors: { s: ints(0, -2), e: fromNumbers("int64", [2], [2 ** 62, 2 ** 62]) } },
  ),
  "Slice backwards": single(
    "Slice",
    {},
    { more: ["s", "e", "a", "t"], tensors: { s: ints(-1), e: ints(-100), a: ints(1), t: ints(-1) } },
  ),
  "Pad 7": single("Pad", { pads: [0, 0, 1, 2, 0, 0, 2, 1], value: float(1.5) }, { opset: 7, x: image }),
  "Pad 11": single("Pad", {}, { opset: 11, more: ["p"], tensors: { p: ints(0, 1, 0, 2) } }),
  "Pad 13, cropping": single(
    "Pad",
    {},
    { opset: 13, x: image, more: ["p"], tensors: { p: ints(0, 0, -1, 1, 0, 0, 1, -2) } },
  ),
  "Pad 13, infinite": single(
    "Pad",
    {},
    { opset: 13, more: ["p", "v"], tensors: { p: ints(0, 1, 0, 2), v: one(-1e30) } },
  ),
  "Pad 18, axes": single(
    "Pad",
    { mode: "constant" },
    { opset: 18, x: image, more: ["p", "", "a"], tensors: { p: ints(1, 2), a: ints(3) } },
  ),
  ...Object.fromEntries(
    ["edge", "reflect", "wrap"].map((mode) => [
      `Pad ${mode}`,
      single(
        "Pad",
        { mode },
        { opset: 19, x: image, more: ["p"], tensors: { p: ints(0, 0, 2, 1, 0, 0, 1, 3) } },
      ),
    ]),
  ),
  Gather: single("Gather", { axis: 1 }, { x: ["N", 4, 2], more: ["i"], tensors: { i: ints(2, -1, 0) } }),
  "Gather of one": single(
    "Gather",
    { axis: 1 },
    { x: ["N", 4, 2], more: ["i"], tensors: { i: fromNumbers("int64", [], [-1]) } },
  ),
  "Gather of a range": single(
    "Gather",
    { axis: 2 },
    { x: ["N", 2, 4], more: ["i"], tensors: { i: ints(1, 2) } },
  ),

  ...Object.fromEntries(
    ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"].flatMap(
      (op) => [
        [`${op} 11`, single(op, { axes: [-1, 1] }, { opset: 11, x: image })],
        [`${op} 11, flat`, single(op, { axes: [2], keepdims: 0 }, { opset: 11, x: image })],
        [
          `${op} 18`,
          single(op, { keepdims: 0 }, { opset: 18, x: image, more: ["a"], tensors: { a: ints(2, 3) } }),
        ],
      ],
    ),
  ),
  "ReduceSum 13, all": single("ReduceSum", {}, { opset: 13 }),
  "ReduceSum 13, none": single("ReduceSum", { noop_with_empty_axes: 1 }, { opset: 13 }),
  "ReduceMean over the batch": single("ReduceMean", { axes: [0] }, { opset: 13 }),
  ReduceLogSumExp: single("ReduceLogSumExp", { axes: [1] }, { opset: 13, x: image }),
  ReduceLogSum: {
    nodes: [...positive(), { op: "ReduceLogSum", in: ["positive"], attributes: { axes: [1] } }],
    opset: 13,
    tensors: tenth,
  },

  ...Object.fromEntries(
    ["Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"].map((op) => [op, condition(op)]),
  ),
  "Where, Not, And, Or": {
    nodes: [
      { op: "Greater", in: ["x", "c"], out: ["a"] },
      { op: "Less", in: ["x", "d"], out: ["b"] },
      { op: "Not", in: ["a"], out: ["na"] },
      { op: "And", in: ["na", "b"], out: ["both"] },
      { op: "Or", in: ["both", "a"], out: ["any"] },
      { op: "Where", in: ["any", "x", "c"] },
    ],
    tensors: { c: one(0.5), d: one(-0.5) },
  },

  "Constant of every kind": {
    nodes: [
      { op: "Constant", in: [], out: ["a"], attributes: { value: floats([3], [1, 2, 3]) } },
      { op: "Constant", in: [], out: ["b"], attributes: { value_float: float(0.5) } },
      { op: "Constant", in: [], out: ["c"], attributes: { value_floats: { floats: [1, 0, 2] } } },
      { op: "Constant", in: [], out: ["d"], attributes: { value_ints: [0, 3, 1] } },
      { op: "Constant", in: [], out: ["e"], attributes: { value_int: 2 } },
      { op: "Mul", in: ["a", "b"], out: ["ab"] },
      { op: "Add", in: ["ab", "c"], out: ["abc"] },
      { op: "Add", in: ["x", "abc"], out: ["sum"] },
      { op: "Reshape", in: ["sum", "d"], out: ["r"] },
      { op: "Cast", in: ["e"], out: ["f"], attributes: { to: 1 } },
      { op: "Mul", in: ["r", "f"] },
    ],
  },
  "Cast to whole numbers and back": {
    nodes: [
      { op: "Cast", in: ["x"], out: ["i"], attributes: { to: 6 } },
      { op: "Cast", in: ["i"], attributes: { to: 1 } },
    ],
  },
  "Cast of a computed constant": {
    nodes: [
      { op: "Mul", in: ["a", "b"], out: ["ab"] },
      { op: "Floor", in: ["ab"], out: ["floor"] },
      { op: "Cast", in: ["floor"], out: ["target"], attributes: { to: 7 } },
      { op: "Reshape", in: ["x", "target"] },
    ],
    tensors: { a: floats([3], [-2, 2, 3]), b: one(0.5) },
  },
  "Shape, then Gather, Unsqueeze, Concat and Reshape": flattenBySize,
  "arithmetic on sizes": sizeArithmetic,
  "Expand to a size that is computed": expandBySize,
  "logic on known numbers": knownLogic,
  "Shape 15, a part": {
    opset: 15,
    x: image,
    nodes: [
      { op: "Shape", in: ["x"], out: ["n"], attributes: { start: 0, end: 1 } },
      { op: "Concat", in: ["n", "rest"], out: ["target"], attributes: { axis: 0 } },
      { op: "Reshape", in: ["x", "target"] },
    ],
    tensors: { rest: ints(-1, 5) },
  },
  "a size in the values": {
    nodes: [
      { op: "Shape", in: ["x"], out: ["shape"] },
      { op: "Cast", in: ["shape"], out: ["sizes"], attributes: { to: 1 } },
      { op: "ReduceSum", in: ["sizes"], out: ["total"], attributes: { keepdims: 0 } },
      { op: "Div", in: ["x", "total"] },
    ],
  },
};

describe("imported operators", () => {
  it.each(Object.entries(cases))("%s", async (_, model) => {
    await expectSameAsRuntime(foreignFile(model));
  });

  it("every operator has a case", () => {
    const used = new Set(Object.values(cases).flatMap(({ nodes }) => nodes.map(({ op }) => op)));
    expect(knownOperators.filter((name) => !used.has(name))).toEqual([]);
  });

  it.each([7, 9, 11, 13, 18, 21, 26])("operator set %d: a network with any batch size", async (opset) => {
    const file = foreignFile({
      opset,
      x: ["N", 2, 6, 6],
      nodes: [
        {
          op: "Conv",
          in: ["x", "w", "b"],
          out: ["c"],
          attributes: { pads: [1, 1, 1, 1], kernel_shape: [3, 3] },
        },
        { op: "BatchNormalization", in: ["c", "s", "t", "m", "v"], out: ["n"] },
        { op: "Relu", in: ["n"], out: ["r"] },
        { op: "MaxPool", in: ["r"], out: ["p"], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
        { op: "Flatten", in: ["p"], out: ["f"] },
        { op: "Gemm", in: ["f", "d", "e"], out: ["z"] },
        { op: "Softmax", in: ["z"], attributes: { axis: 1 } },
      ],
      tensors: {
        w: drawn([3, 2, 3, 3], "w"),
        b: drawn([3], "b"),
        s: drawn([3], "s"),
        t: drawn([3], "t"),
        m: drawn([3], "m"),
        v: floats([3], [1, 2, 0.5]),
        d: drawn([27, 4], "d"),
        e: drawn([4], "e"),
      },
    });
    for (const batch of [2, 5]) await expectSameAsRuntime(file, batch);
  });
});
