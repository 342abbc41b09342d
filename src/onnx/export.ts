// Graphs as ONNX files: a plain function, or a function iterated in a Loop. Standard domain only.
import { toBinary } from "@bufbuild/protobuf";
import { fromNumbers, type Tensor } from "../base/tensor.js";
import { graphFunction, topological, type GraphFunction } from "../graph/function.js";
import { inputsOf, type InputNode, type Node } from "../graph/node.js";
import { anyRuntime } from "../graph/op.js";
import { ModelProtoSchema, type ValueInfoProto } from "./generated/onnx_pb.js";
import { graphProto, modelProto, valueInfo } from "./proto.js";
import { Constants, GraphWriter, type WriterOptions } from "./writer.js";

export interface ExportOptions extends WriterOptions {
  /** Inputs that become initializers of the same name: weights. Keyed by input name. */
  readonly weights?: Readonly<Record<string, Tensor>>;
  /** Key–value pairs stored in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Weights that become initializers are constants to whoever runs the file. */
const writerOptions = ({ target = anyRuntime, weights, ...options }: ExportOptions): WriterOptions => ({
  ...options,
  target: weights ? { ...target, constantFilters: true } : target,
});

const infoOf = (node: InputNode): ValueInfoProto => valueInfo(node.name, node.dtype, node.shape);

/** `fn` as an ONNX file. */
export function exportFunction(fn: GraphFunction, options: ExportOptions = {}): Uint8Array {
  const constants = new Constants();
  const writer = new GraphWriter(constants, "", writerOptions(options));
  const weights = options.weights ?? {};
  for (const node of fn.inputs) writer.bind(node, node.name);
  for (const node of fn.inputs) {
    const value = weights[node.name];
    if (value) constants.addNamed(node.name, value);
  }
  const outputs = Object.entries(fn.outputs);
  writer.finish(outputs);
  const graph = graphProto({
    name: fn.name,
    node: writer.nodeProtos,
    input: fn.inputs.filter((node) => !(node.name in weights)).map(infoOf),
    output: outputs.map(([name, node]) => valueInfo(name, node.dtype, node.shape)),
    initializer: constants.initializers,
  });
  return toBinary(ModelProtoSchema, modelProto(graph, options.metadata));
}

/** One iteration of a loop, as a pure function of state, slices and constants. */
export interface LoopFunction {
  readonly name: string;
  /** State: the input's value in one iteration is `next` of the one before. */
  readonly carried: readonly { readonly input: InputNode; readonly next: Node }[];
  /** Inputs that differ by iteration: outside they have a leading axis [steps, …]. */
  readonly scanned: readonly InputNode[];
  /** Inputs that are the same in every iteration. */
  readonly invariant: readonly InputNode[];
  /** Results of each iteration, stacked along a leading axis [steps, …]. */
  readonly outputs: Readonly<Record<string, Node>>;
  /** A boolean scalar; when it is false no further iteration runs (this one counts). */
  readonly proceed?: Node;
}

/** Name under which a loop returns the last value of the state `name`. */
export const nextName = (name: string): string => `${name}.next`;

/** One iteration of `fn` as a function: states and slices in, the next states, `outputs` and `proceed` out. */
export function iterationOf({
  name,
  carried,
  scanned,
  invariant,
  outputs,
  proceed,
}: LoopFunction): GraphFunction {
  const next = carried.map((state) => [nextName(state.input.name), state.next] as const);
  const inputs = [...carried.map((state) => state.input), ...scanned, ...invariant];
  return graphFunction(name, inputs, {
    ...Object.fromEntries(next),
    ...outputs,
    ...(proceed && { proceed }),
  });
}

export interface ExportLoopOptions extends ExportOptions {
  /** Values of states in the first iteration, by name; these states are then no inputs of the file. */
  readonly begin?: GraphFunction;
  /** How often the body runs; left out: the file's input `iterations` says it. */
  readonly iterations?: number;
}

/**
 * The nodes among those of `roots` that are the same in every iteration and that others need: what depends on `inputs`
 * alone. Repetitions stay where they are used, since operators repeat by themselves.
 */
function sameInAll(roots: readonly Node[], inputs: ReadonlySet<Node>): Node[] {
  const all = topological(roots);
  const same = new Set<Node>();
  for (const node of all) {
    const parts = inputsOf(node).filter((part) => part.kind !== "constant");
    const fixed = parts.length > 0 && parts.every((part) => inputs.has(part) || same.has(part));
    if (node.kind === "op" && node.op.repeats !== true && fixed) same.add(node);
  }
  const needed = new Set([...roots, ...all.filter((node) => !same.has(node)).flatMap(inputsOf)]);
  return [...same].filter((node) => needed.has(node));
}

/** `fn` as an ONNX file: input `iterations` (int64 scalar) says how often the body runs. */
export function exportLoop(fn: LoopFunction, options: ExportLoopOptions = {}): Uint8Array {
  const { begin, iterations } = options;
  const constants = new Constants();
  const outer = new GraphWriter(constants, "", writerOptions(options));
  const starting = Object.entries(begin?.outputs ?? {});
  for (const node of begin?.inputs ?? []) outer.bind(node, node.name);
  const values = outer.write(starting.map(([, node]) => node));
  const starts = new Map(starting.map(([name], i) => [name, values[i] ?? name]));
  if (iterations !== undefined) constants.addNamed("iterations", fromNumbers("int64", [], [iterations]));
  // ONNX Runtime prepares filters for its blocked convolutions where they are constants of the same graph only.
  const inner = new Constants("body/");
  const body = new GraphWriter(inner, "body/", writerOptions(options));
  const weights = options.weights ?? {};
  for (const node of fn.invariant) {
    body.bind(node, node.name);
    const value = weights[node.name];
    if (value) inner.addNamed(node.name, value);
  }
  for (const { input } of fn.carried) body.bind(input, `body/${input.name}`);
  const given = fn.invariant.filter(({ name }) => !(name in weights));
  for (const node of given) outer.bind(node, node.name);
  const same = sameInAll(Object.values(iterationOf(fn).outputs), new Set(given));
  outer.write(same).forEach((name, i) => {
    const node = same[i];
    if (node) body.bind(node, name);
  });
  body.enter("batch");
  for (const node of fn.scanned)
    body.bind(node, body.node("Gather", [node.name, "body/iteration"], { axis: 0 }));
  const carriedOut = fn.carried.map(({ input, next }) => [`body/${nextName(input.name)}`, next] as const);
  const stacked = Object.entries(fn.outputs).map(([name, node]) => [`body/${name}`, node] as const);
  const results = [...carriedOut, ...stacked];
  if (!fn.proceed) {
    body.enter("outputs");
    body.push("Identity", ["body/condition"], ["body/proceed"]);
  }
  body.finish([...(fn.proceed ? [["body/proceed", fn.proceed] as const] : []), ...results]);
  const bodyGraph = graphProto({
    name: `${fn.name}.body`,
    node: body.nodeProtos,
    input: [
      valueInfo("body/iteration", "int64", []),
      valueInfo("body/condition", "bool", []),
      ...fn.carried.map(({ input }) => valueInfo(`body/${input.name}`, input.dtype, input.shape)),
    ],
    output: [
      valueInfo("body/proceed", "bool", []),
      ...results.map(([name, node]) => valueInfo(name, node.dtype, node.shape)),
    ],
    initializer: inner.initializers,
  });
  outer.push(
    "Loop",
    ["iterations", "", ...fn.carried.map(({ input: { name } }) => starts.get(name) ?? name)],
    [...fn.carried.map(({ input }) => nextName(input.name)), ...Object.keys(fn.outputs)],
    { body: bodyGraph },
  );
  const graph = graphProto({
    name: fn.name,
    node: outer.nodeProtos,
    input: [
      ...(iterations === undefined ? [valueInfo("iterations", "int64", [])] : []),
      ...fn.carried.filter(({ input }) => !starts.has(input.name)).map(({ input }) => infoOf(input)),
      ...(begin?.inputs ?? []).filter((node) => !fn.invariant.includes(node)).map(infoOf),
      ...fn.scanned.map((node) => valueInfo(node.name, node.dtype, node.shape, "steps")),
      ...fn.invariant.filter((node) => !(node.name in weights)).map(infoOf),
    ],
    output: [
      ...fn.carried.map(({ input, next }) => valueInfo(nextName(input.name), next.dtype, next.shape)),
      ...Object.entries(fn.outputs).map(([name, node]) => valueInfo(name, node.dtype, node.shape, "steps")),
    ],
    initializer: constants.initializers,
  });
  return toBinary(ModelProtoSchema, modelProto(graph, options.metadata));
}
