// The nodes of an ONNX file's graph – or of its loop's body – in the order in which ONNX Runtime executes them.
import { fromBinary } from "@bufbuild/protobuf";
import type { DType, Tensor } from "../../base/tensor.js";
import {
  ModelProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from "../../onnx/generated/onnx_pb.js";
import { readTensor } from "../../onnx/read-tensor.js";
import { resultsOf, type Integers, type Value } from "./shapes.js";

export interface Executed {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** What runs, and every value in it. */
export interface Execution {
  readonly nodes: readonly Executed[];
  readonly values: ReadonlyMap<string, Value>;
  /** Names of the values that the graph returns. */
  readonly outputs: readonly string[];
}

/** Sizes by the names that files give them: `batch`, `steps`. */
export type Sizes = Readonly<Record<string, number>>;

const elementTypes: Readonly<Record<number, DType>> = { 2: "uint8", 6: "int32", 7: "int64", 9: "bool" };

/** `2*batch+1` → 2 · sizes.batch + 1. */
function sizeNamed(text: string, sizes: Sizes): number {
  const [, factor = "1", name = "", plus = "0"] = /^(?:(\d+)\*)?(\w+)([+-]\d+)?$/.exec(text) ?? [];
  return Number(factor) * (sizes[name] ?? 1) + Number(plus);
}

function declared({ type }: ValueInfoProto, sizes: Sizes): Value {
  if (type?.value.case !== "tensorType") return { shape: [], dtype: "float32" };
  const { elemType, shape } = type.value.value;
  const dims = shape?.dim.map(({ value }) =>
    value.case === "dimValue" ? Number(value.value) : sizeNamed(value.value ?? "", sizes),
  );
  return { shape: dims ?? [], dtype: elementTypes[elemType] ?? "float32" };
}

/** Longer constants are no shapes. */
const knownLength = 16;

const constantOf = ({ shape, dtype, data }: Tensor): Value => ({
  shape,
  dtype,
  ...(data.length <= knownLength && { known: Array.from(data, Number) }),
});

const integersOf = (attributes: readonly AttributeProto[]): Integers =>
  Object.fromEntries(
    attributes.map(({ name, i, ints }) => [name, ints.length > 0 ? ints.map(Number) : [Number(i)]]),
  );

/** An output's copy goes where the value is made for it alone; other copies stay. */
function withoutCopies(nodes: readonly NodeProto[], outputs: readonly string[]) {
  const made = new Set(nodes.flatMap(({ output }) => output));
  const uses = new Map<string, number>();
  for (const { input } of nodes) for (const name of input) uses.set(name, (uses.get(name) ?? 0) + 1);
  const sources = new Map<string, string>();
  for (const { opType, input, output } of nodes) {
    const [from = "", to = ""] = [input[0], output[0]];
    const stays = outputs.includes(to) && !(made.has(from) && uses.get(from) === 1);
    if (opType === "Identity" && !stays) sources.set(to, from);
  }
  const sourceOf = (name: string): string => {
    const source = sources.get(name);
    return source === undefined ? name : sourceOf(source);
  };
  const kept = nodes.filter(({ output }) => !sources.has(output[0] ?? ""));
  return { kept, sourceOf };
}

/** Depth first from the last node whose results nothing uses, inputs of late nodes before those of early ones. */
export function executionOrder<N extends Executed>(nodes: readonly N[]): N[] {
  const makers = new Map(nodes.flatMap((node, i) => node.outputs.map((name) => [name, i] as const)));
  const before = nodes.map(({ inputs }) => {
    const found = inputs.flatMap((name) => makers.get(name) ?? []);
    return [...new Set(found)].sort((a, b) => a - b);
  });
  const used = new Set(before.flat());
  const stack = nodes.flatMap((_, i) => (used.has(i) ? [] : [{ node: i, entered: false }]));
  const seen = new Set<number>();
  const order: N[] = [];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const node = nodes[top.node];
    if (top.entered && node) order.push(node);
    if (top.entered || seen.has(top.node)) continue;
    seen.add(top.node);
    stack.push({ node: top.node, entered: true });
    for (const next of before[top.node] ?? [])
      if (!seen.has(next)) stack.push({ node: next, entered: false });
  }
  return order;
}

/** The body of the graph's loop, or the graph itself where it has none. */
const bodyOf = (graph: GraphProto): GraphProto =>
  graph.node.flatMap(({ attribute }) => attribute.flatMap(({ g }) => g ?? []))[0] ?? graph;

/** What ONNX Runtime executes of the file `bytes`: one iteration of its loop, or all of it. */
export function executionOf(bytes: Uint8Array, sizes: Sizes): Execution {
  const { graph } = fromBinary(ModelProtoSchema, bytes);
  if (graph === undefined) return { nodes: [], values: new Map(), outputs: [] };
  const body = bodyOf(graph);
  const values = new Map<string, Value>(
    [...graph.input, ...body.input].map((info) => [info.name, declared(info, sizes)]),
  );
  for (const proto of [...graph.initializer, ...body.initializer])
    values.set(proto.name, constantOf(readTensor(proto)));
  const outputs = body.output.map(({ name }) => name);
  const { kept, sourceOf } = withoutCopies(body.node, outputs);
  const nodes = kept.map(({ opType, input, output, attribute }) => {
    const inputs = input.map(sourceOf);
    const results = resultsOf(
      opType,
      inputs.map((name) => values.get(name)),
      integersOf(attribute),
    );
    output.forEach((name, i) => {
      const value = results[i];
      if (value) values.set(name, value);
    });
    return { operator: opType, inputs, outputs: output };
  });
  return { nodes: executionOrder(nodes), values, outputs: outputs.map(sourceOf) };
}
