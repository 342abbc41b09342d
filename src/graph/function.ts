// A graph as a function: ordered inputs, named outputs, and the walk that orders its nodes.
import { check } from "../base/errors.js";
import { apply, inputsOf, type InputNode, type Node } from "./node.js";

export interface GraphFunction {
  readonly name: string;
  readonly inputs: readonly InputNode[];
  readonly outputs: Readonly<Record<string, Node>>;
}

/**
 * All nodes that `roots` need, each after its inputs, without those in `known` and what they alone need. Iterative:
 * graphs are deeper than the stack.
 */
export function topological(roots: readonly Node[], known: Iterable<Node> = []): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>(known);
  const stack: { node: Node; next: number }[] = roots.map((node) => ({ node, next: 0 })).reverse();
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const child = done.has(top.node) ? undefined : inputsOf(top.node)[top.next++];
    if (child !== undefined) {
      if (!done.has(child)) stack.push({ node: child, next: 0 });
      continue;
    }
    if (!done.has(top.node)) {
      done.add(top.node);
      order.push(top.node);
    }
    stack.pop();
  }
  return order;
}

/** A function of `inputs`; every input that the outputs use must be listed, names must be unique. */
export function graphFunction(
  name: string,
  inputs: readonly InputNode[],
  outputs: Readonly<Record<string, Node>>,
): GraphFunction {
  const names = new Set(inputs.map((node) => node.name));
  check(names.size === inputs.length, name, "inputs with different names", () =>
    inputs.map((node) => node.name).join(", "),
  );
  const listed = new Set<Node>(inputs);
  for (const node of topological(Object.values(outputs)))
    if (node.kind === "input")
      check(listed.has(node), name, "every input that is used to be listed", () => `unlisted '${node.name}'`);
  return { name, inputs, outputs };
}

/** Rebuilds the outputs with `replace` applied to every node, inputs first; shared nodes stay shared. */
export function rewrite(
  fn: GraphFunction,
  replace: (node: Node, inputs: readonly Node[]) => Node,
): GraphFunction {
  const image = new Map<Node, Node>();
  const imageOf = (node: Node): Node => image.get(node) ?? node;
  for (const node of topological(Object.values(fn.outputs)))
    image.set(node, replace(node, inputsOf(node).map(imageOf)));
  const outputs = Object.fromEntries(Object.entries(fn.outputs).map(([key, node]) => [key, imageOf(node)]));
  return { ...fn, outputs };
}

/** The operation of `node` on other inputs, under its own scope. */
export function rebuild(node: Node, inputs: readonly Node[]): Node {
  if (node.kind !== "op" || inputs.every((child, i) => child === node.inputs[i])) return node;
  return { ...apply(node.op, inputs, node.attributes), scope: node.scope };
}

/** The function with other nodes in place of the keys of `replacements`. */
export const substitute = (fn: GraphFunction, replacements: ReadonlyMap<Node, Node>): GraphFunction =>
  rewrite(fn, (node, inputs) => replacements.get(node) ?? rebuild(node, inputs));
