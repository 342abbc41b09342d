// Reverse-mode differentiation: the result is again nodes, so it can be differentiated again.
import { check } from "../base/errors.js";
import { formatShape, sameShape, type Shape } from "../base/shape.js";
import { topological } from "../graph/function.js";
import { constant, inputsOf, scope, scopeBehind, type Node, type OpNode } from "../graph/node.js";
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

/** The input that `node` is a view of, as a bias is of which only the shape changes. */
function viewed(node: Node): Node {
  let current = node;
  while (current.kind === "op" && current.inputs.length === 1) current = current.inputs[0] ?? current;
  return current;
}

/** `weight` for the parameter `conv2.weight`; null for what is none. */
function parameterName(child: Node): string | null {
  const held = viewed(child);
  return held.kind === "input" && held.name.includes(".") ? (held.name.split(".").at(-1) ?? null) : null;
}

/** What the cotangent of each input is called: after the parameter, `input` beside one, else nothing. */
function partNames(children: readonly Node[]): readonly (string | null)[] {
  const names = children.map(parameterName);
  return names.map((name) => name ?? (names.some((each) => each !== null) ? "input" : null));
}

/** `part` under `name`; what was there before this derivative was taken keeps its own. */
const named = (part: Node, name: string, known: readonly Node[]): Node =>
  known.includes(part) || part.kind !== "op" ? part : { ...part, scope: `${part.scope}/${name}` };

/** Cotangents of the inputs of `node` in their shapes, under `<its scope>/gradient`; null where nothing flows. */
const partsOf = (g: Node, node: OpNode, relevant: ReadonlySet<Node>): readonly (Node | null)[] =>
  scopeBehind(node, "gradient", () => {
    const parts = node.op.derivative?.(g, node) ?? [];
    const names = partNames(node.inputs);
    return node.inputs.map((child, i) => {
      const [part, name = null] = [parts[i] ?? null, names[i]];
      if (part === null || !relevant.has(child) || child.dtype !== "float32") return null;
      if (name === null) return sumTo(part, child.shape);
      const own = named(part, name, [g, node, ...node.inputs]);
      return scope(name, () => sumTo(own, child.shape));
    });
  });

export interface GradientOptions {
  /** Cotangent of `output`, of its shape; default 1 (then `output` must be a scalar). */
  readonly cotangent?: Node;
}

/**
 * Σ cotangent · ∂output/∂sources, one node per source and of its shape (zeros where nothing depends on it).
 * Throws when `output` is not a scalar and no cotangent is given. Nodes of the derivative of `conv2` carry its scope:
 * `conv2/gradient`, with the name of the parameter, or `input`, behind it.
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
    partsOf(g, node, relevant).forEach((part, i) => {
      const child = node.inputs[i];
      if (part === null || child === undefined) return;
      const before = cotangents.get(child);
      const both = (first: Node): Node => scopeBehind(node, "gradient", () => add(first, part));
      cotangents.set(child, before === undefined ? part : both(before));
    });
  }
  return sources.map((source) => cotangents.get(source) ?? broadcastTo(0, source.shape));
}
