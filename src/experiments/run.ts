// Runs a recipe: its trials side by side, each continued from where it stopped, and the files of the whole.
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { check } from "../base/errors.js";
import { writeWhole } from "../data/disk.js";
import { datasetNamed, loadDataset, type Dataset } from "../data/index.js";
import type { Progress as EvaluationProgress } from "../evaluation/evaluate.js";
import { Interrupted, type Progress } from "../defenses/train.js";
import type { Engine } from "../runtime/engine.js";
import { workerEngine } from "../runtime/worker-engine.js";
import { environment } from "./environment.js";
import { make, type Recipe } from "./recipe.js";
import type { MetricsLine, ResultsFile, RunFile } from "./records.js";
import { openSources, type SourceFile } from "./sources.js";
import { costOf } from "./step.js";
import { emptyFolder, openFolder, paths, sweepFolder, writeJson, writeMetrics } from "./store.js";
import { lockFolder } from "./lock.js";
import {
  finishedTrial,
  isSource,
  knownMetrics,
  runTrial,
  trainedModel,
  trialsOf,
  type TrainingRecord,
  type Trial,
  type TrialContext,
  type TrialResult,
} from "./trial.js";

/** What happens while a recipe runs; for bars and lines. */
export type RunEvent =
  | { readonly kind: "start"; readonly trials: readonly string[]; readonly finished: readonly string[] }
  | { readonly kind: "moving-inputs"; readonly trial: string; readonly bytes: number }
  | { readonly kind: "training"; readonly trial: string; readonly progress: Progress }
  | { readonly kind: "epoch"; readonly trial: string; readonly line: MetricsLine }
  | {
      readonly kind: "evaluation";
      readonly trial: string;
      readonly progress: EvaluationProgress;
    }
  | { readonly kind: "done"; readonly trial: string; readonly result: TrialResult };

export interface RunOptions {
  readonly recipe: Recipe;
  /** The recipe's text, kept beside the results. */
  readonly text: string;
  readonly folder: string;
  /** The folder that files named in the recipe are relative to; default the current one. */
  readonly base?: string;
  /** Start over: remove what an earlier run left. */
  readonly fresh?: boolean;
  readonly provider?: string;
  /** Trials side by side; default: as many as cores have room for, at most the trials left. Results do not depend on it. */
  readonly jobs?: number;
  /** Seconds between checkpoints; default 15. */
  readonly checkpointEvery?: number;
  readonly signal?: AbortSignal;
  onEvent?(event: RunEvent): void;
}

/** Hash of all that decides the results. */
const identityOf = (recipe: Recipe): string => {
  const { description: _, name: __, ...rest } = recipe;
  return createHash("sha256").update(JSON.stringify(rest)).digest("hex");
};

/** Takes trials off `queue` until it is empty or one fails. */
async function drain(
  queue: Trial[],
  engine: Engine,
  run: (trial: Trial, engine: Engine) => Promise<void>,
): Promise<void> {
  for (let trial = queue.shift(); trial !== undefined; trial = queue.shift()) await run(trial, engine);
}

/** Keeps metrics.jsonl complete while trials run: what earlier runs left, then a line for each epoch. */
async function metricsLog(folder: string, recipe: Recipe, trials: readonly Trial[]) {
  const lines = (await Promise.all(trials.map((trial) => knownMetrics(folder, recipe, trial)))).flat();
  await writeMetrics(folder, lines);
  let writing = Promise.resolve();
  return {
    add(line: MetricsLine): void {
      lines.push(line);
      writing = writing.then(() => writeMetrics(folder, lines));
    },
    settled: () => writing,
  };
}

interface Plan {
  readonly options: RunOptions;
  readonly dataset: Dataset;
  readonly results: Map<string, TrialResult>;
  readonly stop: AbortController;
  /** The files among the models to craft on. */
  readonly sourceFiles: readonly SourceFile[];
}

