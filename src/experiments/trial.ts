// One trial: a method with a seed, trained, exported and evaluated; each part is done once and found again.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fail } from "../base/errors.js";
import { splitImages } from "../data/image-set.js";
import type { AnyDataset } from "../data/index.js";
import { importClassifier } from "../nn/imported.js";
import type { Classifier } from "../nn/model.js";
import type { Progress as EvaluationProgress } from "../evaluation/evaluate.js";
import type { Evaluation } from "../evaluation/records.js";
import { isTransfer } from "../attacks/transfer.js";
import { assessActivations, type ActivationResults } from "./activations.js";
import { assess } from "./assess.js";
import { contrastWith, writeContrast, type Contrast } from "./contrast.js";
import { assessCorruptions, corruptionPlan, type CorruptionResults } from "./corruptions.js";
import { correctnessOf } from "./correctness.js";
import { trialEnvironmentOf } from "./environment.js";
import { firstLayerFeatures } from "./features.js";
import { seesPreprocessed } from "./input-preprocessing.js";
import { journalIdentity, openJournal, type JournalFile } from "./journal.js";
import { trainingOf, type Method } from "./recipe.js";
import {
  resultRow,
  trialEnvironment,
  type MetricsLine,
  type ResultRow,
  type TrialEnvironment,
} from "./records.js";
import type { Gallery } from "./run-record.js";
import type { SourceFile } from "./sources.js";
import { trainingOutcome } from "./training-outcome.js";
import { paths, readJson, writeGallery, writeJson } from "./store.js";
import {
  attackedFile,
  doneTraining,
  sha256,
  trainedModel,
  type TrainingContext,
  type TrainingRecord,
} from "./trained-model.js";
import { hash, originOf, sourceTrials, trainingIdentity, type Trial } from "./trials.js";

export interface TrialContext extends TrainingContext {
  readonly dataset: AnyDataset;
  /** The files among the models to craft on. */
  readonly sourceFiles: readonly SourceFile[];
  readonly onEvaluation: (progress: EvaluationProgress) => void;
}

/** What decides a trial's row. */
export const rowIdentity = (trial: Trial, files: readonly SourceFile[]): string =>
  hash({
    training: trainingIdentity(trial),
    evaluation: trial.recipe.evaluation,
    ...(files.length > 0 && { files: files.map(({ identity }) => identity) }),
  });

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

/** Options of a method as results show them: those of its one defence, or of each by name. */
const optionsOf = ({ defenses }: Method): Record<string, unknown> => {
  const [only] = defenses;
  if (defenses.length === 1 && only) return { ...only.options };
  return Object.fromEntries(defenses.map(({ name, options }) => [name, options]));
};

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

/** What attacks on the trial's model meet, from its file. */
async function attackedModel({ folder, dataset }: TrialContext, trial: Trial): Promise<Classifier> {
  const { name } = trial;
  const file = await readFile(join(folder, attackedFile(trial)));
  const { bounds } = dataset;
  return importClassifier(file, { name, ...(bounds && { bounds }) }).classifier;
}

/** The models on which points are crafted for `trial`, and what decides them. */
async function sourcesFor(context: TrialContext, trial: Trial) {
  const { folder, sourceFiles } = context;
  const sources: SourceFile[] = [];
  for (const source of sourceTrials(trial)) {
    const { name } = source;
    const { model: identity } =
      (await doneTraining(folder, source)) ?? fail(trial.name, `the trained model of ${name}`, "none");
    sources.push({ name, identity, classifier: await attackedModel(context, source) });
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
  const file = await readFile(join(folder, attackedFile(trial)));
  const classifier = await attackedModel(context, trial);
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
  const { clean, top, robust, distances, flags } = evaluation;
  const row: ResultRow = {
    ...originOf(trial),
    options: optionsOf(trial.method),
    ...(seesPreprocessed(trial.recipe) && { space: "preprocessed" as const }),
    ...trainingOutcome(
      trainingOf(trial.recipe, trial.method),
      training.metrics.map(({ epoch, metrics }) => ({ epoch: epoch - 1, metrics })),
    ),
    clean,
    ...(top.length > 0 && { top: top.map((record) => ({ ...record })) }),
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
