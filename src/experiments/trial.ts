// One trial: a method with a seed, trained, exported and evaluated; each part is done once and found again.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fail } from "../base/errors.js";
import { writeWhole } from "../data/disk.js";
import { splitImages } from "../data/image-set.js";
import type { Dataset } from "../data/index.js";
import {
  checkpointProgress,
  dropCheckpoint,
  loadCheckpoint,
  type CheckpointProgress,
} from "../defenses/checkpoint.js";
import type { Progress } from "../defenses/train.js";
import type { EpochRecord } from "../defenses/training-state.js";
import type { Engine } from "../runtime/engine.js";
import { importClassifier } from "../nn/imported.js";
import type { Progress as EvaluationProgress } from "../evaluation/evaluate.js";
import type { Evaluation } from "../evaluation/records.js";
import { isTransfer } from "../attacks/transfer.js";
import { assessActivations, type ActivationResults } from "./activations.js";
import { assess } from "./assess.js";
import { makeAugmentation } from "./augmentation.js";
import { contrastWith, writeContrast, type Contrast } from "./contrast.js";
import { assessCorruptions, corruptionPlan, type CorruptionResults } from "./corruptions.js";
import { correctnessOf } from "./correctness.js";
import { trialEnvironmentOf } from "./environment.js";
import { firstLayerFeatures } from "./features.js";
import { harden, type Hardened } from "./harden.js";
import { inputUpdatesOf, writeInputUpdates } from "./input-updates.js";
import { journalIdentity, openJournal, type JournalFile } from "./journal.js";
import type { RecipeFile } from "./cases.js";
import { trialName } from "./names.js";
import { make, type Method, type Recipe } from "./recipe.js";
import {
  metricsLine,
  resultRow,
  trialEnvironment,
  type Gallery,
  type MetricsLine,
  type ResultRow,
  type TrialEnvironment,
} from "./records.js";
import type { SourceFile } from "./sources.js";
import { trainingOutcome } from "./training-outcome.js";
import { paths, readJson, writeGallery, writeJson } from "./store.js";

export interface Trial {
  /** `method-seedN` or `case.method-seedN`: its folder and its model's file. */
  readonly name: string;
  /** The recipe, or the case of it. */
  readonly recipe: Recipe;
  readonly method: Method;
  readonly seed: number;
}

/** Every method of every case with every seed, in the recipe's order. */
export const trialsOf = ({ cases }: Pick<RecipeFile, "cases">): Trial[] =>
  cases.flatMap((recipe) =>
    recipe.methods.flatMap((method) =>
      recipe.seeds.map((seed) => {
        const name = trialName({ case: recipe.case, method: method.name, seed });
        return { name, recipe, method, seed };
      }),
    ),
  );

export interface TrialContext {
  readonly dataset: Dataset;
  readonly folder: string;
  readonly engine: Engine;
  /** The files among the models to craft on. */
  readonly sourceFiles: readonly SourceFile[];
  readonly signal: AbortSignal;
  /** Seconds between checkpoints. */
  readonly saveEvery: number;
  readonly onEpoch: (line: MetricsLine) => void;
  readonly onProgress: (progress: Progress) => void;
  readonly onEvaluation: (progress: EvaluationProgress) => void;
}

const hash = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex");

/** What decides a trial's weights. */
const trainingIdentity = ({ recipe, method, seed }: Trial): string => {
  const { dataset, model, training, threads } = recipe;
  return hash({ dataset, model, training, threads, method, seed });
};

/** The trials on whose models points are crafted that are tried on `trial`: all of its case that the recipe names, but itself. */
export const sourceTrials = (trial: Trial): Trial[] =>
  trialsOf({ cases: [trial.recipe] }).filter(
    ({ name, method, seed }) =>
      name !== trial.name &&
      (trial.recipe.evaluation.transferFrom ?? []).some(
        (entry) => "method" in entry && entry.method === method.name && entry.seed === seed,
      ),
  );

/** What decides a trial's row. */
export const rowIdentity = (trial: Trial, files: readonly SourceFile[]): string =>
  hash({
    training: trainingIdentity(trial),
    evaluation: trial.recipe.evaluation,
    ...(files.length > 0 && { files: files.map(({ identity }) => identity) }),
  });

