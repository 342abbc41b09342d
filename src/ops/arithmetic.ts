// Element-wise arithmetic: add, sub, mul, div, neg. Linear and bilinear; closed under differentiation.
import { broadcastShapes, type Shape } from "../base/shape.js";
import { argument, scopeAs, type Node, type OpNode } from "../graph/node.js";
import type { Op } from "../graph/op.js";
import { binary, unary, type BinaryOperation, type UnaryOperation } from "./elementwise.js";

type Single = (input: Node) => boolean;

/** x + y where one of them is a product that can take the other in. */
function fuseAdd({ inputs }: OpNode, single: Single): Node | null {
  const [x, y] = [argument(inputs, 0), argument(inputs, 1)];
  const taken = (product: Node, addend: Node): Node | null =>
    product.kind === "op" && single(product) ? (product.op.plus?.(product, addend) ?? null) : null;
  return taken(x, y) ?? taken(y, x);
}

/** s·z with the scale inside the products that z adds up, or null where it holds none. */
function scaled(z: Node, s: Node, single: Single): Node | null {
  if (z.kind !== "op" || !single(z)) return null;
  if (z.op !== add.op) return scopeAs(z.scope, () => z.op.scaled?.(z, s) ?? null);
  const [x, y] = [argument(z.inputs, 0), argument(z.inputs, 1)];
  const [first, second] = [scaled(x, s, single), scaled(y, s, single)];
  return first === null && second === null ? null : add(first ?? mul(x, s), second ?? mul(y, s));
}

/** p − s·z, s a scalar: a step of gradient descent, whose gradient is a product, in one pass less. */
function fuseSub({ inputs }: OpNode, single: Single): Node | null {
  const [p, step] = [argument(inputs, 0), argument(inputs, 1)];
  if (step.kind !== "op" || step.op !== mul.op || !single(step)) return null;
  const [s, z] = [argument(step.inputs, 0), argument(step.inputs, 1)];
  const product = s.shape.length === 0 ? scaled(z, s, single) : null;
  return product && sub(p, product);
}

/** The operands of `node` if it is an `op`. */
const operandsOf = (node: Node, op: Op): readonly Node[] | null =>
  node.kind === "op" && node.op === op ? node.inputs : null;

/** z where x = −z. */
const negated = (x: Node): Node | null => operandsOf(x, neg.op)?.[0] ?? null;

/** Whether a tensor of shape `x` is repeated when it is broadcast to `shape`. */
const isRepeated = (x: Shape, shape: Shape): boolean =>
  shape.some((d, axis) => d !== 1 && (x[axis - shape.length + x.length] ?? 1) === 1);

/** (z·s)·t → z·(s·t) where s and t are repeated: one pass over z fewer. */
function factorsTogether(x: Node, t: Node, { shape }: OpNode): Node | null {
  const [a, b] = operandsOf(x, mul.op) ?? [];
  if (a === undefined || b === undefined || !isRepeated(t.shape, shape)) return null;
  const [z, s] = isRepeated(a.shape, shape) ? [b, a] : [a, b];
  // Three repeated factors would change places for ever.
  if (isRepeated(z.shape, shape)) return null;
  const fits = isRepeated(s.shape, shape) && isRepeated(broadcastShapes("mul", s.shape, t.shape), shape);
  return fits ? mul(z, mul(s, t)) : null;
}

/** Signs leave products, or join the smaller factor. */
function signOfProduct(x: Node, y: Node, { shape }: OpNode): Node | null {
  const z = negated(x);
  if (z === null) return null;
  const [first, second] = [isRepeated(z.shape, shape), isRepeated(y.shape, shape)];
  if (first === second) return neg(mul(z, y));
  return second ? mul(z, neg(y)) : null;
}

const simplifyProduct = (x: Node, y: Node, node: OpNode): Node | null =>
  signOfProduct(x, y, node) ??
  signOfProduct(y, x, node) ??
  factorsTogether(x, y, node) ??
  factorsTogether(y, x, node);

function simplifySum(x: Node, y: Node): Node | null {
  const [p, q] = [negated(x), negated(y)];
  if (q !== null) return sub(x, q);
  return p === null ? null : sub(y, p);
}

function simplifyDifference(x: Node, y: Node): Node | null {
  const q = negated(y);
  return q === null ? null : add(x, q);
}

/** Divides by what is repeated once instead of everywhere; constants stay, since 1/255 is not exact. */
function simplifyQuotient(x: Node, y: Node, { shape }: OpNode): Node | null {
  const z = negated(x);
  if (z !== null) return neg(div(z, y));
  return y.kind === "op" && isRepeated(y.shape, shape) && !isRepeated(x.shape, shape)
    ? mul(x, div(1, y))
    : null;
}

/** x + y, with broadcasting. */
export const add: BinaryOperation = binary("add", {
  onnx: "Add",
  simplify: simplifySum,
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
  simplify: negated,
  derivative: (g) => neg(g),
});

/** x − y, with broadcasting. */
export const sub = binary("sub", {
  onnx: "Sub",
  simplify: simplifyDifference,
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
  simplify: simplifyProduct,
  commutes: true,
  derivative: (g, x, y) => [mul(g, y), mul(g, x)],
});

/** x / y, with broadcasting. */
export const div = binary("div", {
  onnx: "Div",
  evaluate: (x, y) => x / y,
  identity: 1,
  simplify: simplifyQuotient,
  derivative: (g, _x, y, z) => [div(g, y), neg(mul(div(g, y), z))],
  domains: [[[-2, 2]], [[0.5, 2]]],
});
