// The runner's own hand on ball and box: an attack that leaves them cannot report success there.
import { roundingUnit, type Threat } from "../threat/threat.js";
import type { Bounds } from "../threat/threat.js";

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

/** Scales the row's perturbation down to ε; a scaled-down perturbation is inside any ball. */
function pullBack(row: Float32Array, original: Float32Array, factor: number): void {
  row.forEach((v, i) => {
    const x = original[i] ?? 0;
    row[i] = x + (v - x) * factor;
  });
}

/** `adversarial` as it may count: finite, within ε (up to rounding) of `originals`, and within the bounds. */
export function enforce(
  threat: Threat,
  originals: Float32Array,
  adversarial: Float32Array,
  { epsilon, bounds, columns }: Limits,
): Enforced {
  const points = adversarial.slice();
  const [low, high] = bounds;
  const [unit, tolerance] = [roundingUnit(bounds), threat.tolerance(columns, bounds)];
  let [outside, nonFinite] = [0, 0];
  for (let from = 0; from < points.length; from += columns) {
    const row = points.subarray(from, from + columns);
    const original = originals.subarray(from, from + columns);
    if (!row.every(Number.isFinite)) {
      nonFinite++;
      row.set(original);
    }
    const [distance = 0] = threat.distance(
      row.map((v, i) => v - (original[i] ?? 0)),
      columns,
    );
    const beyond = row.some((v) => v < low - unit || v > high + unit);
    if (distance > epsilon + tolerance || beyond) outside++;
    if (distance > epsilon + tolerance) pullBack(row, original, epsilon / distance);
    row.forEach((v, i) => (row[i] = Math.min(Math.max(v, low), high)));
  }
  return { points, outside, nonFinite };
}
