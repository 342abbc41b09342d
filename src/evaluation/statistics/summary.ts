// Several figures of one kind – one a seed – brought together.
import { check } from "../../base/errors.js";

export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation, √(Σ(x − mean)² / (n − 1)); null for a single figure. */
  readonly sd: number | null;
  /** The middle one, or the mean of the two in the middle. */
  readonly median: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The middle of `values`, of which there is at least one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}

/** Mean, sample standard deviation and median of `values`; throws where there is none. */
export function summarize(values: readonly number[]): Summary {
  const n = values.length;
  check(n > 0, "summarize", "at least one figure", () => "none");
  const mean = sum(values) / n;
  const sd = n < 2 ? null : Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (n - 1));
  return { n, mean, sd, median: median(values) };
}
