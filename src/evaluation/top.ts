// Top-k accuracy: whether the true class is among the k classes that the model thinks likeliest.
import { check } from "../base/errors.js";

/** Share of the n clean images whose label is among the k highest outputs. */
export interface TopRecord {
  readonly k: number;
  readonly accuracy: number;
}

/** Throws unless each k says more than accuracy does and less than nothing: 2 to classes − 1. */
export function checkTop(where: string, top: readonly number[], classes: number): void {
  const wrong = top.find((k) => !Number.isInteger(k) || k < 2 || k >= classes);
  check(
    wrong === undefined,
    where,
    classes < 3 ? "nothing for two classes" : `whole numbers from 2 to ${classes - 1}`,
    () => String(wrong),
  );
}

/**
 * How many classes each row of `outputs` [rows, classes] puts before its label: those with a higher output, and of equal
 * ones those that come first, as the prediction does. All of them where an output is not a number.
 */
export function ranks(outputs: Float32Array, classes: number, labels: ArrayLike<number>): Int32Array {
  return Int32Array.from({ length: outputs.length / classes }, (_, row) => {
    const values = outputs.subarray(row * classes, (row + 1) * classes);
    if (values.some(Number.isNaN)) return classes;
    const label = labels[row] ?? 0;
    const own = values[label] ?? 0;
    return values.filter((value, i) => value > own || (value === own && i < label)).length;
  });
}
