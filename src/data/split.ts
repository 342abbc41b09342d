// Parts of a split: chosen rows, the first rows, and a validation part.
import { check, fail } from "../base/errors.js";
import { randomStream } from "../base/random.js";
import type { AnySplit, Split } from "./dataset.js";

/** The rows at `indices`, in that order, copied; an index may come twice. */
export function subset(split: Split, indices: ArrayLike<number>): Split {
  const size = split.images.length / split.count;
  const count = indices.length;
  const images = new (split.images instanceof Uint8Array ? Uint8Array : Float32Array)(count * size);
  const labels = new (split.labels instanceof Uint8Array ? Uint8Array : Int32Array)(count);
  for (let row = 0; row < count; row++) {
    const index = indices[row] ?? -1;
    if (!Number.isInteger(index) || index < 0 || index >= split.count)
      fail("subset", `indices from 0 to ${split.count - 1}`, `${index} at position ${row}`);
    images.set(split.images.subarray(index * size, (index + 1) * size), row * size);
    labels[row] = split.labels[index] ?? 0;
  }
  return { images, labels, count };
}

/** The rows from `start` up to `end`, as views of the same memory or readers of the same files. */
function rows(split: Split, start: number, end: number): Split;
function rows(split: AnySplit, start: number, end: number): AnySplit;
function rows(split: AnySplit, start: number, end: number): AnySplit {
  const part = { labels: split.labels.subarray(start, end), count: end - start };
  if ("rows" in split) {
    const identity = `${split.identity} ${start}-${end}`;
    return { ...part, identity, rows: (indices) => split.rows(indices.map((index) => start + index)) };
  }
  const size = split.images.length / split.count;
  return { ...part, images: split.images.subarray(start * size, end * size) };
}

/** The first `n` rows (all, if there are fewer), none of them copied: indices stay what they were. */
export function limit(split: Split, n: number): Split;
export function limit(split: AnySplit, n: number): AnySplit;
export function limit(split: AnySplit, n: number): AnySplit {
  check(Number.isInteger(n) && n > 0, "limit", "a whole number of at least 1", () => String(n));
  return n >= split.count ? split : rows(split, 0, n);
}

/** How many rows to hold out and which: the last ones, or a draw from the stream "validation" under `seed`. */
export type HoldOut =
  | { readonly validation: number; readonly by: "last" }
  | { readonly validation: number; readonly by: "permutation"; readonly seed: number };

/** The two parts of a split. */
interface HeldOut<S extends AnySplit> {
  readonly train: S;
  readonly validation: S;
}

/** How many rows are left; throws unless a validation part of `validation` rows leaves at least one. */
function keptRows({ count }: AnySplit, validation: number): number {
  const inRange = Number.isInteger(validation) && validation > 0 && validation < count;
  check(inRange, "validation", `a whole number from 1 to ${count - 1}`, () => String(validation));
  return count - validation;
}

/** Splits off the last `validation` rows, at least one, leaving at least one; none is copied. */
export function holdOutLast(split: Split, validation: number): HeldOut<Split>;
export function holdOutLast(split: AnySplit, validation: number): HeldOut<AnySplit>;
export function holdOutLast(split: AnySplit, validation: number): HeldOut<AnySplit> {
  const kept = keptRows(split, validation);
  return { train: rows(split, 0, kept), validation: rows(split, kept, split.count) };
}

/** Splits off a validation part of at least one row, leaving at least one; both keep the order of the rows. */
export function splitValidation(split: Split, holdOut: HoldOut): HeldOut<Split> {
  const { count } = split;
  const kept = keptRows(split, holdOut.validation);
  if (holdOut.by === "last") return holdOutLast(split, holdOut.validation);
  const order = randomStream(holdOut.seed, "validation").permutation(count, { sample: 0 });
  return {
    train: subset(split, order.subarray(0, kept).sort()),
    validation: subset(split, order.subarray(kept).sort()),
  };
}
