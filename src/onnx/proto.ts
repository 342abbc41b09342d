// Small constructors for the protobuf messages that Temper writes.
import { create } from "@bufbuild/protobuf";
import { bytesPerElement, type DType, type Tensor } from "../base/tensor.js";
import { formatDim, type Dim, type Shape } from "../base/shape.js";
import type { OnnxAttribute } from "../graph/op.js";
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as Kind,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  TensorProto_DataType as DataType,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./generated/onnx_pb.js";

/** Operator set of every file Temper writes. */
const opset = 18;
const irVersion = 8n;

export const onnxType: Readonly<Record<DType, DataType>> = {
  float32: DataType.FLOAT,
  int32: DataType.INT32,
  int64: DataType.INT64,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
};

/** Sizes that depend on the batch are named: `batch`, `2*batch`, `2*batch+1`. */
const dimParam = (d: Dim): string =>
  formatDim(d)
    .replace(/^(\d+)B/, "$1*batch")
    .replace("B", "batch");

export function valueInfo(name: string, dtype: DType, shape: Shape, leading?: string): ValueInfoProto {
  const dims = [...(leading === undefined ? [] : [leading]), ...shape].map((d) =>
    typeof d === "number"
      ? { value: { case: "dimValue" as const, value: BigInt(d) } }
      : { value: { case: "dimParam" as const, value: typeof d === "string" ? d : dimParam(d) } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: onnxType[dtype], shape: { dim: dims } } } },
  });
}

export function tensorProto(name: string, value: Tensor): TensorProto {
  const { data, dtype, shape } = value;
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: onnxType[dtype],
    rawData: new Uint8Array(
      data.buffer as ArrayBuffer,
      data.byteOffset,
      data.length * bytesPerElement[dtype],
    ),
  });
}

function attributeProto(name: string, value: OnnxAttribute | GraphProto): AttributeProto {
  if (typeof value === "number")
    return create(AttributeProtoSchema, { name, type: Kind.INT, i: BigInt(value) });
  if (typeof value === "string")
    return create(AttributeProtoSchema, { name, type: Kind.STRING, s: new TextEncoder().encode(value) });
  if ("$typeName" in value) return create(AttributeProtoSchema, { name, type: Kind.GRAPH, g: value });
  if ("float" in value) return create(AttributeProtoSchema, { name, type: Kind.FLOAT, f: value.float });
  if ("floats" in value)
    return create(AttributeProtoSchema, { name, type: Kind.FLOATS, floats: [...value.floats] });
  return create(AttributeProtoSchema, { name, type: Kind.INTS, ints: value.map(BigInt) });
}

export function nodeProto(
  type: string,
  name: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, OnnxAttribute | GraphProto>> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([key, value]) => attributeProto(key, value));
  const dot = type.lastIndexOf(".") + 1;
  const [domain, opType] = [type.slice(0, Math.max(0, dot - 1)), type.slice(dot)];
  return create(NodeProtoSchema, { domain, opType, name, input: [...input], output: [...output], attribute });
}

export interface GraphParts {
  readonly name: string;
  readonly node: readonly NodeProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
  readonly initializer: readonly TensorProto[];
}

export const graphProto = (parts: GraphParts): GraphProto =>
  create(GraphProtoSchema, {
    name: parts.name,
    node: [...parts.node],
    input: [...parts.input],
    output: [...parts.output],
    initializer: [...parts.initializer],
  });

/** The domains beside the standard one that `graph` and the graphs inside it use. */
function domainsOf(graph: GraphProto, found = new Set<string>()): Set<string> {
  for (const { domain, attribute } of graph.node) {
    if (domain !== "") found.add(domain);
    for (const { g } of attribute) if (g) domainsOf(g, found);
  }
  return found;
}

export const modelProto = (graph: GraphProto, metadata: Readonly<Record<string, string>> = {}): ModelProto =>
  create(ModelProtoSchema, {
    irVersion,
    producerName: "temper",
    opsetImport: [
      { domain: "", version: BigInt(opset) },
      ...[...domainsOf(graph)].map((domain) => ({ domain, version: 1n })),
    ],
    graph,
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