const trainingFile = z.strictObject({
  schema: z.literal(1),
  identity: z.string(),
  model: z.string().describe("sha256 of the model's file"),
  seconds: z.number(),
  processorSeconds: z.number().nullable().optional(),
  metrics: z.array(metricsLine),
  environment: trialEnvironment.optional().describe("of the training"),
});

export type TrainingRecord = z.output<typeof trainingFile>;

const rowFile = z.strictObject({
  schema: z.literal(1),
  identity: z.string(),
  seconds: z.number(),
  row: resultRow,
  environment: trialEnvironment.optional().describe("of the evaluation"),
});

/** Times by the clock, and what training took of the processors: null where it was not recorded. */
type TrialSeconds = Readonly<Record<"training" | "evaluation", number>> & {
  readonly processor: number | null;
};

/** What a finished trial yields. */
export interface TrialResult {
  readonly row: ResultRow;
  readonly metrics: readonly MetricsLine[];
  readonly seconds: TrialSeconds;
}

/** A finished trial with where it comes from. */
export interface FinishedTrial extends TrialResult {
  /** Of the row: what decides it. */
  readonly identity: string;
  /** sha256 of the model's file. */
  readonly model: string;
  /** Versions and machines, where they were kept. */
  readonly environment: Readonly<Record<"training" | "evaluation", TrialEnvironment | null>>;
}

const trialSeconds = (
  { seconds, processorSeconds = null }: TrainingRecord,
  evaluation: number,
): TrialSeconds => ({ training: seconds, evaluation, processor: processorSeconds });

/** Whose result it is, as records say it. */
const originOf = ({ recipe, method, seed }: Trial) => ({
  ...(recipe.case !== undefined && { case: recipe.case }),
  method: method.name,
  seed,
});

/** Options of a method as results show them: those of its one defence, or of each by name. */
const optionsOf = ({ defenses }: Method): Record<string, unknown> => {
  const [only] = defenses;
  if (defenses.length === 1 && only) return { ...only.options };
  return Object.fromEntries(defenses.map(({ name, options }) => [name, options]));
};

const toLines = (trial: Trial, history: readonly EpochRecord[]): MetricsLine[] =>
  history.map(({ epoch, learningRate, metrics }) => ({
    trial: trial.name,
    ...originOf(trial),
    epoch: epoch + 1,
    learningRate,
    metrics: { ...metrics },
  }));

/** Trains from the last checkpoint, or from the start. */
function trainTrial(context: TrialContext, trial: Trial): Promise<Hardened> {
  const { folder, onEpoch, saveEvery, dataset, engine, signal, onProgress } = context;
  const { recipe } = trial;
  const { optimizer, augmentation, meanOfLast: _, ...training } = recipe.training;
  return harden({
    ...training,
    dataset,
    engine,
    signal,
    onProgress,
    model: make.architecture(recipe.model),
    defenses: trial.method.defenses.map(make.defense),
    optimizer: make.optimizer(optimizer),
    augmentation: makeAugmentation(augmentation),
    seed: trial.seed,
    name: trial.name,
    metadata: { method: trial.method.name, seed: String(trial.seed) },
    checkpoint: {
      folder: join(folder, paths.checkpoint(trial.name)),
      identity: trainingIdentity(trial),
      every: saveEvery,
    },
    onEpoch: (record) => toLines(trial, [record]).forEach(onEpoch),
  });
}

const sha256 = (file: Uint8Array): string => createHash("sha256").update(file).digest("hex");

/** The record of a training that is done, if it is of this recipe and its model still lies where it was put. */
export async function doneTraining(folder: string, trial: Trial): Promise<TrainingRecord | null> {
  const known = await readJson(join(folder, paths.training(trial.name)), trainingFile);
  if (known?.identity !== trainingIdentity(trial)) return null;
  const model = await readFile(join(folder, paths.model(trial.name))).catch(() => null);
  return model !== null && sha256(model) === known.model ? known : null;
}

