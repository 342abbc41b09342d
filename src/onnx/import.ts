// ONNX files as graphs: one input, one output, each node written by the builder of its operator.
import { check, fail, TemperError } from "../base/errors.js";
import type { NoiseRequest } from "../base/noise.js";
import { formatShape } from "../base/shape.js";
import { toNumbers, type Tensor } from "../base/tensor.js";
import { topological } from "../graph/function.js";
import { scope, type Node } from "../graph/node.js";
import { callOf, type CallContext } from "./call.js";
import { builderOf } from "./domains.js";
import type { ExternalData, StoredTensor } from "./read-tensor.js";
import { readOnnx, type OnnxNode } from "./read.js";
import { inputOf, outputOf, type InputSignature } from "./signature.js";
import { valueOfTensor, type Value } from "./value.js";

/** Operator sets that ONNX Runtime 1.30 runs and whose differences the builders know. */
const opsets = { oldest: 7, newest: 26 } as const;

export interface ImportedGraph {
  readonly name: string;
  readonly opset: number;
  readonly input: InputSignature;
  readonly output: string;
  /** The nodes that the output needs, in order. */
  readonly nodes: readonly OnnxNode[];
  /** Initializers, and the tensors of Constant nodes, that the output needs. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** What was decided on the way. */
  readonly notes: readonly string[];
}

export interface ImportOptions {
  /** Which output to take; needed where several could be the logits. */
  readonly output?: string;
  /** The shape of one sample, where the file leaves sizes open; files that fix them are not changed by it. */
  readonly inputShape?: readonly number[];
  /** Reads files beside the model that hold tensors; without it they are refused. */
  readonly external?: ExternalData;
}

/** A node in errors: `Conv 'conv1'`. */
export const labelOf = ({ operator, name, outputs }: OnnxNode): string =>
  `${operator} '${name || (outputs[0] ?? "")}'`;

/** Nodes that `output` needs, in the file's order, and the names that they read. */
function neededBy(output: string, nodes: readonly OnnxNode[]): { nodes: OnnxNode[]; names: Set<string> } {
  const names = new Set([output]);
  const needed = nodes.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some((name) => name !== "" && names.has(name))) return false;
    for (const name of inputs) names.add(name);
    return true;
  });
  return { nodes: needed.reverse(), names };
}

/** Tensors in Constant nodes are initializers by another name. */
function liftConstants(nodes: readonly OnnxNode[]): { tensors: [string, StoredTensor][]; nodes: OnnxNode[] } {
  const tensors: [string, StoredTensor][] = [];
  const others = nodes.filter(({ operator, attributes: { value }, outputs: [name = ""] }) => {
    if (operator !== "Constant" || typeof value !== "object" || !("dtype" in value)) return true;
    tensors.push([name, value]);
    return false;
  });
  return { tensors, nodes: others };
}

function checkNumbers(name: string, value: Tensor): void {
  const at = value.dtype === "float32" ? toNumbers(value).findIndex(Number.isNaN) : -1;
  check(at < 0, `tensor '${name}'`, "numbers", () => `NaN at element ${at}`);
}

/** Reads the bytes of an ONNX file; everything that can be refused without building the graph is refused here. */
export function importGraph(bytes: Uint8Array, options: ImportOptions = {}): ImportedGraph {
  const file = readOnnx(bytes, options.external);
  const { opset } = file;
  const supported = opset >= opsets.oldest && opset <= opsets.newest;
  check(supported, "model", `an operator set from ${opsets.oldest} to ${opsets.newest}`, () => String(opset));
  const { name: output, notes } = outputOf(file, options.output);
  const { nodes: needed, names } = neededBy(output, file.nodes);
  const input = inputOf(file, names, options.inputShape);
  needed.forEach(builderOf);
  const { tensors: constants, nodes } = liftConstants(needed);
  const tensors = new Map([...file.tensors, ...constants].filter(([name]) => names.has(name)));
  for (const [name, value] of tensors) checkNumbers(name, value);
  return {
    name: file.name,
    opset,
    input,
    output,
    nodes,
    tensors,
    metadata: file.metadata,
    notes,
  };
}

