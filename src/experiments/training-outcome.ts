// What a row says of its training: epochs run, the epoch chosen, the mean of the last ones.
import { bestEpoch, type Measured } from "../defenses/selection.js";
import type { ResultRow } from "./records.js";
import type { Training } from "./training-section.js";

/** The mean of `values`; NaN where there are none. */
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Fields of a row, from the epochs of its training; epochs in rows count from 1. */
export function trainingOutcome(
  { meanOfLast, restoreBest, earlyStopping }: Pick<Training, "meanOfLast" | "restoreBest" | "earlyStopping">,
  history: readonly Measured[],
): Pick<ResultRow, "epochs" | "bestEpoch" | "meanOfLast"> {
  const last = history.slice(-(meanOfLast ?? 0));
  const testError = mean(last.map(({ metrics }) => metrics["testError"] ?? NaN));
  return {
    epochs: history.length,
    ...((restoreBest === true || earlyStopping) && { bestEpoch: bestEpoch(history) + 1 }),
    ...(meanOfLast !== undefined && { meanOfLast: { epochs: last.length, testError } }),
  };
}