/** Whether another training has been done under the trial's name, which this one would take the place of. */
export async function takesPlace(folder: string, trial: Trial): Promise<boolean> {
  const known = await readJson(join(folder, paths.training(trial.name)), trainingFile);
  return known !== null && known.identity !== trainingIdentity(trial);
}

/** The trained model's file; trains if it is not there or not of this recipe. */
export async function trainedModel(context: TrialContext, trial: Trial): Promise<TrainingRecord> {
  const { folder } = context;
  const known = await doneTraining(folder, trial);
  if (known !== null) return known;
  const { file, history, snapshots, seconds, processorSeconds } = await trainTrial(context, trial);
  await writeWhole(join(folder, paths.model(trial.name)), file);
  const about = { trial: trial.name, ...originOf(trial) };
  const updates = inputUpdatesOf(about, snapshots, context.dataset.train, context.dataset.imageShape);
  if (updates) await writeInputUpdates(join(folder, paths.inputUpdates(trial.name)), updates);
  const identity = trainingIdentity(trial);
  const metrics = toLines(trial, history);
  const environment = trialEnvironmentOf(context.engine);
  const times = { seconds, processorSeconds };
  const done = { schema: 1 as const, identity, model: sha256(file), ...times, metrics, environment };
  await writeJson(join(folder, paths.training(trial.name)), done);
  await dropCheckpoint(join(folder, paths.checkpoint(trial.name)));
  return done;
}

/** Epochs that are behind a trial: from its training file or its last checkpoint. */
export async function knownMetrics(folder: string, trial: Trial): Promise<MetricsLine[]> {
  const identity = trainingIdentity(trial);
  const done = await readJson(join(folder, paths.training(trial.name)), trainingFile);
  if (done?.identity === identity) return done.metrics;
  const saved = await loadCheckpoint(join(folder, paths.checkpoint(trial.name)), identity);
  return saved === null ? [] : toLines(trial, saved.history);
}

/** How far the trial's last checkpoint is, null where there is none. */
export const savedProgress = (folder: string, trial: Trial): Promise<CheckpointProgress | null> =>
  checkpointProgress(join(folder, paths.checkpoint(trial.name)), trainingIdentity(trial));

/** The trial's result if all of it is done, else null. */
export async function finishedTrial(
  { folder, sourceFiles }: Pick<TrialContext, "folder" | "sourceFiles">,
  trial: Trial,
): Promise<FinishedTrial | null> {
  const training = await doneTraining(folder, trial);
  const done = await readJson(join(folder, paths.row(trial.name)), rowFile);
  if (training === null || done?.identity !== rowIdentity(trial, sourceFiles)) return null;
  return {
    row: done.row,
    metrics: training.metrics,
    seconds: trialSeconds(training, done.seconds),
    identity: done.identity,
    model: training.model,
    environment: { training: training.environment ?? null, evaluation: done.environment ?? null },
  };
}

/** The models on which points are crafted for `trial`, and what decides them. */
async function sourcesFor(context: TrialContext, trial: Trial) {
  const { folder, sourceFiles } = context;
  const sources: SourceFile[] = [];
  for (const source of sourceTrials(trial)) {
    const { name } = source;
    const { model: identity } =
      (await doneTraining(folder, source)) ?? fail(trial.name, `the trained model of ${name}`, "none");
    const file = await readFile(join(folder, paths.model(name)));
    sources.push({ name, identity, classifier: importClassifier(file, { name }).classifier });
  }
  return [...sources, ...sourceFiles];
}

