// Networks for gradient attacks: ReLU after max-pooling instead of before it, where it is on fewer elements.
import { apply, inputsOf, type Node } from "../graph/node.js";
import { rebuild, rewrite, topological } from "../graph/function.js";
import { maxPool } from "../ops/max-pool.js";
import { relu } from "../ops/piecewise.js";

/** Nodes that more than one other uses. */
function usedTwice(node: Node): ReadonlySet<Node> {
  const [once, twice] = [new Set<Node>(), new Set<Node>()];
  for (const each of topological([node]))
    for (const child of inputsOf(each)) (once.has(child) ? twice : once).add(child);
  return twice;
}

/**
 * `node` with relu(maxPool z) for each maxPool(relu z): equal in value, since max and relu are monotone, and in all
 * derivatives, since relu′(0) = 0 leaves nothing of a window whose maximum is 0 or less, and the first maximum of
 * another is the same.
 */
export function reluAfterPooling(node: Node): Node {
  const kept = usedTwice(node);
  const moved = rewrite({ name: "pooled", inputs: [], outputs: { node } }, (each, inputs) => {
    const rebuilt = rebuild(each, inputs);
    const [before] = inputs;
    if (each.kind !== "op" || each.op !== maxPool.op || before?.kind !== "op") return rebuilt;
    if (before.op !== relu.op || inputsOf(each).some((child) => kept.has(child))) return rebuilt;
    const pooled = { ...apply(maxPool.op, before.inputs, each.attributes), scope: each.scope };
    return { ...apply(relu.op, [pooled], before.attributes), scope: before.scope };
  });
  return moved.outputs["node"] ?? node;
}
