// Simplification: fold constants, apply each operation's own cheaper forms, share equal nodes, fuse what is used once;
// unused nodes drop out.
import { count, isStatic } from "../base/shape.js";
import { fromNumbers } from "../base/tensor.js";
import { rebuild, rewrite, topological, type GraphFunction } from "./function.js";
import { toArray64 } from "./interpret.js";
import { constant, inputsOf, scopeAs, type Attribute, type Node, type OpNode } from "./node.js";
import { verify } from "./verify.js";

/** Constants above this size stay as they are: folding would only make the file larger. */
const foldLimit = 4096;

function folded(node: OpNode): Node | null {
  if (!isStatic(node.shape) || count(node.shape) > foldLimit || node.inputs.length === 0) return null;
  const inputs = node.inputs.flatMap((child) => (child.kind === "constant" ? [toArray64(child.value)] : []));
  if (inputs.length < node.inputs.length) return null;
  const data = node.op.evaluate(inputs, node.attributes, node.shape, NaN);
  return data.some(Number.isNaN) ? null : constant(fromNumbers(node.dtype, node.shape, data));
}

const foldOnce = (fn: GraphFunction, expanding: boolean): GraphFunction =>
  rewrite(fn, (node, inputs) => {
    let current = rebuild(node, inputs);
    while (current.kind === "op") {
      const op: OpNode = current;
      const next = scopeAs(
        op.scope,
        () => folded(op) ?? op.op.simplify?.(op) ?? (expanding ? op.op.expand?.(op) : null) ?? null,
      );
      if (next === null) return op;
      current = next;
    }
    return current;
  });

/** Folds until nothing changes: what a rule makes may be simplified further. */
function fold(fn: GraphFunction, expanding: boolean): GraphFunction {
  const next = foldOnce(fn, expanding);
  const changed = Object.entries(next.outputs).some(([name, node]) => fn.outputs[name] !== node);
  return changed ? fold(next, expanding) : fn;
}

const attributeKey = (value: Attribute, identity: (object: object) => number): string =>
  typeof value === "object" && "data" in value ? `#${identity(value)}` : JSON.stringify(value);

/** Gives equal objects equal numbers; for keys. */
function numbering(): (object: object) => number {
  const numbers = new Map<object, number>();
  return (object) => {
    const found = numbers.get(object) ?? numbers.size;
    numbers.set(object, found);
    return found;
  };
}

/** Merges nodes of the same operation, attributes and inputs, and small equal constants. */
function share(fn: GraphFunction): GraphFunction {
  const identity = numbering();
  const known = new Map<string, Node>();
  const keyOf = (node: Node): string => {
    if (node.kind === "input") return `input ${identity(node)}`;
    if (node.kind === "constant")
      return node.value.data.length > 64
        ? `constant ${identity(node.value.data)} ${node.value.shape.join()}`
        : `constant ${node.dtype} [${node.value.shape.join()}] ${[...node.value.data].map((x) => (Object.is(x, -0) ? "-0" : x)).join()}`;
    const attributes = Object.entries(node.attributes).map(([k, v]) => `${k}=${attributeKey(v, identity)}`);
    const operands = node.inputs.map(identity);
    if (node.op.commutes === true) operands.sort((a, b) => a - b);
    return `${node.op.name} ${node.dtype} (${operands.join()}) ${attributes.sort().join(" ")}`;
  };
  return rewrite(fn, (node, inputs) => {
    const rebuilt = rebuild(node, inputs);
    const key = keyOf(rebuilt);
    const found = known.get(key) ?? rebuilt;
    known.set(key, found);
    return found;
  });
}

/** `node` with equal nodes merged: what is one before differentiation is walked back once. */
export function shared(node: Node): Node {
  return share({ name: "shared", inputs: [], outputs: { node } }).outputs["node"] ?? node;
}

/** How often each node is used, by other nodes and as an output. */
function usesIn(fn: GraphFunction): ReadonlyMap<Node, number> {
  const uses = new Map<Node, number>();
  const count = (node: Node): unknown => uses.set(node, (uses.get(node) ?? 0) + 1);
  const outputs = Object.values(fn.outputs);
  for (const node of topological(outputs)) inputsOf(node).forEach(count);
  outputs.forEach(count);
  return uses;
}

/** Products that `node` may take in: the nearest below it, as far as nothing else uses what lies between. */
function productsBelow(node: OpNode, single: (input: Node) => boolean): OpNode[] {
  const [queue, found]: [OpNode[], OpNode[]] = [[node], []];
  for (const each of queue)
    for (const child of each.inputs)
      if (child.kind === "op" && single(child))
        (child.op.multiplyAdds === undefined ? queue : found).push(child);
  return found;
}

/** A product that took others' places, each under the scope of the one that it replaces: that is what takes the time. */
function named(made: Node, replaced: readonly OpNode[]): Node {
  if (made.kind !== "op" || made.op.multiplyAdds === undefined || replaced.includes(made)) return made;
  const place = replaced.find(({ inputs }) => inputs[0] === made.inputs[0]);
  if (place === undefined) return made;
  return { ...made, scope: place.scope, inputs: made.inputs.map((child) => named(child, replaced)) };
}

/** What `node` becomes with inputs taken in; null where it takes none. */
function fusedNode(node: OpNode, single: (input: Node) => boolean): Node | null {
  const fused = node.op.fuse && scopeAs(node.scope, () => node.op.fuse?.(node, single) ?? null);
  if (!fused || fused.kind !== "op") return fused ?? null;
  const replaced = productsBelow(node, single);
  if (fused.op.multiplyAdds !== undefined) return named(fused, replaced);
  return { ...fused, inputs: fused.inputs.map((child) => named(child, replaced)) };
}

/** Takes nodes that are used once into the one that uses them, where an operation knows how. */
function fuse(fn: GraphFunction): GraphFunction {
  const uses = usesIn(fn);
  const imageUses = new Map<Node, number>();
  return rewrite(fn, (node, inputs) => {
    const rebuilt = rebuild(node, inputs);
    const single = (input: Node): boolean => imageUses.get(input) === 1;
    const fused = rebuilt.kind === "op" ? (fusedNode(rebuilt, single) ?? rebuilt) : rebuilt;
    imageUses.set(fused, (imageUses.get(fused) ?? 0) + (uses.get(node) ?? 0));
    return fused;
  });
}

/** Rules that know an operation as a whole come before it is expanded. */
const passes: readonly ((fn: GraphFunction) => GraphFunction)[] = [
  (fn) => fold(fn, false),
  share,
  (fn) => fold(fn, true),
  share,
  fuse,
  share,
];

/** The same function in fewer nodes; verified after each pass. */
export const simplify = (fn: GraphFunction): GraphFunction =>
  passes.reduce((current, pass) => verify(pass(current)), fn);
