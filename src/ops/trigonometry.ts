// Sine and cosine: each the other's derivative, up to sign.
import { mul, neg } from "./arithmetic.js";
import { unary, type UnaryOperation } from "./elementwise.js";

/** sin x. Derivative: cos x. */
export const sin: UnaryOperation = unary("sin", {
  onnx: "Sin",
  evaluate: Math.sin,
  derivative: (g, x) => mul(g, cos(x)),
});

/** cos x. Derivative: −sin x. */
export const cos: UnaryOperation = unary("cos", {
  onnx: "Cos",
  evaluate: Math.cos,
  derivative: (g, x) => neg(mul(g, sin(x))),
});
