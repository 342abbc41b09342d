// The runner's own hand on ball and box: an attack that leaves them cannot report success there.
import { roundingUnit, type Bounds, type Threat } from "../threat/threat.js";

export interface Enforced {
  /** [rows, columns], in ball and box. */
  readonly points: Float32Array;
  /** Rows that had left ball or box by more than the tolerance. */
  readonly outside: number;
  /** Rows that held infinite numbers or none at all; the original stands in their place. */
  readonly nonFinite: number;
}

export interface Limits {
  readonly epsilon: number;
  readonly bounds: Bounds;
  /** Numbers in one row. */
  readonly columns: number;
}

/** Numbers for rounding to be measured by: the bounds, or where they end nowhere the largest of `row` on either side. */
function scaleOf(bounds: Bounds, row: Float32Array): Bounds {
  if (bounds.every(Number.isFinite)) return bounds;
  const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return [-largest, largest];
}

/** Whether every number is finite. */
function allFinite(values: Float32Array): boolean {
  for (const value of values) if (!Number.isFinite(value)) return false;
  return true;
}

/** Clips in place; returns whether a number lay beyond the bounds by more than `slack`. */
function clipInto(values: Float32Array, [low, high]: Bounds, slack: number): boolean {
  let beyond = false;
  for (let i = 0; i < values.length; i++) {
    const v = values[i] ?? NaN;
    if (v >= low && v <= high) continue;
    beyond ||= v < low - slack || v > high + slack;
    values[i] = v < low ? low : high;
  }
  return beyond;
}

/** a − b. */
export function difference(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = (a[i] ?? NaN) - (b[i] ?? NaN);
  return out;
}

/** `adversarial` as it may count: finite, within ε (up to rounding) of `originals`, and within the bounds. */
export function enforce(
  threat: Threat,
  originals: Float32Array,
  adversarial: Float32Array,
  { epsilon, bounds, columns }: Limits,
): Enforced {
  const points = adversarial.slice();
  let [outside, nonFinite] = [0, 0];
  for (let from = 0; from < points.length; from += columns) {
    const row = points.subarray(from, from + columns);
    const original = originals.subarray(from, from + columns);
    const scale = scaleOf(bounds, original);
    const [slack, tolerance] = [roundingUnit(scale), threat.tolerance(columns, scale)];
    if (!allFinite(row)) {
      nonFinite++;
      row.set(original);
    }
    const delta = difference(row, original);
    const [distance = 0] = threat.distance(delta, columns);
    const tooFar = distance > epsilon + tolerance;
    if (tooFar) {
      threat.withdraw(delta, { epsilon, distance });
      delta.forEach((d, i) => (row[i] = (original[i] ?? 0) + d));
    }
    const beyond = clipInto(row, bounds, slack);
    if (tooFar || beyond) outside++;
  }
  return { points, outside, nonFinite };
}
