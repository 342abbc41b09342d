// Numeric arrays of MATLAB's MAT-files of level 5, either byte order, compressed or not ("MAT-File Format", MathWorks).
import { inflateSync } from "node:zlib";
import { check, fail } from "../base/errors.js";
import { count } from "../base/shape.js";
import type { LoadedFile } from "./dataset.js";

export interface MatArray {
  readonly shape: readonly number[];
  /** Column-major: the first index runs fastest. */
  readonly data: ArrayLike<number>;
}

/** A part of the file: its type, and where its bytes lie. */
interface Element {
  readonly type: number;
  readonly start: number;
  readonly size: number;
  /** Where the next one begins. */
  readonly next: number;
}

const [matrix, compressed] = [14, 15];

/** How numbers are stored, by type: bytes of each, and how one is read. */
const numbers: Readonly<
  Record<number, readonly [bytes: number, read: (view: DataView, at: number, little: boolean) => number]>
> = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at, little) => view.getInt16(at, little)],
  4: [2, (view, at, little) => view.getUint16(at, little)],
  5: [4, (view, at, little) => view.getInt32(at, little)],
  6: [4, (view, at, little) => view.getUint32(at, little)],
  7: [4, (view, at, little) => view.getFloat32(at, little)],
  9: [8, (view, at, little) => view.getFloat64(at, little)],
  12: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  13: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
};

/** Classes of arrays from 1 on; those from 6 to 15 are numeric. */
const classes = "cell array|structure|object|character array|sparse array".split("|");

/** The class of strings, tables and objects, which are no arrays and have no sizes. */
const opaque = 17;

const headerSize = 128;

/** Bytes under a byte order, and what messages call them. */
interface Source {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly little: boolean;
}

const sourceOf = (path: string, bytes: Uint8Array, little: boolean): Source => ({
  ...{ path, bytes, little },
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
});

const cutShort = (path: string): never => fail(path, "a whole MAT-file", "one that is cut short or damaged");

/** Checks the header; yields whether numbers are little-endian. */
function byteOrder(path: string, bytes: Uint8Array): boolean {
  const wanted = "a MAT-file of level 5 (MATLAB's -v6 or -v7)";
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 116));
  if (text.startsWith("MATLAB 7.3"))
    return fail(path, wanted, "one of version 7.3, which is HDF5; in MATLAB: save -v7");
  const mark = new TextDecoder("latin1").decode(bytes.subarray(126, 128));
  if (mark === "IM" || mark === "MI") return mark === "IM";
  // Level 4 begins with a type of at most four decimal digits, and text with none of these bytes zero.
  const isOld = bytes.length >= 20 && bytes.subarray(0, 4).includes(0);
  return fail(path, wanted, isOld ? "one of level 4, or another file" : "another file");
}

/** The element at `at`; the file must hold all of it. */
function elementAt({ path, view, little }: Source, at: number): Element {
  if (at + 8 > view.byteLength) return cutShort(path);
  const word = view.getUint32(at, little);
  const small = word >>> 16;
  if (small > 4) return cutShort(path);
  if (small > 0) return { type: word & 0xffff, start: at + 4, size: small, next: at + 8 };
  const [type, size, start] = [word, view.getUint32(at + 4, little), at + 8];
  if (start + size > view.byteLength) return cutShort(path);
  const padded = type === compressed ? size : Math.ceil(size / 8) * 8;
  return { type, start, size, next: start + padded };
}

/** The numbers of an element. */
function numbersIn({ path, bytes, view, little }: Source, { type, start, size }: Element): ArrayLike<number> {
  if (type === 2) return bytes.subarray(start, start + size);
  const [width, read] = numbers[type] ?? cutShort(path);
  if (size % width !== 0) return cutShort(path);
  return Float64Array.from({ length: size / width }, (_, i) => read(view, start + i * width, little));
}

/** A matrix element's parts before its numbers, and what they say. */
function openMatrix(source: Source, { start }: Element) {
  const flags = elementAt(source, start);
  if (flags.size < 8) return cutShort(source.path);
  const word = source.view.getUint32(flags.start, source.little);
  const isArray = (word & 0xff) !== opaque;
  const sizes = elementAt(source, flags.next);
  const name = isArray ? elementAt(source, sizes.next) : sizes;
  return {
    name: new TextDecoder("latin1").decode(source.bytes.subarray(name.start, name.start + name.size)),
    kind: word & 0xff,
    isComplex: (word & 0x800) !== 0,
    isLogical: (word & 0x200) !== 0,
    shape: isArray ? Array.from(numbersIn(source, sizes)) : [],
    numbersAt: name.next,
  };
}

/** The array in an opened matrix element. */
function readMatrix(source: Source, opened: ReturnType<typeof openMatrix>): MatArray {
  const { name, kind, isComplex, isLogical, shape, numbersAt } = opened;
  const where = `${source.path}: ${name}`;
  check(kind >= 6 && kind <= 15 && !isComplex && !isLogical, where, "an array of numbers", () => {
    if (isLogical) return "a logical array";
    return isComplex ? "complex ones" : `a ${classes[kind - 1] ?? "function or an object"}`;
  });
  const data = numbersIn(source, elementAt(source, numbersAt));
  check(data.length === count(shape), where, `${count(shape)} numbers`, () => String(data.length));
  return { shape, data };
}

/** The bytes of a compressed element, which are an element themselves. */
function inflated({ path, bytes, little }: Source, { start, size }: Element): Source {
  try {
    return sourceOf(path, inflateSync(bytes.subarray(start, start + size)), little);
  } catch {
    return cutShort(path);
  }
}

/** The arrays called `names`; throws one line where the file is another, damaged, or lacks one of them. */
export function readMat({ path, bytes }: LoadedFile, names: readonly string[]): Map<string, MatArray> {
  const file = sourceOf(path, bytes, byteOrder(path, bytes));
  const found = new Map<string, MatArray>();
  for (let at = headerSize; at < bytes.length;) {
    const outer = elementAt(file, at);
    const source = outer.type === compressed ? inflated(file, outer) : file;
    const element = source === file ? outer : elementAt(source, 0);
    if (element.type === matrix) {
      const opened = openMatrix(source, element);
      if (names.includes(opened.name)) found.set(opened.name, readMatrix(source, opened));
    }
    at = outer.next;
  }
  for (const name of names)
    check(found.has(name), path, `the arrays ${names.join(" and ")}`, () => `no ${name}`);
  return found;
}
