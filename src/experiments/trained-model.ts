// The training of a trial: done once, from the last checkpoint if there is one, and found again.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { check } from "../base/errors.js";
import { inMemory } from "../data/batches.js";
import { imageSize, type AnyDataset } from "../data/dataset.js";
import { writeWhole } from "../data/disk.js";
import {
  checkpointHistory,
  checkpointProgress,
  dropCheckpoint,
  type CheckpointProgress,
} from "../defenses/checkpoint.js";
import type { Progress } from "../defenses/train.js";
import type { EpochRecord } from "../defenses/training-state.js";
import { exportClassifier } from "../nn/classifier.js";
import type { Weights } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import { makeAugmentation } from "./augmentation.js";
import { trialEnvironmentOf } from "./environment.js";
import { harden, type Hardened, type HardenOptions } from "./harden.js";
import { networkOf, overPixels, seesPreprocessed } from "./input-preprocessing.js";
import { inputUpdatesOf, writeInputUpdates } from "./input-updates.js";
import { make, trainingOf } from "./recipe.js";
import { metricsLine, trialEnvironment, type MetricsLine } from "./records.js";
import { paths, readJson, writeJson } from "./store.js";
import { originOf, trainingIdentity, type Trial } from "./trials.js";

export interface TrainingContext {
  readonly dataset: HardenOptions["dataset"] & Pick<AnyDataset, "train">;
  /** Values of the recipe's preprocessing; null where it has none. */
  readonly fitted: Weights | null;
  readonly folder: string;
  readonly engine: Engine;
  readonly signal: AbortSignal;
  /** Seconds between checkpoints. */
  readonly saveEvery: number;
  readonly onEpoch: (line: MetricsLine) => void;
  readonly onProgress: (progress: Progress) => void;
}

const trainingFile = z.strictObject({
  schema: z.literal(1),
  identity: z.string(),
  model: z.string().describe("sha256 of the model's file"),
  network: z.string().optional().describe("sha256 of the file of the network over preprocessed images"),
  seconds: z.number(),
  processorSeconds: z.number().nullable().optional(),
  metrics: z.array(metricsLine),
  environment: trialEnvironment.optional().describe("of the training"),
});

export type TrainingRecord = z.output<typeof trainingFile>;

const toLines = (trial: Trial, history: readonly EpochRecord[]): MetricsLine[] =>
  history.map(({ epoch, learningRate, metrics }) => ({
    trial: trial.name,
    ...originOf(trial),
    epoch: epoch + 1,
    learningRate,
    metrics: { ...metrics },
  }));

/** Trains from the last checkpoint, or from the start; methods that move their inputs have all of them in memory. */
async function trainTrial(context: TrainingContext, trial: Trial): Promise<Hardened> {
  const { folder, onEpoch, saveEvery, dataset, engine, signal, onProgress } = context;
  const { recipe } = trial;
  const { optimizer, augmentation, meanOfLast: _, ...training } = trainingOf(recipe, trial.method);
  const defenses = trial.method.defenses.map(make.defense);
  const { train, imageShape } = dataset;
  const isMoved = defenses.some(({ movesInputs }) => movesInputs);
  return harden({
    ...training,
    dataset: isMoved ? { ...dataset, train: await inMemory(train, imageSize(imageShape)) } : dataset,
    engine,
    signal,
    onProgress,
    model: networkOf(recipe, context.fitted),
    defenses,
    optimizer: make.optimizer(optimizer),
    augmentation: makeAugmentation(augmentation),
    seed: trial.seed,
    name: trial.name,
    metadata: metadataOf(trial),
    checkpoint: {
      folder: join(folder, paths.checkpoint(trial.name)),
      identity: trainingIdentity(trial),
      every: saveEvery,
    },
    onEpoch: (record) => toLines(trial, [record]).forEach(onEpoch),
  });
}

/** Of a file, in hexadecimal digits. */
export const sha256 = (file: Uint8Array): string => createHash("sha256").update(file).digest("hex");

