// Reverse-mode differentiation: the result is again nodes, so it can be differentiated again.
import { check } from "../base/errors.js";
import { formatShape, sameShape, type Shape } from "../base/shape.js";
import { topological } from "../graph/function.js";
import { constant, inputsOf, type Node } from "../graph/node.js";
import { add } from "../ops/arithmetic.js";
import { broadcastTo, sum } from "../ops/reduce.js";
import { reshape } from "../ops/reshape.js";

/** Sums a cotangent back to the shape its source had before broadcasting. */
function sumTo(g: Node, shape: Shape): Node {
  if (sameShape(g.shape, shape)) return g;
  const extra = g.shape.length - shape.length;
  const axes = g.shape.flatMap((d, i) => (i < extra || (shape[i - extra] === 1 && d !== 1) ? [i] : []));
  return reshape(sum(g, { axes }), shape);
}

/** Nodes on some path from `sources` to `output`. */
function nodesBetween(order: readonly Node[], sources: readonly Node[]): Set<Node> {
  const reached = new Set<Node>(sources);
  for (const node of order) if (inputsOf(node).some((child) => reached.has(child))) reached.add(node);
  return reached;
}

export interface GradientOptions {
  /** Cotangent of `output`, of its shape; default 1 (then `output` must be a scalar). */
  readonly cotangent?: Node;
}

/**
 * Σ cotangent · ∂output/∂sources, one node per source and of its shape (zeros where nothing depends on it).
 * Throws when `output` is not a scalar and no cotangent is given.
 */
export function gradient(output: Node, sources: readonly Node[], options: GradientOptions = {}): Node[] {
  const seed = options.cotangent ?? constant(1);
  check(
    sameShape(seed.shape, output.shape),
    "gradient",
    `a cotangent of shape ${formatShape(output.shape)}`,
    () => (options.cotangent ? formatShape(seed.shape) : "none, which needs a scalar"),
  );
  const order = topological([output]);
  const relevant = nodesBetween(order, sources);
  const cotangents = new Map<Node, Node>([[output, seed]]);
  for (const node of order.reverse()) {
    const g = cotangents.get(node);
    if (g === undefined || node.kind !== "op" || !relevant.has(node) || !node.op.derivative) continue;
    node.op.derivative(g, node).forEach((part, i) => {
      const child = node.inputs[i];
      if (part === null || child === undefined || !relevant.has(child) || child.dtype !== "float32") return;
      const unbroadcast = sumTo(part, child.shape);
      const before = cotangents.get(child);
      cotangents.set(child, before === undefined ? unbroadcast : add(before, unbroadcast));
    });
  }
  return sources.map((source) => cotangents.get(source) ?? broadcastTo(0, source.shape));
}
