// Which epoch's weights a training ends with, and when it ends before its last epoch: by error on validation images.
import type { EpochRecord } from "./training-state.js";

/** Ends a training that has not gained more than `minDelta` in validation accuracy for `patience` epochs. */
export interface EarlyStopping {
  /** Epochs without a gain, at least 1. */
  readonly patience: number;
  /** A gain is more than this above the accuracy of the last gain; a share. */
  readonly minDelta: number;
}

/** An epoch and what was measured of it. */
export type Measured = Pick<EpochRecord, "epoch" | "metrics">;

/** The metric that both look at, 1 − accuracy. */
export const validationError = "validationError";

const errorOf = ({ metrics }: Measured): number => metrics[validationError] ?? NaN;

/** The epoch (from 0) of the lowest validation error, the first of equal ones; −1 where none was measured. */
export function bestEpoch(history: readonly Measured[]): number {
  let best: Measured | undefined;
  for (const record of history)
    if (errorOf(record) < (best === undefined ? Infinity : errorOf(best))) best = record;
  return best?.epoch ?? -1;
}

/** Whether the last `patience` epochs brought no gain: what EarlyStopping(min_delta, patience) does in Keras. */
export function hasStopped(history: readonly Measured[], { patience, minDelta }: EarlyStopping): boolean {
  let [best, waited] = [Infinity, 0];
  for (const record of history) {
    const error = errorOf(record);
    const gained = best - error > minDelta;
    waited = gained ? 0 : waited + 1;
    if (gained) best = error;
  }
  return waited >= patience;
}
