// ONNX's node tests (onnx/backend/test/data/node) as questions to the importer: one float input is the data, all
// others become initializers; the graph must give the expected outputs in float64 and, exported, in ONNX Runtime.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { TemperError } from "../../src/base/errors.js";
import { count } from "../../src/base/shape.js";
import { floats, fromNumbers, toNumbers, type Tensor } from "../../src/base/tensor.js";
import { graphFunction } from "../../src/graph/function.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input, type InputNode, type Node } from "../../src/graph/node.js";
import { simplify } from "../../src/graph/simplify.js";
import { exportFunction } from "../../src/onnx/export.js";
import {
  ModelProtoSchema,
  TensorProto_DataType as Kind,
  TensorProtoSchema,
  type ModelProto,
  type TensorProto,
} from "../../src/onnx/generated/onnx_pb.js";
import { knownOperators } from "../../src/onnx/domains.js";
import { buildGraph, importGraph } from "../../src/onnx/import.js";
import { nodeProto, tensorProto, valueInfo } from "../../src/onnx/proto.js";
import { readTensor } from "../../src/onnx/read-tensor.js";
import { refusals } from "../../src/onnx/refusals.js";
import { asNode, type Value } from "../../src/onnx/value.js";
import { cast } from "../../src/ops/index.js";
import type { Engine } from "../../src/runtime/engine.js";