export interface BuildOptions {
  /** Nodes to use in place of tensors of the file: weights. */
  readonly value?: (name: string) => Node | undefined;
  /** Nodes to build in the place of nodes of the file: nothing where a softmax is left out. */
  readonly replaced?: ReadonlyMap<OnnxNode, OnnxNode>;
  /** Called with the first output of each node; returns what flows on. */
  readonly visit?: (node: OnnxNode, value: Value) => Value;
  readonly note?: (text: string) => void;
  /** Answers what random operators ask of the host; without it they are refused. */
  readonly draw?: (request: NoiseRequest) => Node;
  /** Whether dropout draws, though it is written for inference; default false. */
  readonly dropsOut?: boolean;
  /** Told the names of tensors whose numbers were needed while building: they cannot be parameters. */
  readonly readStatically?: (name: string) => void;
}

/** Puts the node in front of what its builder throws. */
function labelled<T>(node: OnnxNode, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof TemperError) throw new TemperError(`${labelOf(node)}: ${error.message}`);
    throw error;
  }
}

function valueAt(values: ReadonlyMap<string, Value>, name: string, made: ReadonlySet<string>): Value {
  const found = values.get(name);
  if (found !== undefined) return found;
  const got = made.has(name)
    ? "one of the further outputs, which Temper does not compute"
    : "no such value before it";
  return fail(`input '${name}'`, "a value computed by an earlier node", got);
}

/** The node's name without what Temper's own files put behind a scope, so that names do not grow by each trip. */
export const scopeOf = ({ name, operator, outputs }: OnnxNode): string =>
  name.replace(new RegExp(`(^|/)${operator}_\\d+$`), "") || (name === "" ? (outputs[0] ?? "") : "");

/** Which tensors of the file the node is made of. */
function tensorsIn(node: Node, values: ReadonlyMap<string, Value>): string[] {
  const parts = new Set<Value>(topological([node]));
  return [...values].filter(([, value]) => parts.has(value)).map(([name]) => name);
}

/** Throws where one image is more than fits: sizes from damaged files. */
function checkSize(value: Value): void {
  const { shape } = value;
  const perImage = shape.reduce<number>((n, d) => n * (typeof d === "number" ? d : d.batch + d.plus), 1);
  check(perImage < 2 ** 31, "result", "fewer than 2^31 elements an image", () => formatShape(shape));
}

/** Builds the graph over `x`; returns every value by name. */
export function buildGraph(
  graph: ImportedGraph,
  x: Node,
  options: BuildOptions = {},
): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>([[graph.input.name, x]]);
  for (const [name, value] of graph.tensors) values.set(name, options.value?.(name) ?? valueOfTensor(value));
  const made = new Set<string>();
  const context: CallContext = {
    opset: graph.opset,
    fixedBatch: graph.input.batch === null ? null : { fixed: graph.input.batch, size: x.shape[0] ?? 1 },
    note: options.note ?? (() => undefined),
    draw: options.draw ?? null,
    dropsOut: options.dropsOut ?? false,
    readStatically: (node) => {
      if (options.readStatically) tensorsIn(node, values).forEach(options.readStatically);
    },
  };
  for (const node of graph.nodes)
    labelled(node, () => {
      const built = options.replaced?.get(node) ?? node;
      const inputs = built.inputs.map((name) => (name === "" ? undefined : valueAt(values, name, made)));
      const call = callOf(built, inputs, context);
      const result = scope(scopeOf(node), () => builderOf(built)(call));
      const results = Array.isArray(result) ? (result as readonly (Value | undefined)[]) : [result as Value];
      node.outputs.forEach((name, i) => {
        const value = results[i];
        if (value !== undefined) {
          checkSize(value);
          values.set(name, i === 0 && options.visit ? options.visit(node, value) : value);
        }
        made.add(name);
      });
    });
  return values;
}

/** The value named `output` as a float32 node. */
export function outputNode(values: ReadonlyMap<string, Value>, output: string): Node {
  const value = values.get(output);
  if (value === undefined) return fail(`output '${output}'`, "a value that some node computes", "none");
  if (value.kind === "known") return fail(`output '${output}'`, "a function of the input", "a constant");
  check(value.dtype === "float32", `output '${output}'`, "floats", () => value.dtype);
  return value;
}
