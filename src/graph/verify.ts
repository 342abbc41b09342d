// What a graph must be: checked after each pass, and the shortest description of it.
import { check } from "../base/errors.js";
import { formatShape, sameShape } from "../base/shape.js";
import { topological, type GraphFunction } from "./function.js";

/** Returns `fn` if every node has the type its shape rule gives and every input is listed; else throws. */
export function verify(fn: GraphFunction): GraphFunction {
  const listed = new Set<unknown>(fn.inputs);
  for (const node of topological(Object.values(fn.outputs))) {
    const where = `graph '${fn.name}'`;
    if (node.kind === "input") check(listed.has(node), where, "listed inputs", () => `'${node.name}'`);
    if (node.kind !== "op") continue;
    const { dtype, shape } = node.op.infer(node.inputs, node.attributes);
    check(
      dtype === node.dtype && sameShape(shape, node.shape),
      `${where}: ${node.op.name}`,
      `${dtype} ${formatShape(shape)}`,
      () => `${node.dtype} ${formatShape(node.shape)}`,
    );
  }
  return fn;
}
