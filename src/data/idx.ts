// The IDX format of MNIST, big-endian: two zero bytes, a type (8 = unsigned byte), the number of dimensions,
// each dimension as 32 bits, then the values (Y. LeCun, C. Cortes, C. Burges, "The MNIST database").
import { gunzipSync } from "node:zlib";
import { check, fail } from "../base/errors.js";
import { checkLabels, type ImageShape, type LoadedFile, type Split } from "./dataset.js";

export interface IdxArray {
  readonly shape: readonly number[];
  /** A view of the file's bytes, row-major. */
  readonly data: Uint8Array;
}

const magics = { images: 0x0803, labels: 0x0801 } as const;
export type IdxKind = keyof typeof magics;

/** The two bytes every gz file starts with. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The file with its bytes inflated if they are gz; throws if they are cut short or damaged. */
export function inflate({ path, bytes }: LoadedFile): LoadedFile {
  if (!isGzip(bytes)) return { path, bytes };
  try {
    return { path, bytes: gunzipSync(bytes) };
  } catch (error) {
    return fail(path, "a whole gz file", `a damaged one (${error instanceof Error ? error.message : "?"})`);
  }
}

const hex = (magic: number): string => `magic 0x${magic.toString(16).padStart(8, "0")}`;

function describeMagic(magic: number): string {
  const kind = Object.entries(magics).find(([, value]) => value === magic)?.[0];
  return kind === undefined ? hex(magic) : `IDX ${kind} (${hex(magic)})`;
}

/** Reads IDX images ([count, height, width]) or labels ([count]), gz or not. Throws on any other bytes. */
export function readIdx(file: LoadedFile, kind: IdxKind): IdxArray {
  const { path, bytes } = inflate(file);
  const wanted = magics[kind];
  const rank = wanted & 0xff;
  const header = 4 + 4 * rank;
  const tooShort = (): string => `${bytes.length} bytes`;
  check(bytes.length >= 4, path, describeMagic(wanted), tooShort);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = view.getUint32(0);
  check(magic === wanted, path, describeMagic(wanted), () => describeMagic(magic));
  check(bytes.length >= header, path, `a header of ${header} bytes`, tooShort);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  checkLength(path, shape, header, bytes.length);
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + header, bytes.length - header) };
}

function checkLength(path: string, shape: readonly number[], header: number, got: number): void {
  const size = header + shape.reduce((product, n) => product * n, 1);
  check(got === size, path, `${size} bytes (a header of ${header}, then ${shape.join("×")})`, () =>
    got < size ? `${got}: the file is cut short` : `${got}: ${got - size} too many`,
  );
}

/** Images and labels of one split from two IDX files of grey images. */
export function readIdxSplit(
  images: LoadedFile,
  labels: LoadedFile,
  { imageShape: [, height, width], classes }: { readonly imageShape: ImageShape; readonly classes: number },
): Split {
  const { data, shape } = readIdx(images, "images");
  const [count = 0, ...size] = shape;
  const classOf = readIdx(labels, "labels").data;
  check(count > 0, images.path, "at least one image", () => "none");
  const wanted = `images of ${height}×${width}`;
  check(size[0] === height && size[1] === width, images.path, wanted, () => size.join("×"));
  check(classOf.length === count, labels.path, `${count} labels, one for each image of ${images.path}`, () =>
    String(classOf.length),
  );
  checkLabels(labels.path, classOf, classes);
  return { images: data, labels: classOf, count };
}

/** The bytes of an IDX file of images ([count, height, width]) or labels ([count]). */
export function writeIdx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0800 + shape.length);
  shape.forEach((n, axis) => view.setUint32(4 + 4 * axis, n));
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}
