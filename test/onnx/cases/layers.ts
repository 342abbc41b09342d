// Operators with weights or windows: products, convolution, pooling, normalisation, softmax.
import { floats } from "../../../src/base/tensor.js";
import { drawn } from "../../support/against-runtime.js";
import { bool, filters, float, image, one, single, withTensor, type Cases } from "./single.js";

const statistics = {
  scale: floats([2], [1.5, -0.5]),
  shift: floats([2], [0.25, 1]),
  mean: floats([2], [0.5, -0.25]),
  variance: floats([2], [2, 0.5]),
};
const norm = { x: image, tensors: statistics, more: Object.keys(statistics) };

export const layers: Cases = {
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

  RMSNormalization: single(
    "RMSNormalization",
    {},
    { opset: 23, x: ["N", 2, 3], more: ["s"], tensors: { s: drawn([3], "s") } },
  ),
  "GroupNormalization 18, by group": single(
    "GroupNormalization",
    { num_groups: 2 },
    {
      opset: 18,
      x: ["N", 4, 3, 2],
      more: ["s", "b"],
      tensors: { s: floats([2], [1, 2]), b: floats([2], [0.5, 0]) },
    },
  ),
  "GroupNormalization 21": single(
    "GroupNormalization",
    { num_groups: 2 },
    {
      opset: 21,
      x: ["N", 4, 3, 2],
      more: ["s", "b"],
      tensors: { s: drawn([4], "s"), b: drawn([4], "b") },
    },
  ),
  "MeanVarianceNormalization of an image": single(
    "MeanVarianceNormalization",
    { axes: [1, 2, 3] },
    { x: image },
  ),
  LpNormalization: single("LpNormalization", { axis: 1, p: 1 }),
  "LpNormalization, Euclidean": single("LpNormalization"),
  LRN: single("LRN", { size: 3, alpha: float(0.5), beta: float(0.6), bias: float(2) }, { x: ["N", 5, 3, 2] }),
  "LpPool 18": single("LpPool", { kernel_shape: [2, 2], strides: [1, 2], p: 3 }, { opset: 18, x: image }),
  GlobalLpPool: single("GlobalLpPool", {}, { x: image }),
  ...Object.fromEntries(
    [0, 1].map((counted) => [
      `AveragePool 19, dilated, padding ${counted === 1 ? "counted" : "not counted"}`,
      single(
        "AveragePool",
        { kernel_shape: [2, 2], dilations: [2, 1], pads: [1, 0, 1, 1], count_include_pad: counted },
        { opset: 19, x: image },
      ),
    ]),
  ),
  ConvTranspose: single(
    "ConvTranspose",
    {},
    { x: image, more: ["w", "b"], tensors: { w: drawn([2, 3, 3, 2], "w"), b: drawn([3], "b") } },
  ),
  "ConvTranspose, strides, pads, more at the end": single(
    "ConvTranspose",
    { strides: [2, 3], pads: [1, 0, 0, 2], output_padding: [1, 0], dilations: [1, 2], group: 2 },
    { x: image, more: ["w"], tensors: { w: drawn([2, 2, 3, 2], "w") } },
  ),
  "ConvTranspose to a shape": single(
    "ConvTranspose",
    { strides: [2, 2], output_shape: [9, 9] },
    { x: image, more: ["w"], tensors: { w: drawn([2, 1, 3, 3], "w") } },
  ),
  "ConvTranspose SAME_UPPER": single(
    "ConvTranspose",
    { strides: [2, 2], auto_pad: "SAME_UPPER" },
    { x: image, more: ["w"], tensors: { w: drawn([2, 1, 3, 3], "w") } },
  ),
};
