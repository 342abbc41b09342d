// The whitening matrix (C + r·1)^(−½) of rows with covariance C, by whichever way is shorter.
import type { Engine } from "../../runtime/engine.js";
import { covariance } from "./covariance.js";
import { inverseRoot } from "./inverse-root.js";
import { product, type Matrix } from "./product.js";

export interface WhiteningOptions {
  /** Rows of all batches together. */
  readonly count: number;
  readonly columns: number;
  /** Of the covariance: the number of rows, or one less. */
  readonly divisor: "n" | "n-1";
  /** r > 0, added to the covariance's eigenvalues. */
  readonly regularization: number;
  readonly engine: Engine;
  readonly signal?: AbortSignal | undefined;
}

export interface Whitening {
  /** [columns]. */
  readonly mean: Float64Array;
  /** Symmetric, [columns, columns]. */
  readonly matrix: Float64Array;
}

type Batches = AsyncIterable<Float32Array>;

/** Adds `value` to the diagonal, in place. */
function addToDiagonal(matrix: Float64Array, size: number, value: number): void {
  for (let i = 0; i < size; i++) matrix[i * (size + 1)] = (matrix[i * (size + 1)] ?? 0) + value;
}

/** By the covariance itself. */
async function ofMany(batches: Batches, options: WhiteningOptions): Promise<Whitening> {
  const { columns, regularization } = options;
  const { mean, matrix } = await covariance(batches, options);
  addToDiagonal(matrix, columns, regularization);
  return { mean, matrix: await inverseRoot(matrix, { ...options, least: regularization }) };
}

/** The rows, less their mean. */
async function centered(
  batches: Batches,
  { count, columns }: WhiteningOptions,
): Promise<{ readonly mean: Float64Array; readonly x: Matrix }> {
  const data = new Float64Array(count * columns);
  let row = 0;
  for await (const batch of batches) {
    data.set(batch, row * columns);
    row += batch.length / columns;
  }
  const mean = new Float64Array(columns);
  data.forEach((value, i) => (mean[i % columns] = (mean[i % columns] ?? 0) + value / count));
  data.forEach((value, i) => (data[i] = value - (mean[i % columns] ?? 0)));
  return { mean, x: { rows: count, columns, data } };
}

/**
 * By the products of the n centred rows X with each other. With A = XXᵀ/m + r, R = A^½ and S = √r·A + r·R,
 * (XᵀX/m + r)^(−½) = 1/√r − XᵀS⁻¹X/m.
 */
async function ofFew(batches: Batches, options: WhiteningOptions): Promise<Whitening> {
  const { count, columns, divisor, regularization: r, engine, signal } = options;
  const { mean, x } = await centered(batches, options);
  const m = divisor === "n" ? count : count - 1;
  const square = (data: Float64Array): Matrix => ({ rows: count, columns: count, data });
  const a = (await product(engine, x, x, { transposeB: true })).data.map((value) => value / m);
  addToDiagonal(a, count, r);
  const inverse = await inverseRoot(a, { least: r, engine, signal });
  const root = await product(engine, square(a), square(inverse));
  const s = a.map((value, i) => Math.sqrt(r) * value + r * (root.data[i] ?? 0));
  const half = await inverseRoot(s, { least: 2 * r ** 1.5, engine, signal });
  const v = await product(engine, square(half), x);
  const matrix = (await product(engine, v, v, { transposeA: true })).data.map((value) => -value / m);
  addToDiagonal(matrix, columns, 1 / Math.sqrt(r));
  return { mean, matrix };
}

/**
 * About the memory that `whitening` takes, bytes: measured, of the square matrix whose root is taken 130 a number; where
 * that is not the result, 70 a number of the result beside it.
 */
export const whiteningBytes = (columns: number, count: number): number =>
  130 * Math.min(count, columns) ** 2 + (count < columns ? 70 * columns ** 2 : 0);

/** Mean of the rows of `batches`, [rows, columns] each, and the matrix that whitens them. */
export const whitening = (batches: Batches, options: WhiteningOptions): Promise<Whitening> =>
  (options.count < options.columns ? ofFew : ofMany)(batches, options);