/** The record of a training that is done, if it is of this recipe and its model still lies where it was put. */
export async function doneTraining(folder: string, trial: Trial): Promise<TrainingRecord | null> {
  const known = await readJson(join(folder, paths.training(trial.name)), trainingFile);
  if (known?.identity !== trainingIdentity(trial)) return null;
  const isThere = async (path: string, digest: string): Promise<boolean> => {
    const file = await readFile(join(folder, path)).catch(() => null);
    return file !== null && sha256(file) === digest;
  };
  if (!(await isThere(paths.model(trial.name), known.model))) return null;
  const { network } = known;
  return network === undefined || (await isThere(paths.network(trial.name), network)) ? known : null;
}

/** Path of the file that attacks meet: the model's, or that of its network over preprocessed images. */
export const attackedFile = ({ name, recipe }: Trial): string =>
  seesPreprocessed(recipe) ? paths.network(name) : paths.model(name);

const metadataOf = ({ method, seed }: Trial): Record<string, string> => ({
  method: method.name,
  seed: String(seed),
});

/** Writes the model's file over pixels; where methods see preprocessed images, that of its network beside it. */
async function writeModel(
  { folder, fitted }: TrainingContext,
  trial: Trial,
  { classifier, file }: Hardened,
): Promise<Pick<TrainingRecord, "model" | "network">> {
  const { name, recipe } = trial;
  if (!seesPreprocessed(recipe)) {
    await writeWhole(join(folder, paths.model(name)), file);
    return { model: sha256(file) };
  }
  const whole = exportClassifier(overPixels(recipe, classifier, fitted ?? {}), metadataOf(trial));
  await writeWhole(join(folder, paths.network(name)), file);
  await writeWhole(join(folder, paths.model(name)), whole);
  return { model: sha256(whole), network: sha256(file) };
}

/** Whether another training has been done under the trial's name, which this one would take the place of. */
export async function takesPlace(folder: string, trial: Trial): Promise<boolean> {
  const known = await readJson(join(folder, paths.training(trial.name)), trainingFile);
  return known !== null && known.identity !== trainingIdentity(trial);
}

/** Throws where what was trained before would be lost: a recipe may be added to, not changed in what it has trained. */
export async function checkKept(folder: string, trials: readonly Trial[]): Promise<void> {
  for (const trial of trials)
    check(
      !(await takesPlace(folder, trial)),
      folder,
      "trainings of this recipe",
      () => `another one of ${trial.name} (use --fresh to start over, or --out for another folder)`,
    );
}

/** The trained model's file; trains if it is not there or not of this recipe. */
export async function trainedModel(context: TrainingContext, trial: Trial): Promise<TrainingRecord> {
  const { folder } = context;
  const known = await doneTraining(folder, trial);
  if (known !== null) return known;
  const trained = await trainTrial(context, trial);
  const { history, snapshots, seconds, processorSeconds } = trained;
  const files = await writeModel(context, trial, trained);
  const about = { trial: trial.name, ...originOf(trial) };
  const { train, imageShape } = context.dataset;
  const updates = await inputUpdatesOf(about, snapshots, train, imageShape);
  if (updates) await writeInputUpdates(join(folder, paths.inputUpdates(trial.name)), updates);
  const identity = trainingIdentity(trial);
  const metrics = toLines(trial, history);
  const environment = trialEnvironmentOf(context.engine);
  const times = { seconds, processorSeconds };
  const done = { schema: 1 as const, identity, ...files, ...times, metrics, environment };
  await writeJson(join(folder, paths.training(trial.name)), done);
  await dropCheckpoint(join(folder, paths.checkpoint(trial.name)));
  return done;
}

/** Epochs that are behind a trial: from its training file or its last checkpoint. */
export async function knownMetrics(folder: string, trial: Trial): Promise<MetricsLine[]> {
  const identity = trainingIdentity(trial);
  const done = await readJson(join(folder, paths.training(trial.name)), trainingFile);
  if (done?.identity === identity) return done.metrics;
  return toLines(trial, await checkpointHistory(join(folder, paths.checkpoint(trial.name)), identity));
}

/** How far the trial's last checkpoint is, null where there is none. */
export const savedProgress = (folder: string, trial: Trial): Promise<CheckpointProgress | null> =>
  checkpointProgress(join(folder, paths.checkpoint(trial.name)), trainingIdentity(trial));
