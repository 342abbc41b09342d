// Smooth activations.
import { mul, sub } from "./arithmetic.js";
import { unary } from "./elementwise.js";

/** tanh x. Derivative: 1 − tanh² x. */
export const tanh = unary("tanh", {
  onnx: "Tanh",
  evaluate: Math.tanh,
  derivative: (g, _x, y) => mul(g, sub(1, mul(y, y))),
});

/** 1 / (1 + e⁻ˣ). Derivative: y·(1 − y). */
export const sigmoid = unary("sigmoid", {
  onnx: "Sigmoid",
  evaluate: (x) => 1 / (1 + Math.exp(-x)),
  derivative: (g, _x, y) => mul(g, mul(y, sub(1, y))),
});

/** ln(1 + eˣ). Derivative: sigmoid x. */
export const softplus = unary("softplus", {
  onnx: "Softplus",
  evaluate: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  derivative: (g, x) => mul(g, sigmoid(x)),
});