/** Runs every trial that is left, on `jobs` engines; the first failure stops the others at their next checkpoint. */
async function runAll(plan: Plan, left: readonly Trial[], jobs: number): Promise<void> {
  const { options, dataset, results, stop } = plan;
  const { recipe, folder } = options;
  const emit = (event: RunEvent): void => options.onEvent?.(event);
  const log = await metricsLog(folder, recipe, trialsOf(recipe));
  const models = new Map<string, Promise<TrainingRecord>>();
  const contextOf = ({ name }: Trial, engine: Engine): TrialContext => {
    const context = {
      ...{ recipe, dataset, folder, engine, sourceFiles: plan.sourceFiles },
      signal: stop.signal,
      saveEvery: options.checkpointEvery ?? 15,
      onProgress: (progress: Progress) => emit({ kind: "training", trial: name, progress }),
      onEvaluation: (progress: EvaluationProgress) => emit({ kind: "evaluation", trial: name, progress }),
      onEpoch: (line: MetricsLine) => {
        log.add(line);
        emit({ kind: "epoch", trial: name, line });
      },
    };
    // A model that others are waiting for is trained once, by whoever asks first.
    const trained = (other: Trial): Promise<TrainingRecord> => {
      const model = models.get(other.name) ?? trainedModel(contextOf(other, engine), other);
      models.set(other.name, model);
      return model;
    };
    return { ...context, trained };
  };
  const runOne = async (trial: Trial, engine: Engine): Promise<void> => {
    if (stop.signal.aborted) throw new Interrupted(trial.name);
    const { name } = trial;
    const result = await runTrial(contextOf(trial, engine), trial).catch((error: unknown) => {
      stop.abort();
      throw error;
    });
    results.set(name, result);
    emit({ kind: "done", trial: name, result });
  };
  const queue = [...left];
  const engines = Array.from({ length: jobs }, () =>
    workerEngine({
      threads: recipe.threads,
      ...(options.provider !== undefined && { provider: options.provider }),
    }),
  );
  try {
    const outcomes = await Promise.allSettled(engines.map((engine) => drain(queue, engine, runOne)));
    const errors = outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [outcome.reason as unknown] : [],
    );
    // A real failure counts for more than the interruptions it caused.
    const [first] = errors.sort(
      (a, b) => Number(a instanceof Interrupted) - Number(b instanceof Interrupted),
    );
    if (first instanceof Error) throw first;
  } finally {
    await log.settled();
    await Promise.all(engines.map((engine) => engine.close()));
  }
}

/** The whole run's files, in the recipe's order whatever the order of the trials. */
async function writeSummary(plan: Plan, run: RunFile): Promise<ResultsFile> {
  const { options, results } = plan;
  const { folder, recipe } = options;
  const ordered = trialsOf(recipe).flatMap((trial) => {
    const result = results.get(trial.name);
    return result ? [{ name: trial.name, ...result }] : [];
  });
  const file: ResultsFile = { schema: 1, dataset: recipe.dataset, rows: ordered.map(({ row }) => row) };
  await writeMetrics(
    folder,
    ordered.flatMap(({ metrics }) => metrics),
  );
  await writeJson(join(folder, paths.results), file);
  const times = Object.fromEntries(ordered.map(({ name, seconds }) => [name, seconds]));
  await writeJson(join(folder, paths.run), { ...run, finished: new Date().toISOString(), times });
  return file;
}

/** What `runRecipe` returns: the results, and whether everything had been done before. */
export interface RunOutcome {
  readonly results: ResultsFile;
  readonly alreadyDone: boolean;
}

/**
 * The trials that are left: those whose models others need, then the longest first – otherwise the last one runs alone
 * beside idle cores.
 */
