// The images that an attack did most to: kept as batches go by, so that memory does not grow with the images.
import type { Predictions } from "./predictor.js";

export interface WorstPoint {
  readonly index: number;
  /**
   * By how much the strongest wrong class leads the right one, in logits; for attacks that look for the nearest point
   * minus its distance.
   */
  readonly score: number;
  readonly point: Float32Array;
}

/** The `most` worst of `points`; of equal ones the first images. */
export const worstOf = (points: readonly WorstPoint[], most: number): WorstPoint[] =>
  points.toSorted((a, b) => b.score - a.score || a.index - b.index).slice(0, most);

/** [rows]: by how much the strongest other class leads each row's `labels`; 0 where outputs are not finite. */
export function leads({ outputs }: Predictions, labels: readonly number[]): Float64Array {
  const classes = outputs.length / labels.length;
  return Float64Array.from(labels, (label, row) => {
    const own = outputs.subarray(row * classes, (row + 1) * classes);
    const best = own.reduce((max, z, k) => (k === label ? max : Math.max(max, z)), -Infinity);
    const lead = best - (own[label] ?? NaN);
    return Number.isFinite(lead) ? lead : 0;
  });
}
