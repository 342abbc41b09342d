// ONNX tensors as host tensors: every way of storing them, floats as float32, whole numbers as int32 or int64.
import { check, fail } from "../base/errors.js";
import { count, formatShape } from "../base/shape.js";
import { allocate, tensor, type DType, type Tensor, type TensorData } from "../base/tensor.js";
import {
  TensorProto_DataLocation as Location,
  TensorProto_DataType as Kind,
  type TensorProto,
} from "./generated/onnx_pb.js";

/** The value of an IEEE half, given its 16 bits. */
function fromHalf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The value of a bfloat16, given its 16 bits: the upper half of a float32. */
function fromBfloat(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? NaN;
}

type Numeric = number | bigint;

/** How one ONNX element type is stored and what it becomes. */
interface Storage {
  readonly dtype: DType;
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => Numeric;
  /** The typed field that holds the elements when `raw_data` does not. */
  readonly field: (proto: TensorProto) => readonly Numeric[];
  /** Reads an element of that field, where it holds bits. */
  readonly decode?: (bits: number) => number;
}

const ints = (proto: TensorProto): readonly Numeric[] => proto.int32Data;
const longs = (proto: TensorProto): readonly Numeric[] => proto.int64Data;
const unsigned = (proto: TensorProto): readonly Numeric[] => proto.uint64Data;

/** The element types that Temper reads. */
const storages: ReadonlyMap<number, Storage> = new Map<number, Storage>([
  [
    Kind.FLOAT,
    { dtype: "float32", bytes: 4, read: (v, at) => v.getFloat32(at, true), field: (p) => p.floatData },
  ],
  [
    Kind.DOUBLE,
    { dtype: "float32", bytes: 8, read: (v, at) => v.getFloat64(at, true), field: (p) => p.doubleData },
  ],
  [
    Kind.FLOAT16,
    {
      dtype: "float32",
      bytes: 2,
      read: (v, at) => fromHalf(v.getUint16(at, true)),
      field: ints,
      decode: fromHalf,
    },
  ],
  [
    Kind.BFLOAT16,
    {
      dtype: "float32",
      bytes: 2,
      read: (v, at) => fromBfloat(v.getUint16(at, true)),
      field: ints,
      decode: fromBfloat,
    },
  ],
  [Kind.INT8, { dtype: "int32", bytes: 1, read: (v, at) => v.getInt8(at), field: ints }],
  [Kind.INT16, { dtype: "int32", bytes: 2, read: (v, at) => v.getInt16(at, true), field: ints }],
  [Kind.INT32, { dtype: "int32", bytes: 4, read: (v, at) => v.getInt32(at, true), field: ints }],
  [Kind.UINT16, { dtype: "int32", bytes: 2, read: (v, at) => v.getUint16(at, true), field: ints }],
  [Kind.INT64, { dtype: "int64", bytes: 8, read: (v, at) => v.getBigInt64(at, true), field: longs }],
  [Kind.UINT32, { dtype: "int64", bytes: 4, read: (v, at) => v.getUint32(at, true), field: unsigned }],
  [Kind.UINT64, { dtype: "int64", bytes: 8, read: (v, at) => v.getBigUint64(at, true), field: unsigned }],
  [Kind.UINT8, { dtype: "uint8", bytes: 1, read: (v, at) => v.getUint8(at), field: ints }],
  [Kind.BOOL, { dtype: "bool", bytes: 1, read: (v, at) => (v.getUint8(at) === 0 ? 0 : 1), field: ints }],
]);

/** An ONNX element type in words. */
export const elementType = (type: number): string => Kind[type]?.toLowerCase() ?? `type ${type}`;

/** The dtype that an ONNX element type becomes, or undefined where Temper does not read it. */
export const dtypeOf = (type: number): DType | undefined => storages.get(type)?.dtype;

/** A tensor of a file: what it was stored as decides what quantisation saturates at. */
export interface StoredTensor extends Tensor {
  /** ONNX's element type in words: `float`, `int8`, … */
  readonly stored: string;
}

/** A file beside the model. */
export interface ExternalFile {
  readonly bytes: number;
  read(offset: number, length: number): Uint8Array;
}

/** The file that a tensor names as the place of its data; throws where it may not be read. */
export type ExternalData = (location: string) => ExternalFile;

/** No tensor holds more elements: protobuf ends at 2 GiB, and sizes from damaged files must not be allocated. */
const largest = 2 ** 31;

function fill(data: TensorData, element: (index: number) => Numeric): TensorData {
  if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(element(i));
  else for (let i = 0; i < data.length; i++) data[i] = Number(element(i));
  return data;
}

/** The bytes of a tensor that lie in another file. */
export function externalBytes(
  proto: TensorProto,
  where: string,
  external: ExternalData | undefined,
): Uint8Array {
  const entry = (key: string): string => proto.externalData.find((each) => each.key === key)?.value ?? "";
  const location = entry("location");
  if (external === undefined)
    return fail(where, "its data inside the ONNX file", `external data in '${location}'`);
  const file = external(location);
  const offset = Number(entry("offset") || "0");
  const length = Number(entry("length") || String(file.bytes - offset));
  const inside =
    [offset, length].every((n) => Number.isInteger(n) && n >= 0) && offset + length <= file.bytes;
  check(
    inside,
    where,
    `a part of the ${file.bytes} bytes of '${location}'`,
    () => `${length} bytes from ${offset}`,
  );
  return file.read(offset, length);
}

/** The sizes of `proto`. */
function shapeOf(proto: TensorProto, where: string): number[] {
  const shape = proto.dims.map(Number);
  check(
    shape.every((d) => d >= 0) && count(shape) < largest,
    where,
    "sizes of 0 or more, fewer than 2^31 elements",
    () => formatShape(shape),
  );
  return shape;
}

/** `proto` as a host tensor; `name` is what errors call it, `external` reads files beside the model. */
export function readTensor(proto: TensorProto, name = proto.name, external?: ExternalData): StoredTensor {
  const where = `tensor '${name}'`;
  const stored = elementType(proto.dataType);
  const storage = storages.get(proto.dataType);
  if (storage === undefined) return fail(where, "floats, whole numbers or booleans", stored);
  const shape = shapeOf(proto, where);
  const { dtype, bytes, read, field, decode } = storage;
  const length = count(shape);
  const wrongSize = (got: string): never => fail(where, `${length} elements for ${formatShape(shape)}`, got);
  const rawData =
    proto.dataLocation === Location.EXTERNAL ? externalBytes(proto, where, external) : proto.rawData;
  const values = field(proto);
  const made = (element: (index: number) => Numeric): StoredTensor => ({
    ...tensor(dtype, shape, fill(allocate(dtype, length), element)),
    stored,
  });
  if (rawData.length > 0 || values.length === 0) {
    if (rawData.length !== length * bytes) wrongSize(`${rawData.length} bytes of ${stored}`);
    const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
    return made((i) => read(view, i * bytes));
  }
  if (values.length !== length) wrongSize(String(values.length));
  return made((i) => decode?.(Number(values[i])) ?? values[i] ?? 0);
}
