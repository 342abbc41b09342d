// Arrays in NumPy's .npz: a zip of .npy files, stored without compression.
import { crc32 } from "node:zlib";

const types = { "<f4": Float32Array, "<i4": Int32Array };

/** One array as .npy, version 1.0. */
function npy({ data, shape }) {
  const descr = data instanceof Float32Array ? "<f4" : "<i4";
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, padded.length & 255, padded.length >> 8]);
  return Buffer.concat([
    start,
    Buffer.from(padded, "latin1"),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/** The fields that a zip's local header and its directory share. */
function entry(name, bytes) {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(33, 8);
  fields.writeUInt32LE(crc32(bytes), 10);
  fields.writeUInt32LE(bytes.length, 14);
  fields.writeUInt32LE(bytes.length, 18);
  fields.writeUInt16LE(name.length, 22);
  return fields;
}

/** { name: { data, shape } } as the bytes of an .npz; float32 and int32. */
export function writeNpz(arrays) {
  const [files, directory] = [[], []];
  let offset = 0;
  for (const [key, array] of Object.entries(arrays)) {
    const [name, bytes] = [Buffer.from(`${key}.npy`), npy(array)];
    const fields = entry(name, bytes);
    const file = Buffer.concat([Buffer.from("PK\x03\x04"), fields, name, bytes]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), fields, place, name]));
    files.push(file);
    offset += file.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, listed, Buffer.from("PK\x05\x06"), end]);
}

/** The array `key` of an .npz that numpy.savez wrote. */
export function readNpz(bytes, key) {
  let at = bytes.readUInt32LE(bytes.lastIndexOf("PK\x05\x06") + 16);
  while (bytes.readUInt32LE(at) === 0x02014b50) {
    const lengths = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const name = bytes.toString("utf8", at + 46, at + 46 + lengths[0]);
    if (name === `${key}.npy`) return readNpy(bytes, bytes.readUInt32LE(at + 42));
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  throw new Error(`no array '${key}'`);
}

function readNpy(bytes, local) {
  const npyAt = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const headerLength = bytes.readUInt16LE(npyAt + 8);
  const header = bytes.toString("latin1", npyAt + 10, npyAt + 10 + headerLength);
  const [, descr, dims] = /'descr': '([^']+)'.*'shape': \(([^)]*)\)/.exec(header) ?? [];
  const Type = types[descr];
  if (!Type) throw new Error(`an array of ${descr}`);
  const shape = dims
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  const size = shape.reduce((a, b) => a * b, 1) * 4;
  const from = npyAt + 10 + headerLength;
  return {
    shape,
    data: new Type(bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + from + size)),
  };
}
