// The float64 interpreter: the independent reference that every lowering and derivative is held against.
import { check } from "../base/errors.js";
import { formatShape, resolveShape } from "../base/shape.js";
import { toNumbers, type Tensor } from "../base/tensor.js";
import { topological } from "./function.js";
import { inputsOf, type Node } from "./node.js";
import type { Array64 } from "./op.js";

/** Values of the graph's inputs, by name, for one batch size. */
export interface Feeds64 {
  readonly batch: number;
  readonly values: Readonly<Record<string, Array64>>;
}

export const toArray64 = (t: Tensor): Array64 => ({ shape: t.shape, data: toNumbers(t) });

function evaluateNode(node: Node, inputs: readonly Array64[], feeds: Feeds64): Array64 {
  if (node.kind === "constant") return toArray64(node.value);
  const shape = resolveShape(node.shape, feeds.batch);
  if (node.kind === "op")
    return { shape, data: node.op.evaluate(inputs, node.attributes, shape, feeds.batch) };
  const value = feeds.values[node.name];
  check(value !== undefined, "interpreter", `a value for input '${node.name}'`, () => "none");
  check(value.shape.join() === shape.join(), `input '${node.name}'`, formatShape(shape), () =>
    formatShape(value.shape),
  );
  return value;
}

/** The values of `nodes` in float64. */
export function interpret(nodes: readonly Node[], feeds: Feeds64): Array64[] {
  const values = new Map<Node, Array64>();
  const valueOf = (node: Node): Array64 => values.get(node) ?? { shape: [], data: new Float64Array() };
  for (const node of topological(nodes))
    values.set(node, evaluateNode(node, inputsOf(node).map(valueOf), feeds));
  return nodes.map(valueOf);
}
