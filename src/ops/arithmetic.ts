// Element-wise arithmetic: add, sub, mul, div, neg. Linear and bilinear; closed under differentiation.
import { binary, unary } from "./elementwise.js";

/** x + y, with broadcasting. */
export const add = binary("add", {
  onnx: "Add",
  evaluate: (x, y) => x + y,
  identity: 0,
  commutes: true,
  derivative: (g) => [g, g],
});

/** −x. */
export const neg = unary("neg", { onnx: "Neg", evaluate: (x) => -x, derivative: (g) => neg(g) });

/** x − y, with broadcasting. */
export const sub = binary("sub", {
  onnx: "Sub",
  evaluate: (x, y) => x - y,
  identity: 0,
  derivative: (g) => [g, neg(g)],
});

/** x · y, with broadcasting. */
export const mul = binary("mul", {
  onnx: "Mul",
  evaluate: (x, y) => x * y,
  identity: 1,
  commutes: true,
  derivative: (g, x, y) => [mul(g, y), mul(g, x)],
});

/** x / y, with broadcasting. */
export const div = binary("div", {
  onnx: "Div",
  evaluate: (x, y) => x / y,
  identity: 1,
  derivative: (g, _x, y, z) => [div(g, y), neg(mul(div(g, y), z))],
  domains: [[[-2, 2]], [[0.5, 2]]],
});