/** Evaluates the model's file; keeps the images of the last attack on it at its last radius for the report. */
async function evaluateTrial(
  context: TrialContext,
  trial: Trial,
  sources: readonly SourceFile[],
): Promise<{
  evaluation: Evaluation;
  disturbed: CorruptionResults;
  hidden: ActivationResults;
  gallery: Gallery;
  contrast: Contrast | null;
  journal: JournalFile;
}> {
  const { dataset, folder, engine, signal, sourceFiles, onEvaluation: onProgress } = context;
  const { recipe } = trial;
  const file = await readFile(join(folder, paths.model(trial.name)));
  const { classifier } = importClassifier(file, { name: trial.name });
  const { provider, threads } = engine;
  const decides = {
    ...{ row: rowIdentity(trial, sourceFiles), sha256: sha256(file), provider, threads },
    ...(sources.length > 0 && { sources: sources.map(({ identity }) => identity) }),
  };
  const journal = await openJournal(join(folder, paths.journal(trial.name)), journalIdentity(decides));
  const images = splitImages(dataset, "test");
  const evaluation = await assess(classifier, images, {
    ...recipe.evaluation,
    ...{ transferFrom: sources, engines: [engine], journal, signal, onProgress },
  });
  const disturbed = await assessCorruptions(classifier, images, corruptionPlan(recipe.evaluation), {
    ...{ engines: [engine], journal, signal, imageShape: dataset.imageShape, onProgress },
    ...{ seed: recipe.evaluation.seed, batchSize: recipe.evaluation.batchSize, limit: evaluation.n },
  });
  const hidden = await assessActivations(classifier, images, recipe.evaluation.activations, {
    ...{ engine, signal, limit: recipe.evaluation.limit, onProgress },
  });
  const shown = evaluation.examples.filter(({ attack }) => !isTransfer(attack)).at(-1);
  const none = { attack: "none", norm: "linf", epsilon: 0 };
  const gallery: Gallery = {
    trial: trial.name,
    ...originOf(trial),
    imageShape: dataset.imageShape,
    attack: shown ? { attack: shown.attack, norm: shown.norm, epsilon: shown.epsilon } : none,
    originals: shown?.originals ?? new Float32Array(),
    adversarial: shown?.adversarial ?? new Float32Array(),
    labels: shown?.labels ?? new Int32Array(),
    predictions: shown?.predictions ?? new Int32Array(),
    adversarialPredictions: shown?.adversarialPredictions ?? new Int32Array(),
    features: firstLayerFeatures(classifier),
  };
  const [source] = sources;
  const found =
    source &&
    (await contrastWith(source, classifier, images, {
      ...recipe.evaluation,
      ...{ engine, signal, images: recipe.evaluation.examples },
    }));
  const contrast = found ? { trial: trial.name, ...originOf(trial), ...found } : null;
  return { evaluation, disturbed, hidden, gallery, contrast, journal };
}

/** Trains and evaluates what is not done yet. Throws `Interrupted` when the signal fires. */
export async function runTrial(context: TrialContext, trial: Trial): Promise<TrialResult> {
  const { folder } = context;
  const finished = await finishedTrial(context, trial);
  if (finished !== null) return finished;
  const training = await trainedModel(context, trial);
  const sources = await sourcesFor(context, trial);
  const begun = performance.now();
  const { evaluation, disturbed, hidden, gallery, contrast, journal } = await evaluateTrial(
    context,
    trial,
    sources,
  );
  await writeGallery(join(folder, paths.gallery(trial.name)), gallery);
  if (contrast) await writeContrast(join(folder, paths.contrast(trial.name)), contrast);
  await writeJson(
    join(folder, paths.correct(trial.name)),
    correctnessOf(evaluation, context.dataset.test.labels),
  );
  const { clean, robust, distances, flags } = evaluation;
  const row: ResultRow = {
    ...originOf(trial),
    options: optionsOf(trial.method),
    ...trainingOutcome(
      trial.recipe.training,
      training.metrics.map(({ epoch, metrics }) => ({ epoch: epoch - 1, metrics })),
    ),
    clean,
    robust: robust.map((record) => ({ ...record })),
    ...(distances.length > 0 && {
      distances: distances.map((record) => ({ ...record, quantiles: { ...record.quantiles } })),
    }),
    ...disturbed,
    ...hidden,
    ...(flags.length > 0 && { flags: flags.map((flag) => ({ ...flag })) }),
  };
  const seconds = (performance.now() - begun + journal.known.milliseconds) / 1000;
  await writeJson(join(folder, paths.row(trial.name)), {
    schema: 1,
    identity: rowIdentity(trial, context.sourceFiles),
    seconds,
    row,
    environment: trialEnvironmentOf(context.engine),
  });
  await journal.remove();
  return { row, metrics: training.metrics, seconds: trialSeconds(training, seconds) };
}
