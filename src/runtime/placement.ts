// Which operations a provider does not take: asked of ONNX Runtime itself, before anything runs.
import { resolveDim, resolveShape, type Dim } from "../base/shape.js";
import { fail } from "../base/errors.js";
import { graphFunction, topological } from "../graph/function.js";
import { apply, input, type Attribute, type Attributes, type Node, type OpNode } from "../graph/node.js";
import { exportFunction } from "../onnx/export.js";
import type { Engine } from "./engine.js";

/** Any batch size: with a fixed one no shapes are computed, which the processor does on every provider. */
const batch = 2;

const fixed = (value: Attribute): Attribute =>
  // Of lists, attributes hold numbers and dimensions only.
  Array.isArray(value) ? (value as readonly Dim[]).map((d) => resolveDim(d, batch)) : value;

const fixedAttributes = ({ attributes }: OpNode): Attributes =>
  Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, fixed(value)]));

/** What decides where a node runs. */
const kindOf = (node: OpNode): string => {
  const types = node.inputs.map(({ kind, dtype, shape }) => [
    kind === "constant",
    dtype,
    resolveShape(shape, batch),
  ]);
  const plain = Object.entries(fixedAttributes(node)).map(([key, value]) =>
    typeof value === "object" && "dtype" in value ? [key, value.dtype, value.shape] : [key, value],
  );
  return JSON.stringify([node.op.name, types, plain]);
};

/** Whole numbers straight from the host: turning them into others there costs no way back and forth. */
const readsHost = ({ inputs }: OpNode): boolean =>
  inputs.every(({ kind, dtype }) => kind === "constant" || (kind === "input" && dtype !== "float32"));

/** One node of each kind among those that `roots` need. */
function kindsIn(roots: readonly Node[]): OpNode[] {
  const found = new Map<string, OpNode>();
  for (const node of topological(roots))
    if (node.kind === "op" && !readsHost(node)) {
      const kind = kindOf(node);
      if (!found.has(kind)) found.set(kind, node);
    }
  return [...found.values()];
}

/** The nodes side by side, each on inputs of its own. */
function sideBySide(nodes: readonly OpNode[]) {
  const copies = nodes.map((node, i) => {
    const inputs = node.inputs.map((x, j) =>
      x.kind === "constant" ? x : input(`${i}.${j}`, resolveShape(x.shape, batch), x.dtype),
    );
    return apply(node.op, inputs, fixedAttributes(node));
  });
  const inputs = copies.flatMap((copy) => copy.inputs.flatMap((x) => (x.kind === "input" ? [x] : [])));
  return graphFunction("placement", inputs, Object.fromEntries(copies.map((copy, i) => [`out${i}`, copy])));
}

/** Those among `nodes` that the engine's provider does not take, by halving. */
async function refused(engine: Engine, nodes: readonly OpNode[]): Promise<readonly OpNode[]> {
  if (nodes.length === 0) return [];
  const file = exportFunction(sideBySide(nodes), { target: await engine.target() });
  if (await engine.takes(file)) return [];
  if (nodes.length === 1) return nodes;
  const half = Math.ceil(nodes.length / 2);
  return [...(await refused(engine, nodes.slice(0, half))), ...(await refused(engine, nodes.slice(half)))];
}

const describe = ({ op, scope, inputs, dtype }: OpNode): string =>
  `'${op.name}' (${inputs.map((x) => x.dtype).join(", ")} → ${dtype})${scope === "" ? "" : ` in ${scope}`}`;

/** Throws, naming the first of them, where the provider takes not all operations that `roots` need. */
export async function checkPlacement(engine: Engine, name: string, roots: readonly Node[]): Promise<void> {
  if (engine.provider === "cpu") return;
  const [first, ...others] = await refused(engine, kindsIn(roots));
  if (first === undefined) return;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  fail(`${name} on ${engine.provider}`, "operations that run there", describe(first) + more, "provider cpu");
}
