// Operators that move or reduce elements, and the arithmetic of sizes in the forms exporters write.
import { floats, fromNumbers } from "../../../src/base/tensor.js";
import type { ForeignModel } from "../../support/onnx-builder.js";
import { float, image, ints, one, positive, single, tenth, type Cases } from "./single.js";

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

export const structure: Cases = {
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
