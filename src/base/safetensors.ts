// Tensors in a file: the safetensors layout (header length, JSON header, raw little-endian data), checksummed.
import { createHash } from "node:crypto";
import { check, fail, TemperError } from "./errors.js";
import { bytesPerElement, tensor, viewOf, type DType, type Tensor } from "./tensor.js";

const codes: Readonly<Record<DType, string>> = {
  float32: "F32",
  int32: "I32",
  int64: "I64",
  uint8: "U8",
  bool: "BOOL",
};

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [start: number, end: number];
}

const bytesOf = ({ data }: Tensor): Uint8Array =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

const digest = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** The tensors and `metadata` as the bytes of one file. */
export function encodeTensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, value]) => {
    const start = end;
    end += value.data.length * bytesPerElement[value.dtype];
    return [
      name,
      { dtype: codes[value.dtype], shape: value.shape, data_offsets: [start, end] } satisfies Entry,
    ] as const;
  });
  const data = new Uint8Array(end);
  let offset = 0;
  for (const value of Object.values(tensors)) {
    data.set(bytesOf(value), offset);
    offset += value.data.byteLength;
  }
  const header = { __metadata__: { ...metadata, sha256: digest(data) }, ...Object.fromEntries(entries) };
  const text = new TextEncoder().encode(JSON.stringify(header));
  // The data begins at a multiple of 8, so that it can be viewed in place.
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + end).fill(0x20, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, 8);
  file.set(data, 8 + padded);
  return file;
}

function readHeader(where: string, file: Uint8Array): { header: Record<string, unknown>; start: number } {
  check(file.length >= 8, where, "a tensor file", () => `${file.length} bytes`);
  const length = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  if (8 + length > file.length)
    fail(where, `${8 + length} bytes or more`, `${file.length} (the file is cut short)`);
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    if (typeof header !== "object" || header === null) throw new SyntaxError("no object");
    return { header: header as Record<string, unknown>, start: 8 + length };
  } catch {
    throw new TemperError(`${where}: expected a JSON header, got something else (the file is damaged)`);
  }
}

export interface DecodedTensors {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads what `encodeTensors` wrote; throws when the file is cut short or damaged. */
export function decodeTensors(where: string, file: Uint8Array): DecodedTensors {
  const { header, start } = readHeader(where, file);
  const { __metadata__: held, ...rest } = header;
  const metadata = (held ?? {}) as Record<string, string>;
  const entries = rest as Record<string, Entry>;
  const end = Math.max(0, ...Object.values(entries).map((entry) => entry.data_offsets[1]));
  const data = file.subarray(start);
  if (data.length !== end) fail(where, `${start + end} bytes`, `${file.length} (the file is cut short)`);
  if (metadata["sha256"] !== undefined && metadata["sha256"] !== digest(data))
    fail(where, "data that matches its checksum", "something else (the file is damaged)");
  // A copy of its own: Node's Buffer has another slice, which shares memory.
  const own = new Uint8Array(data).buffer;
  const tensors = Object.entries(entries).map(([name, entry]) => {
    const known = (Object.keys(codes) as DType[]).find((candidate) => codes[candidate] === entry.dtype);
    const dtype = known ?? fail(where, "a known dtype", entry.dtype, Object.values(codes).join(", "));
    const [from, to] = entry.data_offsets;
    return [
      name,
      tensor(dtype, entry.shape, viewOf(dtype, own, from, (to - from) / bytesPerElement[dtype])),
    ] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** Data of a file's tensors by name; each throws where there is none of its kind. */
export interface NamedData {
  readonly floats: (name: string) => Float32Array;
  readonly integers: (name: string) => Int32Array;
}

/** The data of what a file at `path` holds. */
export const dataIn = (path: string, tensors: Readonly<Record<string, Tensor>>): NamedData => ({
  floats: (name) => {
    const data = tensors[name]?.data;
    return data instanceof Float32Array ? data : fail(path, `float32 '${name}'`, "none");
  },
  integers: (name) => {
    const data = tensors[name]?.data;
    return data instanceof Int32Array ? data : fail(path, `int32 '${name}'`, "none");
  },
});
