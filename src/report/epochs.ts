// Epochs as an axis, and what was measured after them.
import type { MetricsLine } from "../experiments/records.js";
import type { Axes } from "./chart.js";

/** 1 … last, at most about seven numbers, all whole. */
function epochTicks(last: number): number[] {
  const step = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000].find((each) => last / each <= 7) ?? last;
  const ticks = Array.from({ length: Math.floor(last / step) }, (_, i) => (i + 1) * step);
  return step === 1 ? ticks : [1, ...ticks];
}

/** Ends and ticks of the axis to epoch `last`. */
export const epochAxis = (last: number): Axes["x"] => ({
  label: "epoch",
  domain: [Math.min(1, last - 1), last],
  ticks: epochTicks(last),
});

/** Errors of the weights after an epoch, by the images they were measured on. */
export const splitErrors = { test: "testError", validation: "validationError" } as const;
export type MeasuredSplit = keyof typeof splitErrors;

/** The images on which the lines have errors. */
export const splitsOf = (lines: readonly MetricsLine[]): MeasuredSplit[] =>
  (["test", "validation"] as const).filter((split) =>
    lines.some(({ metrics }) => splitErrors[split] in metrics),
  );
