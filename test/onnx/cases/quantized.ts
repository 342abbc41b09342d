// Quantised models: numbers in and out of 8 bits, products and sums of them.
import { count } from "../../../src/base/shape.js";
import { floats, fromNumbers, type Tensor } from "../../../src/base/tensor.js";
import type { ForeignModel, ForeignNode } from "../../support/onnx-builder.js";
import { float, one, type Cases } from "./single.js";

const bytes = (shape: readonly number[], first = 7): Tensor =>
  fromNumbers(
    "uint8",
    shape,
    Array.from({ length: count(shape) }, (_, i) => (first + 41 * i) % 256),
  );
const zero = (value: number): Tensor => fromNumbers("uint8", [], [value]);

/** The grid of x: −2 to 2 and a bit of it saturated; that of weights; that of results. */
const grids = { s: one(0.014), z: zero(128), ws: one(0.02), wz: zero(120), ys: one(0.1), yz: zero(100) };

const quantize: ForeignNode = { op: "QuantizeLinear", in: ["x", "s", "z"], out: ["q"] };
const dequantize: ForeignNode = { op: "DequantizeLinear", in: ["r", "ys", "yz"] };

/** x quantised, given to `node`, which gives r, and dequantised. */
const between = (
  node: ForeignNode,
  tensors: Readonly<Record<string, Tensor>>,
  x: ForeignModel["x"] = ["N", 3],
): ForeignModel => ({
  x,
  nodes: [quantize, { ...node, out: ["r"] }, dequantize],
  tensors: { ...grids, ...tensors },
});

const image = ["N", 2, 4, 4];
const microsoft = "com.microsoft";

/** The float value of whole numbers. */
const asFloats: ForeignNode = { op: "Cast", in: ["i"], attributes: { to: 1 } };

export const quantized: Cases = {
  "QuantizeLinear, DequantizeLinear": {
    nodes: [quantize, { op: "DequantizeLinear", in: ["q", "s", "z"] }],
    tensors: grids,
  },
  "QuantizeLinear by channel": {
    x: image,
    nodes: [
      { op: "QuantizeLinear", in: ["x", "s", "z"], out: ["q"], attributes: { axis: 1 } },
      { op: "DequantizeLinear", in: ["q", "s", "z"], attributes: { axis: 1 } },
    ],
    tensors: { s: floats([2], [0.02, 0.01]), z: fromNumbers("uint8", [2], [128, 90]) },
  },
  "DequantizeLinear of weights by channel": {
    nodes: [
      { op: "DequantizeLinear", in: ["w", "s"], out: ["f"], attributes: { axis: 0 } },
      { op: "Gemm", in: ["x", "f"], attributes: { transB: 1 } },
    ],
    tensors: { w: bytes([4, 3]), s: floats([4], [0.01, 0.02, 0.03, 0.04]) },
  },
  "DequantizeLinear in blocks": {
    opset: 21,
    nodes: [
      { op: "DequantizeLinear", in: ["w", "s"], out: ["f"], attributes: { axis: 1, block_size: 2 } },
      { op: "MatMul", in: ["x", "f"] },
    ],
    tensors: { w: bytes([3, 4]), s: floats([3, 2], [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]) },
  },
  "DynamicQuantizeLinear of one image": {
    x: [1, 5],
    nodes: [
      { op: "DynamicQuantizeLinear", in: ["x"], out: ["q", "qs", "qz"] },
      { op: "DequantizeLinear", in: ["q", "qs", "qz"] },
    ],
  },
  QLinearMatMul: between(
    { op: "QLinearMatMul", in: ["q", "s", "z", "w", "ws", "wz", "ys", "yz"] },
    { w: bytes([3, 4]) },
  ),
  QLinearConv: between(
    {
      op: "QLinearConv",
      in: ["q", "s", "z", "w", "ws", "wz", "ys", "yz", "b"],
      attributes: { pads: [1, 1, 0, 0] },
    },
    { w: bytes([3, 2, 2, 2]), b: fromNumbers("int32", [3], [1000, -2000, 0]) },
    image,
  ),
  MatMulInteger: {
    nodes: [quantize, { op: "MatMulInteger", in: ["q", "w", "z", "wz"], out: ["i"] }, asFloats],
    tensors: { ...grids, w: bytes([3, 4]) },
  },
  ConvInteger: {
    x: image,
    nodes: [quantize, { op: "ConvInteger", in: ["q", "w", "z", "wz"], out: ["i"] }, asFloats],
    tensors: { ...grids, w: bytes([3, 2, 2, 2]) },
  },
  QLinearAdd: between(
    { op: "QLinearAdd", domain: microsoft, in: ["q", "s", "z", "w", "ws", "wz", "ys", "yz"] },
    { w: bytes([3]) },
  ),
  QLinearMul: between(
    { op: "QLinearMul", domain: microsoft, in: ["q", "s", "z", "w", "ws", "wz", "ys", "yz"] },
    { w: bytes([3]) },
  ),
  QLinearSigmoid: between({ op: "QLinearSigmoid", domain: microsoft, in: ["q", "s", "z", "ys", "yz"] }, {}),
  QLinearLeakyRelu: between(
    {
      op: "QLinearLeakyRelu",
      domain: microsoft,
      in: ["q", "s", "z", "ys", "yz"],
      attributes: { alpha: float(0.25) },
    },
    {},
  ),
  QLinearGlobalAveragePool: between(
    { op: "QLinearGlobalAveragePool", domain: microsoft, in: ["q", "s", "z", "ys", "yz"] },
    {},
    image,
  ),
  "QLinearGlobalAveragePool, channels last": between(
    {
      op: "QLinearGlobalAveragePool",
      domain: microsoft,
      in: ["q", "s", "z", "ys", "yz"],
      attributes: { channels_last: 1 },
    },
    {},
    image,
  ),
  QLinearAveragePool: between(
    {
      op: "QLinearAveragePool",
      domain: microsoft,
      in: ["q", "s", "z", "ys", "yz"],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
    {},
    image,
  ),
  QLinearConcat: between(
    {
      op: "QLinearConcat",
      domain: microsoft,
      in: ["ys", "yz", "q", "s", "z", "q", "ws", "wz"],
      attributes: { axis: 1 },
    },
    {},
  ),
  QGemm: between(
    {
      op: "QGemm",
      domain: microsoft,
      in: ["q", "s", "z", "w", "ws", "wz", "b", "ys", "yz"],
      attributes: { transB: 1 },
    },
    { w: bytes([4, 3]), b: fromNumbers("int32", [4], [1000, -2000, 0, 500]) },
  ),
};
