// The same ONNX file with other numbers in some of its tensors: nodes, inputs and outputs stay as they are.
import { create, toBinary } from "@bufbuild/protobuf";
import type { Tensor } from "../base/tensor.js";
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as Location,
  TensorProto_DataType as Kind,
  type GraphProto,
  type TensorProto,
} from "./generated/onnx_pb.js";
import { externalBytes, type ExternalData } from "./read-tensor.js";
import { parseModel } from "./read.js";

/** Rounds to the nearest whole number, halves to the even one. */
function roundToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

const bitsOf = (x: number): number => new Uint32Array(Float32Array.of(x).buffer)[0] ?? 0;

/** The 16 bits of the IEEE half nearest to a float32; what is too large becomes the largest, 65504. */
function toHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.min(Math.abs(x), 65504);
  const exponent = Math.max(((bitsOf(size) >>> 23) & 255) - 127, -14);
  // The fraction's carry goes on into the exponent's bits, as it should.
  return sign + (exponent + 14) * 1024 + roundToEven(size * 2 ** (10 - exponent));
}

/** The 16 bits of the bfloat16 nearest to a float32, halves to the even one. */
const toBfloat = (x: number): number => roundToEven(bitsOf(x) / 2 ** 16) & 0xffff;

interface Encoding {
  readonly bytes: number;
  readonly write: (view: DataView, at: number, x: number) => void;
}

/** How float32 values are stored in a tensor of each of ONNX's types of floats. */
const encodings: ReadonlyMap<number, Encoding> = new Map([
  [Kind.FLOAT, { bytes: 4, write: (view, at, x) => view.setFloat32(at, x, true) }],
  [Kind.DOUBLE, { bytes: 8, write: (view, at, x) => view.setFloat64(at, x, true) }],
  [Kind.FLOAT16, { bytes: 2, write: (view, at, x) => view.setUint16(at, toHalf(x), true) }],
  [Kind.BFLOAT16, { bytes: 2, write: (view, at, x) => view.setUint16(at, toBfloat(x), true) }],
] as [number, Encoding][]);

/** The numbers of `value` in the element type of the tensor `proto`. */
function encoded(proto: TensorProto, { data }: Tensor): Uint8Array<ArrayBuffer> {
  const encoding = encodings.get(proto.dataType);
  if (encoding === undefined) throw new Error(`'${proto.name}' holds no floats`);
  const bytes = new Uint8Array(data.length * encoding.bytes);
  const view = new DataView(bytes.buffer);
  data.forEach((x: number | bigint, i: number) => encoding.write(view, i * encoding.bytes, Number(x)));
  return bytes;
}

/** Lets `proto` hold `bytes`, whatever held its numbers before. */
function store(proto: TensorProto, bytes: Uint8Array<ArrayBuffer>): void {
  [proto.floatData, proto.doubleData, proto.int32Data] = [[], [], []];
  if (proto.dataLocation === Location.EXTERNAL) proto.dataLocation = Location.DEFAULT;
  proto.externalData = [];
  proto.rawData = bytes;
}

/** All tensors stored in `graph`, by the name of the value that they are; others have no name. */
function storedIn({ initializer, node }: GraphProto): [name: string, proto: TensorProto][] {
  const inNodes = node.flatMap(({ opType, attribute, output: [first = ""] }) =>
    attribute.flatMap(({ name, t, g }): [string, TensorProto][] => [
      ...(t ? [[opType === "Constant" && name === "value" ? first : "", t] as [string, TensorProto]] : []),
      ...(g ? storedIn(g).map(([, proto]) => ["", proto] as [string, TensorProto]) : []),
    ]),
  );
  return [...inNodes, ...initializer.map((proto) => [proto.name, proto] as [string, TensorProto])];
}

export interface RewriteOptions {
  /** Key–value pairs to store beside those of the file, or in their place. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Reads files beside the model: what lies there is put into the file. */
  readonly external?: ExternalData | undefined;
}

/**
 * The ONNX file `bytes` with the numbers of `values` (initializers, or tensors of Constant nodes, by name) in the element
 * types that the file has for them; everything else stays as it is, but that it holds all its tensors itself.
 */
export function rewriteTensors(
  bytes: Uint8Array,
  values: Readonly<Record<string, Tensor>>,
  { metadata = {}, external }: RewriteOptions = {},
): Uint8Array {
  const model = parseModel(bytes);
  const stored = model.graph === undefined ? [] : storedIn(model.graph);
  const names = new Set(stored.map(([name]) => name));
  const missing = Object.keys(values).find((name) => !names.has(name));
  if (missing !== undefined) throw new Error(`the file holds no tensor '${missing}'`);
  for (const [name, proto] of stored) {
    const value = name === "" ? undefined : values[name];
    if (value) store(proto, encoded(proto, value));
    else if (proto.dataLocation === Location.EXTERNAL)
      store(proto, new Uint8Array(externalBytes(proto, `tensor '${proto.name}'`, external)));
  }
  const others = model.metadataProps.filter(({ key }) => !(key in metadata));
  const added = Object.entries(metadata).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  model.metadataProps = [...others, ...added];
  return toBinary(ModelProtoSchema, model);
}
