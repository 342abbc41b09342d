// Element-wise arithmetic: add, sub, mul, div, neg. Linear and bilinear; closed under differentiation.
import { argument, type Node, type OpNode } from "../graph/node.js";
import { binary, unary, type BinaryOperation, type UnaryOperation } from "./elementwise.js";

type Single = (input: Node) => boolean;

/** x + y where one of them is a product that can take the other in. */
function fuseAdd({ inputs }: OpNode, single: Single): Node | null {
  const [x, y] = [argument(inputs, 0), argument(inputs, 1)];
  const taken = (product: Node, addend: Node): Node | null =>
    product.kind === "op" && single(product) ? (product.op.plus?.(product, addend, null) ?? null) : null;
  return taken(x, y) ?? taken(y, x);
}

/** p + scale·z with the products in z taken in one after the other; null where z holds none. */
function accumulate(p: Node, z: Node, scale: Node, single: Single): Node | null {
  if (z.kind !== "op" || !single(z)) return null;
  if (z.op !== add.op) return z.op.plus?.(z, p, scale) ?? null;
  const [x, y] = [argument(z.inputs, 0), argument(z.inputs, 1)];
  const first = accumulate(p, x, scale, single);
  const both = accumulate(first ?? p, y, scale, single);
  if (both !== null) return first === null ? add(both, mul(scale, x)) : both;
  return first === null ? null : add(first, mul(scale, y));
}

/** p − s·z, s a scalar: a step of gradient descent, whose gradient is a product, in one pass over p. */
function fuseSub({ inputs }: OpNode, single: Single): Node | null {
  const [p, step] = [argument(inputs, 0), argument(inputs, 1)];
  if (step.kind !== "op" || step.op !== mul.op || !single(step)) return null;
  const [s, z] = [argument(step.inputs, 0), argument(step.inputs, 1)];
  return s.shape.length === 0 ? accumulate(p, z, neg(s), single) : null;
}

/** x + y, with broadcasting. */
export const add: BinaryOperation = binary("add", {
  onnx: "Add",
  fuse: fuseAdd,
  evaluate: (x, y) => x + y,
  identity: 0,
  commutes: true,
  derivative: (g) => [g, g],
});

/** −x. */
export const neg: UnaryOperation = unary("neg", {
  onnx: "Neg",
  evaluate: (x) => -x,
  derivative: (g) => neg(g),
});

/** x − y, with broadcasting. */
export const sub = binary("sub", {
  onnx: "Sub",
  fuse: fuseSub,
  evaluate: (x, y) => x - y,
  identity: 0,
  derivative: (g) => [g, neg(g)],
});

/** x · y, with broadcasting. */
export const mul: BinaryOperation = binary("mul", {
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