function planned(plan: Plan, trials: readonly Trial[]): Trial[] {
  const { options, dataset, results } = plan;
  const left = trials.filter((trial) => !results.has(trial.name));
  const costs = new Map(left.map((trial) => [trial, costOf(options.recipe, dataset, trial.method)]));
  for (const [{ name }, { movedBytes }] of costs)
    if (movedBytes > 0) options.onEvent?.({ kind: "moving-inputs", trial: name, bytes: movedBytes });
  const needed = new Set(left.filter((trial) => isSource(options.recipe, trial)));
  return left.sort(
    (a, b) =>
      Number(needed.has(b)) - Number(needed.has(a)) || (costs.get(b)?.work ?? 0) - (costs.get(a)?.work ?? 0),
  );
}

/** Trials that were finished before, with their results. */
async function finishedTrials(
  options: RunOptions,
  sourceFiles: readonly SourceFile[],
): Promise<Map<string, TrialResult>> {
  const results = new Map<string, TrialResult>();
  for (const trial of trialsOf(options.recipe)) {
    const finished = await finishedTrial({ ...options, sourceFiles }, trial);
    if (finished !== null) results.set(trial.name, finished);
  }
  return results;
}

/** The files that the recipe's attacks are crafted on too. */
function filesOf({ recipe, base = "." }: RunOptions): Promise<SourceFile[]> {
  const images = datasetNamed(recipe.dataset);
  const { imageShape: inputShape, classes } = images;
  const model = make.architecture(recipe.model)({ inputShape, classes });
  return openSources(recipe.evaluation.transferFrom ?? [], images, { model, base });
}

/** Runs what is left in a folder that is this process's own. */
async function continueRun(options: RunOptions, before: RunFile | null): Promise<RunOutcome> {
  const { recipe, folder } = options;
  const identity = identityOf(recipe);
  check(
    before === null || before.identity === identity,
    folder,
    "a run of this recipe",
    () => "one of another recipe (use --fresh to start over, or --out for another folder)",
  );
  const sourceFiles = await filesOf(options);
  const results = await finishedTrials(options, sourceFiles);
  const trials = trialsOf(recipe);
  options.onEvent?.({ kind: "start", trials: trials.map(({ name }) => name), finished: [...results.keys()] });
  const stop = new AbortController();
  const dataset = await loadDataset(datasetNamed(recipe.dataset));
  const plan: Plan = { options, results, stop, dataset, sourceFiles };
  const left = planned(plan, trials);
  if (left.length === 0 && before?.finished)
    return { results: await writeSummary(plan, before), alreadyDone: true };
  const room = Math.floor(availableParallelism() / recipe.threads);
  const jobs = Math.max(1, Math.min(options.jobs ?? room, left.length));
  const run: RunFile = {
    schema: 1,
    kind: "temper-run",
    name: recipe.name,
    recipe,
    identity,
    environment: environment({ provider: options.provider ?? "cpu", threads: recipe.threads, jobs }),
    started: before?.started ?? new Date().toISOString(),
    finished: null,
    times: {},
  };
  await writeJson(join(folder, paths.run), run);
  await writeWhole(join(folder, paths.recipe), options.text);
  const forward = (): void => stop.abort();
  options.signal?.addEventListener("abort", forward);
  if (options.signal?.aborted) stop.abort();
  try {
    if (left.length > 0) await runAll(plan, left, jobs);
  } finally {
    options.signal?.removeEventListener("abort", forward);
  }
  return { results: await writeSummary(plan, run), alreadyDone: false };
}

/**
 * Trains and evaluates every trial of `recipe` in `folder`; continues what is there. Throws `Interrupted` when the
 * signal fires, with everything saved, and a TemperError where another process is at work in the folder.
 */
export async function runRecipe(options: RunOptions): Promise<RunOutcome> {
  const { folder, fresh = false } = options;
  const before = await openFolder(folder, { fresh });
  const unlock = await lockFolder(folder);
  try {
    if (fresh) await emptyFolder(folder);
    await sweepFolder(folder);
    return await continueRun(options, fresh ? null : before);
  } finally {
    await unlock();
  }
}
