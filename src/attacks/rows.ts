// Rows of batches on the host: taken, put back, and never one alone.

/** Rows of `width` numbers at `rows`, copied. */
export function takeRows(values: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => out.set(values.subarray(row * width, (row + 1) * width), i * width));
  return out;
}

/** Writes the rows of `from` to `into` at `rows`; what `from` has more is left out. */
export function putRows(
  into: Float32Array,
  width: number,
  rows: readonly number[],
  from: Float32Array,
): void {
  rows.forEach((row, i) => into.set(from.subarray(i * width, (i + 1) * width), row * width));
}

/** The labels at `rows`. */
export const takeLabels = (labels: Int32Array, rows: readonly number[]): Int32Array =>
  Int32Array.from(rows, (row) => labels[row] ?? 0);

/** One row doubled: products of one row differ in their last bits from those of two and more. */
export const atLeastTwo = (rows: readonly number[]): readonly number[] =>
  rows.length === 1 ? [...rows, ...rows] : rows;

/** 0 … n − 1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
