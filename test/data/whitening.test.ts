// ZCA's matrix: Newton–Schulz in the engine against an eigendecomposition, by both of its ways.
import { afterAll, describe, expect, it } from "vitest";
import { scalings } from "../../src/data/whitening/inverse-root.js";
import { whitening } from "../../src/data/whitening/whitening.js";
import { localEngine } from "../../src/runtime/engine.js";
import { randomStream } from "../../src/base/random.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

/** Rows whose deviations along mixed directions span four powers of ten. */
function drawn(count: number, columns: number): Float32Array {
  const normal = new Float32Array(count * columns);
  randomStream(0, "rows").normal(normal, { sample: 0 });
  return normal.map((value, i) => {
    const j = i % columns;
    const shared = normal[i - j] ?? 0;
    return 0.3 + shared * 5 + value * 10 ** (-4 * (j / columns));
  });
}

async function* inBatches(rows: Float32Array, columns: number, size: number): AsyncGenerator<Float32Array> {
  for (let from = 0; from < rows.length; from += size * columns)
    yield await Promise.resolve(rows.slice(from, from + size * columns));
}

/** Eigenvalues of a symmetric matrix and its eigenvectors as columns, by Jacobi's rotations. */
function eigen(matrix: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice();
  const vectors = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  const at = (m: Float64Array, i: number, j: number): number => m[i * n + j] ?? NaN;
  for (let sweep = 0; sweep < 30; sweep++)
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(at(a, p, q)) < 1e-300) continue;
        const theta = (at(a, q, q) - at(a, p, p)) / (2 * at(a, p, q));
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(1, theta));
        const c = 1 / Math.hypot(1, t);
        const turn = (m: Float64Array, i: number, j: number): void => {
          const [x, y] = [m[i] ?? 0, m[j] ?? 0];
          [m[i], m[j]] = [c * x - c * t * y, c * t * x + c * y];
        };
        for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q);
        for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k);
        for (let k = 0; k < n; k++) turn(vectors, k * n + p, k * n + q);
      }
  return { values: Float64Array.from({ length: n }, (_, i) => at(a, i, i)), vectors };
}

/** The same by the definition. */
function byHand(rows: Float32Array, columns: number, divisor: number, regularization: number) {
  const count = rows.length / columns;
  const mean = Float64Array.from({ length: columns }, (_, j) => {
    let total = 0;
    for (let i = 0; i < count; i++) total += rows[i * columns + j] ?? 0;
    return total / count;
  });
  const covariance = new Float64Array(columns * columns);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < columns; j++)
      for (let k = 0; k < columns; k++) {
        const [x = 0, y = 0] = [rows[i * columns + j], rows[i * columns + k]];
        covariance[j * columns + k] =
          (covariance[j * columns + k] ?? 0) + ((x - (mean[j] ?? 0)) * (y - (mean[k] ?? 0))) / divisor;
      }
  const { values, vectors } = eigen(covariance, columns);
  const matrix = Float64Array.from({ length: columns * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return values.reduce(
      (sum, value, e) =>
        sum +
        ((vectors[row * columns + e] ?? 0) * (vectors[column * columns + e] ?? 0)) /
          Math.sqrt(value + regularization),
      0,
    );
  });
  return { mean, matrix };
}

const largest = (values: Float64Array): number => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

describe("whitening", () => {
  it.each([
    ["more rows than columns", 300, 24, "n", 0.1],
    ["the other divisor, eigenvalues over eight powers of ten", 300, 24, "n-1", 1e-6],
    ["fewer rows than columns", 17, 24, "n", 0.1],
    ["fewer rows, the other divisor, little regularization", 17, 24, "n-1", 1e-5],
  ] as const)(
    "is what an eigendecomposition gives: %s",
    async (_, count, columns, divisor, regularization) => {
      const rows = drawn(count, columns);
      const options = { count, columns, divisor, regularization, engine };
      const found = await whitening(inBatches(rows, columns, 100), options);
      const wanted = byHand(rows, columns, divisor === "n" ? count : count - 1, regularization);
      expect(largest(found.mean.map((x, i) => x - (wanted.mean[i] ?? 0)))).toBeLessThan(1e-9);
      const scale = largest(wanted.matrix);
      expect(largest(found.matrix.map((x, i) => x - (wanted.matrix[i] ?? 0))) / scale).toBeLessThan(1e-6);
      expect(found.matrix[1]).toBe(found.matrix[columns]);
    },
  );

  it("takes few iterations, whatever the condition of the matrix", () => {
    expect(scalings(Math.sqrt(1e-5 / 200))).toHaveLength(13);
    expect(scalings(1)).toHaveLength(0);
  });
});
