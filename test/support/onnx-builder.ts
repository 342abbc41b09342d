// Writes small ONNX files as another tool would: any operator set, any operator.
import { create, toBinary } from "@bufbuild/protobuf";
import type { Tensor } from "../../src/base/tensor.js";
import type { OnnxAttribute } from "../../src/graph/op.js";
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType as DataType,
  ValueInfoProtoSchema,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "../../src/onnx/generated/onnx_pb.js";
import { graphProto, modelProto, nodeProto, tensorProto } from "../../src/onnx/proto.js";

export interface ForeignNode {
  readonly op: string;
  readonly in: readonly string[];
  /** Default ["y"]. */
  readonly out?: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, OnnxAttribute | Tensor>>;
}

export interface ForeignModel {
  readonly nodes: readonly ForeignNode[];
  readonly opset?: number;
  readonly tensors?: Readonly<Record<string, Tensor>>;
  /** Input `x`: sizes or names; default ["N", 3]. */
  readonly x?: readonly (number | string)[];
  /** Names of outputs, all float; default ["y"]. */
  readonly outputs?: readonly string[];
  readonly name?: string;
}

/** A declared float value; without a shape where `dims` is null. */
export function declared(
  name: string,
  dims: readonly (number | string)[] | null,
  elemType: number = DataType.FLOAT,
): ValueInfoProto {
  const dim = dims?.map((d) => ({
    value:
      typeof d === "number"
        ? { case: "dimValue" as const, value: BigInt(d) }
        : { case: "dimParam" as const, value: d },
  }));
  const tensorType = { elemType, ...(dim && { shape: { dim } }) };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: tensorType } } });
}

function nodeOf({ op, in: inputs, out = ["y"], name = "", domain, attributes = {} }: ForeignNode): NodeProto {
  const plain: Record<string, OnnxAttribute> = {};
  const tensors: [string, Tensor][] = [];
  for (const [key, value] of Object.entries(attributes))
    if (typeof value === "object" && "dtype" in value) tensors.push([key, value]);
    else plain[key] = value;
  const node = nodeProto(op, name, inputs, out, plain);
  node.domain = domain ?? "";
  for (const [key, value] of tensors)
    node.attribute.push(
      create(AttributeProtoSchema, { name: key, type: Kind.TENSOR, t: tensorProto("", value) }),
    );
  return node;
}

/** The file as a message, to be changed further. */
export function foreignProto(model: ForeignModel): ModelProto {
  const graph = graphProto({
    name: model.name ?? "foreign",
    node: model.nodes.map(nodeOf),
    input: [declared("x", model.x ?? ["N", 3])],
    output: (model.outputs ?? ["y"]).map((name) => declared(name, null)),
    initializer: Object.entries(model.tensors ?? {}).map(([name, value]) => tensorProto(name, value)),
  });
  const proto = modelProto(graph);
  proto.producerName = "another tool";
  const domains = ["", ...new Set(model.nodes.flatMap(({ domain }) => domain ?? []))];
  proto.opsetImport = domains.map((domain) =>
    create(OperatorSetIdProtoSchema, { domain, version: BigInt(domain === "" ? (model.opset ?? 18) : 1) }),
  );
  return proto;
}

export const serialize = (proto: ModelProto): Uint8Array => toBinary(ModelProtoSchema, proto);

/** The file's bytes. */
export const foreignFile = (model: ForeignModel): Uint8Array => serialize(foreignProto(model));
