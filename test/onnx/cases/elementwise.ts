// Operators that work element by element: arithmetic, activations, comparison.
import { floats } from "../../../src/base/tensor.js";
import type { ForeignModel } from "../../support/onnx-builder.js";
import { float, one, onPositive, positive, single, tenth, withTensor, type Cases } from "./single.js";

/** A condition as floats. */
const condition = (op: string): ForeignModel => ({
  nodes: [
    { op, in: ["x", "c"], out: ["b"] },
    { op: "Cast", in: ["b"], attributes: { to: 1 } },
  ],
  tensors: { c: floats([3], [0, 0.5, -0.5]) },
});

export const elementwise: Cases = {
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
};
