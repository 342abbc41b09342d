// Batches: the order of an epoch, its division into batches, and the rows of a batch as float32.
import { check } from "../base/errors.js";
import { randomStream } from "../base/random.js";
import type { Split, AnySplit } from "./dataset.js";

/** The order in which epoch `epoch` (from 0) visits `count` rows: every index exactly once. */
export const epochOrder = (
  count: number,
  { seed, epoch }: { readonly seed: number; readonly epoch: number },
): Uint32Array => randomStream(seed, "shuffle").permutation(count, { sample: 0, round: epoch });

/** Positions [start, end) of an epoch's order. */
export interface BatchRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Divides `count` rows into batches of `batchSize`; the last short batch is used. A rest of exactly one row joins
 * the batch before it, which is then `batchSize` + 1 long: products of one row differ in their last bits from
 * those of two and more. One-row batches remain where they are asked for (`count` or `batchSize` of 1).
 */
export function batchRanges(count: number, batchSize: number): BatchRange[] {
  const whole = "a whole number of at least 1";
  check(Number.isInteger(count) && count > 0, "batches: count", whole, () => String(count));
  check(Number.isInteger(batchSize) && batchSize > 0, "batches: batch size", whole, () => String(batchSize));
  const joins = batchSize > 1 && count > batchSize && count % batchSize === 1;
  const batches = Math.ceil(count / batchSize) - (joins ? 1 : 0);
  return Array.from({ length: batches }, (_, i) => ({
    start: i * batchSize,
    end: i === batches - 1 ? count : (i + 1) * batchSize,
  }));
}

/** The rows of `size` numbers at `indices`, one after the other, into `out` from `offset`. */
export function copyRows(
  values: Uint8Array | Float32Array,
  size: number,
  indices: ArrayLike<number>,
  out: Uint8Array | Float32Array,
  offset = 0,
): void {
  for (let row = 0; row < indices.length; row++) {
    const from = (indices[row] ?? 0) * size;
    out.set(values.subarray(from, from + size), offset + row * size);
  }
}

/** The images at `indices` as the split has them, bytes or values, `size` numbers each, one after the other. */
export function readRows(
  split: AnySplit,
  size: number,
  indices: Uint32Array,
): Promise<Uint8Array | Float32Array> {
  if ("rows" in split) return split.rows(indices);
  const length = indices.length * size;
  const out = split.images instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  copyRows(split.images, size, indices, out);
  return Promise.resolve(out);
}

/**
 * The values of the images at `indices` – of bytes, byte / 255 rounded to float32 –, one row of `size` after the other,
 * into `out` from `offset`.
 */
export function gatherRows(
  images: Uint8Array | Float32Array,
  size: number,
  indices: ArrayLike<number>,
  out: Float32Array,
  offset = 0,
): void {
  copyRows(images, size, indices, out, offset);
  if (images instanceof Uint8Array) scale(out.subarray(offset, offset + indices.length * size), 1 / 255);
}

/** Multiplies in place, four at a time: with the native copy before it, 1.7 × the speed of one plain loop. */
function scale(values: Float32Array, factor: number): void {
  const whole = values.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    values[i] = (values[i] ?? 0) * factor;
    values[i + 1] = (values[i + 1] ?? 0) * factor;
    values[i + 2] = (values[i + 2] ?? 0) * factor;
    values[i + 3] = (values[i + 3] ?? 0) * factor;
  }
  for (let i = whole; i < values.length; i++) values[i] = (values[i] ?? 0) * factor;
}

/** The values of the images at `indices`, one row of `size` after the other. */
export async function readValues(split: AnySplit, size: number, indices: Uint32Array): Promise<Float32Array> {
  const out = new Float32Array(indices.length * size);
  if (!("rows" in split)) gatherRows(split.images, size, indices, out);
  else {
    out.set(await split.rows(indices));
    scale(out, 1 / 255);
  }
  return out;
}

/** Images that are read together where all of a split are. */
const readAtOnce = 256;

/** `split` with all its images of `size` numbers in memory. */
export async function inMemory(split: AnySplit, size: number): Promise<Split> {
  if (!("rows" in split)) return split;
  const { labels, count, rows } = split;
  const images = new Uint8Array(count * size);
  for (let from = 0; from < count; from += readAtOnce) {
    const indices = Uint32Array.from({ length: Math.min(readAtOnce, count - from) }, (_, i) => from + i);
    images.set(await rows(indices), from * size);
  }
  return { images, labels, count };
}

/** The labels at `indices`, into `out` from `offset`. */
export function gatherLabels(
  labels: Split["labels"],
  indices: ArrayLike<number>,
  out: Int32Array,
  offset = 0,
): void {
  for (let row = 0; row < indices.length; row++) out[offset + row] = labels[indices[row] ?? 0] ?? 0;
}
