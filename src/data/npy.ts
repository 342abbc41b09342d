// NumPy's array files, versions 1 to 3 (NEP 1, "A simple file format for NumPy arrays").
import { check, fail } from "../base/errors.js";
import { count as product } from "../base/shape.js";

/** Types that are read, by NumPy's letter and size in bytes. */
const readers = {
  b1: (buffer: ArrayBuffer) => new Uint8Array(buffer),
  u1: (buffer: ArrayBuffer) => new Uint8Array(buffer),
  i1: (buffer: ArrayBuffer) => new Int8Array(buffer),
  u2: (buffer: ArrayBuffer) => new Uint16Array(buffer),
  i2: (buffer: ArrayBuffer) => new Int16Array(buffer),
  u4: (buffer: ArrayBuffer) => new Uint32Array(buffer),
  i4: (buffer: ArrayBuffer) => new Int32Array(buffer),
  u8: (buffer: ArrayBuffer) => Float64Array.from(new BigUint64Array(buffer), Number),
  i8: (buffer: ArrayBuffer) => Float64Array.from(new BigInt64Array(buffer), Number),
  f4: (buffer: ArrayBuffer) => new Float32Array(buffer),
  f8: (buffer: ArrayBuffer) => new Float64Array(buffer),
} as const;

type NpyType = keyof typeof readers;

export interface NpyArray {
  /** NumPy's letter and size in bytes: `u1` is uint8, `f4` float32. */
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** Row-major; 64-bit whole numbers as float64. */
  readonly data: ArrayLike<number>;
}

const magic = "\x93NUMPY";

/** The text of the header, and where the values begin. */
function headerOf(where: string, bytes: Uint8Array): { text: string; end: number } {
  const isNpy = bytes.length >= 10 && String.fromCharCode(...bytes.subarray(0, 6)) === magic;
  check(isNpy, where, "a NumPy array", () => "another file");
  const version = bytes[6] ?? 0;
  check(version >= 1 && version <= 3, where, "a NumPy array of version 1 to 3", () => `version ${version}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = version === 1 ? 10 : 12;
  const end =
    start + (version === 1 ? view.getUint16(8, true) : bytes.length >= 12 ? view.getUint32(8, true) : 0);
  check(end <= bytes.length, where, "a whole NumPy array", () => "one that is cut short in its header");
  return { text: new TextDecoder().decode(bytes.subarray(start, end)), end };
}

/** The type, from what NumPy writes: '<f4', '|u1', '>i8', '|O', or a list for records. */
function typeOf(where: string, text: string): NpyType {
  const [, order = "", kind = ""] = /'descr':\s*'([<>|=]?)(\w+)/.exec(text) ?? [];
  const numbers = "numbers (bool, int, uint, float32 or float64)";
  if (kind.startsWith("O")) return fail(where, numbers, "Python objects, which only Python can read");
  if (kind === "") return fail(where, numbers, "records");
  if (!Object.hasOwn(readers, kind)) return fail(where, numbers, `type '${order}${kind}'`);
  check(order !== ">" || kind.endsWith("1"), where, "little-endian numbers", () => {
    return `big-endian ones ('>${kind}'); in NumPy: x.astype('<${kind}')`;
  });
  return kind as NpyType; // one of the readers' keys, checked above
}

/** The array in the bytes of a .npy file; `where` names it in messages. Throws one line on all but plain numbers. */
export function readNpy(where: string, bytes: Uint8Array): NpyArray {
  const { text, end } = headerOf(where, bytes);
  const type = typeOf(where, text);
  const inOrder = /'fortran_order':\s*False/.test(text);
  check(inOrder, where, "rows first (C order)", () => "Fortran order; in NumPy: np.ascontiguousarray(x)");
  const sizes = /'shape':\s*\(([\d\s,]*)\)/.exec(text)?.[1] ?? fail(where, "a shape", text.trim());
  const shape = sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]));
  const length = product(shape) * Number(type.slice(1));
  const got = bytes.length - end;
  check(got === length, where, `${length} bytes of values`, () => String(got));
  // A copy starts where every type may start.
  return { type, shape, data: readers[type](bytes.slice(end).buffer) };
}