/** A folder of the node tests: its model, and the inputs and outputs of its first data set. */
export interface NodeTest {
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

/** A test in the form of the fixtures: bytes in base64. */
export interface PackedTest {
  readonly name: string;
  readonly model: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "base64");

export const unpacked = ({ name, model, inputs, outputs }: PackedTest): NodeTest => ({
  name,
  model: bytes(model),
  inputs: inputs.map(bytes),
  outputs: outputs.map(bytes),
});

/** The fixtures: the smallest tests of each operator, of one version of onnx. */
export function packedTests(): { readonly onnx: string; readonly tests: readonly PackedTest[] } {
  const packed = readFileSync(join(import.meta.dirname, "..", "fixtures", "node-tests.json.gz"));
  // The script that writes the file writes these fields.
  return JSON.parse(gunzipSync(packed).toString()) as ReturnType<typeof packedTests>;
}

export interface Verdict {
  readonly name: string;
  /** The operators of its model. */
  readonly operators: readonly string[];
  /** `unknown`: it needs an operator that Temper does not import. */
  readonly outcome: "passed" | "failed" | "outside" | "unknown";
  /** Why it did not pass, or is outside of what is asked. */
  readonly reason: string;
}

const floatKinds: readonly number[] = [Kind.FLOAT, Kind.DOUBLE, Kind.FLOAT16, Kind.BFLOAT16];
const sizeKinds: readonly number[] = [Kind.INT64, Kind.INT32, Kind.BOOL];
/** Element types that Temper reads. */
const readKinds: readonly number[] = [
  ...floatKinds,
  ...sizeKinds,
  ...[Kind.UINT8, Kind.INT8, Kind.UINT16, Kind.INT16, Kind.UINT32, Kind.UINT64],
];
const narrowTypes = "text, complex numbers, floats of 4 and 8 bits, whole numbers of 2 and 4 bits";
const dataName = "temper.data";

class Outside extends Error {}

/** What lies outside of what a classifier asks of an importer, by what the importer or the file says. */
const outsideMessages: readonly (readonly [RegExp, string])[] = [
  [/is refused/, "control flow, multinomial draws: refused by name"],
  [/random numbers: /, "random numbers: drawn by the host, by image"],
  [/training mode/, "batch normalisation in training mode: refused by name"],
  [/an operator set from/, "an operator set before 7 or after 26"],
];

function tensorOf(bytes: Uint8Array): TensorProto {
  const proto = fromBinary(TensorProtoSchema, bytes);
  if (!(proto.dataType in Kind) || proto.dataType === 0) throw new Outside("sequences, optional values");
  return proto;
}

/** The model with input `data` first taken from a flat row [1, n] and every other input an initializer. */
function prepared({ model, inputs }: NodeTest): { proto: ModelProto; data: Tensor | null } {
  const proto = fromBinary(ModelProtoSchema, model);
  const { graph } = proto;
  if (graph === undefined) throw new Outside("no graph");
  for (const { type } of [...graph.input, ...graph.output])
    if (type?.value.case !== "tensorType") throw new Outside("sequences, optional values");
  const given = inputs.map((bytes, i) => ({ ...tensorOf(bytes), name: graph.input[i]?.name ?? "" }));
  if (given.some(({ dataType }) => !readKinds.includes(dataType))) throw new Outside(narrowTypes);
  const elements = ({ dims }: TensorProto): number => count(dims.map(Number));
  const [chosen] = given
    .filter(({ dataType }) => floatKinds.includes(dataType))
    .sort((a, b) => elements(b) - elements(a));
  if (chosen === undefined && given.some(({ dataType }) => !sizeKinds.includes(dataType)))
    throw new Outside("no float input");
  graph.initializer.push(...given.filter((each) => each !== chosen));
  if (chosen?.dims.includes(0n)) throw new Outside("an empty data input");
  const data = chosen === undefined ? floats([1], [0]) : readTensor(chosen);
  const row = floats([1, data.data.length], data.data as Float32Array);
  graph.input = [valueInfo(dataName, "float32", row.shape)];
  if (chosen !== undefined) {
    const shape = "temper.shape";
    graph.initializer.push(tensorProto(shape, fromNumbers("int64", [data.shape.length], data.shape)));
    graph.node.unshift(nodeProto("Reshape", "temper.reshape", [dataName, shape], [chosen.name]));
  }
  return { proto, data: row };
}

/** The file of a test as it is imported: what damaged files begin from. */
export const fileOf = (test: NodeTest): Uint8Array => toBinary(ModelProtoSchema, prepared(test).proto);

const near = (got: Float64Array, want: Float64Array): boolean =>
  got.length === want.length &&
  got.every((x, i) => {
    const y = want[i] ?? NaN;
    return x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= 1e-6 + 1e-3 * Math.abs(y);
  });

const first = (values: ArrayLike<number>): string => `[${Array.from(values).slice(0, 4).join(", ")}…]`;

function compare(by: string, got: { shape: readonly number[]; data: Float64Array }, want: Tensor): void {
  if (got.shape.join() !== want.shape.join())
    throw new TemperError(`${by}: shape [${got.shape.join(", ")}] in place of [${want.shape.join(", ")}]`);
  const expected = toNumbers(want);
  if (!near(got.data, expected))
    throw new TemperError(`${by}: ${first(got.data)} in place of ${first(expected)}`);
}

/** One output of the built graph, in float64 and exported. */
async function checkOutput(
  engine: Engine,
  x: InputNode,
  row: Tensor,
  value: Value,
  want: Tensor,
): Promise<void> {
  const node: Node = asNode(value);
  const [inGraph] = interpret([node], { batch: 1, values: { [x.name]: toArray64(row) } });
  if (inGraph) compare("float64", inGraph, want);
  const fn = simplify(graphFunction("node test", [x], { result: cast(node, "float32") }));
  const program = await engine.load(exportFunction(fn));
  const { result } = await program.run({ [x.name]: { ...row, data: row.data.slice() } });
  await program.release();
  if (result) compare("ONNX Runtime", { shape: result.shape, data: toNumbers(result) }, want);
}

/** Outputs that no classifier reads: positions of maxima, masks, statistics for training. */
const asideOutputs: Readonly<Record<string, number>> = { MaxPool: 1, Dropout: 1 };

async function judge(engine: Engine, test: NodeTest): Promise<void> {
  const { proto, data } = prepared(test);
  const outputs = proto.graph?.output ?? [];
  const wanted = test.outputs.map(tensorOf);
  for (const { dataType } of wanted) if (!readKinds.includes(dataType)) throw new Outside(narrowTypes);
  const operators = proto.graph?.node.map(({ opType }) => opType) ?? [];
  const kept = operators.length === 2 ? asideOutputs[operators[1] ?? ""] : undefined;
  for (const [i, want] of wanted.slice(0, kept).entries()) {
    const output = outputs[i]?.name ?? "";
    const graph = importGraph(toBinary(ModelProtoSchema, proto), { output });
    const x = input(dataName, data?.shape ?? []);
    const value = buildGraph(graph, x).get(output);
    if (value === undefined) throw new TemperError(`output ${i + 1} is not computed`);
    if (data) await checkOutput(engine, x, data, value, readTensor(want));
  }
}

const known = new Set([...knownOperators, ...Object.keys(refusals)]);

/** Names of the operators of a model, those outside the standard domain as `domain.Name`. */
function operatorsOf(model: Uint8Array): string[] {
  const nodes = fromBinary(ModelProtoSchema, model).graph?.node ?? [];
  return [...new Set(nodes.map(({ domain, opType }) => (domain === "" ? opType : `${domain}.${opType}`)))];
}

/** Whether Temper gives what `test` expects. */
export async function verdictOf(engine: Engine, test: NodeTest): Promise<Verdict> {
  const operators = operatorsOf(test.model);
  const told = { name: test.name, operators };
  const missing = operators.filter((operator) => !known.has(operator));
  if (missing.length > 0) return { ...told, outcome: "unknown", reason: missing.join(", ") };
  try {
    await judge(engine, test);
    return { ...told, outcome: "passed", reason: "" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof Outside) return { ...told, outcome: "outside", reason };
    const outside = outsideMessages.find(([pattern]) => pattern.test(reason));
    if (outside) return { ...told, outcome: "outside", reason: outside[1] };
    return { ...told, outcome: "failed", reason: error instanceof TemperError ? reason : `crash: ${reason}` };
  }
}
