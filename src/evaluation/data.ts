// The images an evaluation reads, a batch at a time, so that memory does not grow with their number.
import { check } from "../base/errors.js";
import { count } from "../base/shape.js";
import { gatherRows } from "../data/batches.js";
import type { Classifier } from "../nn/model.js";

export interface EvaluationData {
  readonly count: number;
  /** [count], the true classes. */
  readonly labels: ArrayLike<number>;
  /** The inputs at `indices`, one after the other, in a new array; within the classifier's bounds. */
  rows(indices: readonly number[]): Float32Array | Promise<Float32Array>;
}

/** Images as inputs, raw bytes as byte / 255; `size` numbers an image. */
export const pixelData = (
  images: Uint8Array | Float32Array,
  labels: ArrayLike<number>,
  size: number,
): EvaluationData => ({
  count: images.length / size,
  labels,
  rows(indices) {
    const out = new Float32Array(indices.length * size);
    gatherRows(images, size, indices, out);
    return out;
  },
});

/** What float noise may add to a bound before it is an error. */
const slack = 1e-6;

/** `data.rows` behind checks: the right size, and within `bounds` up to float noise, which is clipped. */
export function checkedRows(
  data: EvaluationData,
  { model, bounds: [low, high] }: Classifier,
): (indices: readonly number[]) => Promise<Float32Array> {
  const size = count(model.inputShape);
  return async (indices) => {
    const values = await data.rows(indices);
    check(values.length === indices.length * size, "evaluate", `${size} numbers an image`, () =>
      String(values.length / indices.length),
    );
    for (let i = 0; i < values.length; i++) {
      const v = values[i] ?? NaN;
      if (v >= low && v <= high) continue;
      const near = v >= low - slack && v <= high + slack;
      check(near, "evaluate", `inputs in [${low}, ${high}]`, () => {
        return `${v} in image ${indices[Math.floor(i / size)]}`;
      });
      values[i] = v < low ? low : high;
    }
    return values;
  };
}

/** Throws unless each of the first `n` labels is a class. */
export function checkLabels(labels: ArrayLike<number>, n: number, classes: number): void {
  for (let i = 0; i < n; i++) {
    const label = labels[i] ?? NaN;
    const valid = Number.isInteger(label) && label >= 0 && label < classes;
    check(valid, "evaluate", `labels from 0 to ${classes - 1}`, () => `${label} at image ${i}`);
  }
}
