// An ONNX file as plain records: nodes, tensors, inputs and outputs. Knows the format, not the operators.
import { fromBinary } from "@bufbuild/protobuf";
import { check, fail, TemperError } from "../base/errors.js";
import {
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  type AttributeProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "./generated/onnx_pb.js";
import { elementType, readTensor, type ExternalData, type StoredTensor } from "./read-tensor.js";

/** A nested graph, or anything else that no known operator takes. */
export interface OpaqueAttribute {
  readonly opaque: string;
}
export type AttributeValue =
  number | string | readonly number[] | readonly string[] | StoredTensor | OpaqueAttribute;

export interface OnnxNode {
  readonly operator: string;
  readonly domain: string;
  readonly name: string;
  /** Names of values; empty where an optional one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** A declared input or output; sizes are numbers, or names where the file leaves them open. */
export interface OnnxValue {
  readonly name: string;
  /** In ONNX's words: `float`, `int64`, …, or `sequence`, `map`. */
  readonly type: string;
  readonly dims: readonly (number | string)[] | null;
}

export interface OnnxFile {
  readonly name: string;
  readonly producer: string;
  /** Version of the standard operators. */
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Declared inputs, without those that have an initializer. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: Readonly<Record<string, string>>;
}

const decoder = new TextDecoder();

function attributeOf(proto: AttributeProto, where: string, external?: ExternalData): AttributeValue {
  const { type } = proto;
  if (type === Kind.INT) return Number(proto.i);
  if (type === Kind.FLOAT) return proto.f;
  if (type === Kind.STRING) return decoder.decode(proto.s);
  if (type === Kind.INTS) return proto.ints.map(Number);
  if (type === Kind.FLOATS) return proto.floats;
  if (type === Kind.STRINGS) return proto.strings.map((s) => decoder.decode(s));
  if (type === Kind.TENSOR && proto.t) return readTensor(proto.t, `${where}.${proto.name}`, external);
  return { opaque: type in Kind ? Kind[type].toLowerCase() : `type ${type}` };
}

function nodeOf(proto: NodeProto, external?: ExternalData): OnnxNode {
  const where = proto.name || proto.output[0] || proto.opType;
  return {
    operator: proto.opType,
    domain: proto.domain === "ai.onnx" ? "" : proto.domain,
    name: proto.name,
    inputs: proto.input,
    outputs: proto.output,
    attributes: Object.fromEntries(proto.attribute.map((a) => [a.name, attributeOf(a, where, external)])),
  };
}

function valueOf({ name, type }: ValueInfoProto): OnnxValue {
  if (type?.value.case !== "tensorType")
    return { name, type: type?.value.case?.replace("Type", "") ?? "unknown", dims: null };
  const { elemType, shape } = type.value.value;
  const dims = shape?.dim.map(({ value }) =>
    value.case === "dimValue" ? Number(value.value) : (value.value ?? "?"),
  );
  return { name, type: elementType(elemType), dims: dims ?? null };
}

/** The file as a message; throws when the bytes are no whole one. */
export function parseModel(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TemperError(
      `model: expected an ONNX file, got ${bytes.length} bytes that are none or are cut short (${reason})`,
    );
  }
}

/** The parts of an ONNX file; `external` reads files beside it. Throws when the bytes are no whole ONNX file. */
export function readOnnx(bytes: Uint8Array, external?: ExternalData): OnnxFile {
  const model = parseModel(bytes);
  const { graph } = model;
  if (graph === undefined) return fail("model", "an ONNX file", `${bytes.length} bytes without a graph`);
  check(graph.sparseInitializer.length === 0, "model", "dense initializers", () => "sparse ones");
  const tensors = new Map(
    graph.initializer.map((proto) => [proto.name, readTensor(proto, proto.name, external)]),
  );
  const opset = model.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version;
  return {
    name: graph.name,
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
    opset: Number(opset ?? 1n),
    nodes: graph.node.map((node) => nodeOf(node, external)),
    tensors,
    inputs: graph.input.map(valueOf).filter(({ name }) => !tensors.has(name)),
    outputs: graph.output.map(valueOf),
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
  };
}
