// Operators outside the standard domain: scikit-learn's and ONNX Runtime's own.
import { floats, fromNumbers } from "../../../src/base/tensor.js";
import { drawn } from "../../support/against-runtime.js";
import type { ForeignModel, ForeignNode } from "../../support/onnx-builder.js";
import { filters, float, image, ints, one, type Cases } from "./single.js";

const listOf = (...values: number[]): { floats: number[] } => ({ floats: values });

/** One node of scikit-learn's domain. */
const learning = (
  op: string,
  attributes: NonNullable<ForeignNode["attributes"]>,
  out: readonly string[] = ["y"],
  more: Partial<ForeignModel> = {},
): ForeignModel => ({
  ...more,
  nodes: [{ op, domain: "ai.onnx.ml", in: ["x", ...Object.keys(more.tensors ?? {})], out, attributes }],
});

const coefficients = listOf(0.5, -1, 2, 1, 0.25, -0.75);

/** One node of ONNX Runtime's domain. */
const microsoft = (
  op: string,
  attributes: NonNullable<ForeignNode["attributes"]> = {},
  more: Partial<ForeignModel> = {},
): ForeignModel => ({
  ...more,
  nodes: [{ op, domain: "com.microsoft", in: ["x", ...Object.keys(more.tensors ?? {})], attributes }],
});

const fusedConv = (activation: string, ...params: number[]): ForeignModel =>
  microsoft(
    "FusedConv",
    { kernel_shape: [3, 2], activation, ...(params.length > 0 && { activation_params: listOf(...params) }) },
    { x: image, tensors: { w: filters, b: drawn([3], "b") } },
  );

export const domains: Cases = {
  Scaler: learning("Scaler", { offset: listOf(0.5, 1, -1), scale: listOf(2, 0.5, 1) }),
  ...Object.fromEntries(
    ["MAX", "L1", "L2"].map((norm) => [`Normalizer ${norm}`, learning("Normalizer", { norm })]),
  ),
  ArrayFeatureExtractor: learning("ArrayFeatureExtractor", {}, ["y"], { tensors: { at: ints(2, 0) } }),
  Imputer: learning("Imputer", {
    imputed_value_floats: listOf(1, 2, 3),
    replaced_value_float: float(0),
  }),
  "Imputer of what is no number": learning("Imputer", {
    imputed_value_floats: listOf(1, 2, 3),
    replaced_value_float: float(NaN),
  }),
  Binarizer: learning("Binarizer", { threshold: float(0.25) }),
  FeatureVectorizer: {
    nodes: [
      {
        op: "FeatureVectorizer",
        domain: "ai.onnx.ml",
        in: ["x", "x"],
        attributes: { inputdimensions: [3, 3] },
      },
    ],
  },
  ...Object.fromEntries(
    ["NONE", "LOGISTIC", "SOFTMAX"].map((transform) => [
      `LinearClassifier ${transform}`,
      learning(
        "LinearClassifier",
        {
          coefficients,
          intercepts: listOf(0.1, -0.2),
          classlabels_ints: [0, 1],
          post_transform: transform,
        },
        ["label", "y"],
      ),
    ]),
  ),
  "LinearClassifier of one score": learning(
    "LinearClassifier",
    {
      coefficients: listOf(0.5, -1, 2),
      intercepts: listOf(0.1),
      classlabels_ints: [0, 1],
      post_transform: "LOGISTIC",
    },
    ["label", "y"],
  ),
  LinearRegressor: learning("LinearRegressor", { coefficients, intercepts: listOf(0.1, -0.2), targets: 2 }),

  "Gelu of ONNX Runtime": microsoft("Gelu"),
  BiasGelu: microsoft("BiasGelu", {}, { tensors: { b: floats([3], [0.5, -0.5, 1]) } }),
  FastGelu: microsoft("FastGelu", {}, { tensors: { b: floats([3], [0.5, -0.5, 1]) } }),
  QuickGelu: microsoft("QuickGelu"),
  FusedMatMul: microsoft(
    "FusedMatMul",
    { transB: 1, alpha: float(0.5) },
    { tensors: { w: drawn([4, 3], "w") } },
  ),
  "FusedConv Relu": fusedConv("Relu"),
  "FusedConv Tanh": fusedConv("Tanh"),
  "FusedConv Sigmoid": fusedConv("Sigmoid"),
  "FusedConv LeakyRelu": fusedConv("LeakyRelu", 0.2),
  "FusedConv Clip": fusedConv("Clip", -1, 2),
  "FusedConv HardSigmoid": fusedConv("HardSigmoid", 0.2, 0.5),
  SkipLayerNormalization: microsoft(
    "SkipLayerNormalization",
    { epsilon: float(1e-5) },
    {
      x: ["N", 2, 3],
      tensors: {
        skip: drawn([1, 2, 3], "skip"),
        gamma: floats([3], [1, 2, 3]),
        beta: floats([3], [0.5, 0, -0.5]),
        bias: floats([3], [0.1, 0.2, 0.3]),
      },
    },
  ),
  "an operator of a type that is a tensor's": {
    nodes: [
      { op: "CastLike", in: ["x", "whole"], out: ["i"] },
      { op: "CastLike", in: ["i", "one"] },
    ],
    tensors: { whole: fromNumbers("int32", [], [0]), one: one(1) },
  },
};
