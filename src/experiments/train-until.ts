// The training of a search's candidate, up to an epoch from which it may go on later; it is given no test images.
import { join } from "node:path";
import { z } from "zod";
import { Diverged, Interrupted } from "../defenses/train.js";
import type { MetricsLine } from "./records.js";
import { paths, readJson, writeJson } from "./store.js";
import { knownMetrics, trainedModel } from "./trained-model.js";
import type { TrialContext } from "./trial.js";
import { trainingIdentity, type Trial } from "./trials.js";

const divergedFile = z.strictObject({
  schema: z.literal(1),
  identity: z.string(),
  epoch: z.int().min(1).describe("in which the loss or the weights were no longer numbers"),
});

/** The epoch in which a candidate's training came to nothing; null where it did not, as far as it is. */
export async function divergedIn(folder: string, trial: Trial): Promise<number | null> {
  const known = await readJson(join(folder, paths.diverged(trial.name)), divergedFile);
  return known?.identity === trainingIdentity(trial) ? known.epoch : null;
}

/** Trains from the last checkpoint to the end of epoch `epochs`, or to the end; says on the disk where it diverges. */
export async function trainUntil(context: TrialContext, trial: Trial, epochs: number): Promise<void> {
  const { folder } = context;
  const { test: _, ...dataset } = context.dataset;
  const pause = new AbortController();
  const signal = AbortSignal.any([context.signal, pause.signal]);
  const onEpoch = (line: MetricsLine): void => {
    context.onEpoch(line);
    if (line.epoch >= epochs) pause.abort();
  };
  const diverged = (epoch: number): Promise<void> =>
    writeJson(join(folder, paths.diverged(trial.name)), {
      schema: 1,
      identity: trainingIdentity(trial),
      epoch,
    });
  try {
    await trainedModel({ ...context, dataset, signal, onEpoch }, trial);
  } catch (error) {
    if (error instanceof Diverged) return diverged(error.epoch);
    if (!(error instanceof Interrupted) || context.signal.aborted) throw error;
    // Weights that are no numbers are not saved, though the epoch's last loss was one.
    if ((await knownMetrics(folder, trial)).length < epochs) await diverged(epochs);
  }
}
