// Runs a recipe: its trials side by side, each continued from where it stopped, and the files of the whole.
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { check, fail } from "../base/errors.js";
import { writeWhole } from "../data/disk.js";
import { datasetNamed, loadDataset, type Dataset } from "../data/index.js";
import type { Progress as EvaluationProgress } from "../evaluation/evaluate.js";
import { Interrupted, type Progress } from "../defenses/train.js";
import type { Engine } from "../runtime/engine.js";
import { workerEngine } from "../runtime/worker-engine.js";
import { recordOf, type RecipeFile } from "./cases.js";
import { environment } from "./environment.js";
import { make, type Recipe } from "./recipe.js";
import type { MetricsLine, ResultsFile, RunFile } from "./records.js";
import { selectNamed } from "./select.js";
import { openSources, type SourceFile } from "./sources.js";
import { smokeImages, smokeRecipe } from "./smoke.js";
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
  readonly recipe: RecipeFile;
  /** The recipe's text, kept beside the results. */
  readonly text: string;
  readonly folder: string;
  /** The folder that files named in the recipe are relative to; default the current one. */
  readonly base?: string;
  /** Run only the trials whose names match one of these patterns (`*`: any letters, `?`: one); default all. */
  readonly only?: readonly string[];
  /** Run the recipe with little of everything (`smokeCuts`), to see that all of it works. */
  readonly smoke?: boolean;
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
function identityOf({ cases }: RecipeFile): string {
  const decisive = cases.map(({ description: _, name: __, ...rest }) => rest);
  const [first] = decisive;
  const all = first?.case === undefined ? first : decisive;
  return createHash("sha256").update(JSON.stringify(all)).digest("hex");
}

/** Takes trials off `queue` until it is empty or one fails. */
async function drain(
  queue: Trial[],
  engine: Engine,
  run: (trial: Trial, engine: Engine) => Promise<void>,
): Promise<void> {
  for (let trial = queue.shift(); trial !== undefined; trial = queue.shift()) await run(trial, engine);
}

/** Keeps metrics.jsonl complete while trials run: what earlier runs left, then a line for each epoch. */
async function metricsLog(folder: string, trials: readonly Trial[]) {
  const lines = (await Promise.all(trials.map((trial) => knownMetrics(folder, trial)))).flat();
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

/** Images and models that trials of one case share. */
interface Materials {
  readonly dataset: Dataset;
  /** The files among the models to craft on. */
  readonly sourceFiles: readonly SourceFile[];
}

interface Plan {
  readonly options: RunOptions;
  /** All of the recipe's. */
  readonly trials: readonly Trial[];
  /** Those of this call. */
  readonly chosen: readonly Trial[];
  /** What each case of the recipe needs. */
  readonly materials: ReadonlyMap<Recipe, Materials>;
  readonly results: Map<string, TrialResult>;
  readonly stop: AbortController;
}

const materialsOf = ({ materials }: Pick<Plan, "materials">, { name, recipe }: Trial): Materials =>
  materials.get(recipe) ?? fail("run", "a trial of this recipe", name);

/** Runs every trial that is left, on `jobs` engines; the first failure stops the others at their next checkpoint. */
async function runAll(plan: Plan, left: readonly Trial[], jobs: number): Promise<void> {
  const { options, results, stop } = plan;
  const { recipe, folder } = options;
  const emit = (event: RunEvent): void => options.onEvent?.(event);
  const log = await metricsLog(folder, plan.trials);
  const models = new Map<string, Promise<TrainingRecord>>();
  const contextOf = (trial: Trial, engine: Engine): TrialContext => {
    const { name } = trial;
    const context = {
      ...{ ...materialsOf(plan, trial), folder, engine },
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
  const { options, results, trials } = plan;
  const { folder } = options;
  const ordered = trials.flatMap((trial) => {
    const result = results.get(trial.name);
    return result ? [{ name: trial.name, ...result }] : [];
  });
  const file: ResultsFile = {
    schema: 1,
    dataset: [...new Set(trials.map(({ recipe }) => recipe.dataset))].join(", "),
    rows: ordered.map(({ row }) => row),
  };
  await writeMetrics(
    folder,
    ordered.flatMap(({ metrics }) => metrics),
  );
  await writeJson(join(folder, paths.results), file);
  const times = Object.fromEntries(ordered.map(({ name, seconds }) => [name, seconds]));
  const isWhole = ordered.length === trials.length;
  const finished = isWhole ? (run.finished ?? new Date().toISOString()) : null;
  await writeJson(join(folder, paths.run), { ...run, finished, times });
  return file;
}

/** What `runRecipe` returns: the results of all trials that are done, and whether everything asked for had been done before. */
export interface RunOutcome {
  readonly results: ResultsFile;
  readonly alreadyDone: boolean;
}

/**
 * The trials that are left: those whose models others need, then the longest first – otherwise the last one runs alone
 * beside idle cores.
 */
function planned(plan: Plan): Trial[] {
  const { options, chosen, results } = plan;
  const left = chosen.filter((trial) => !results.has(trial.name));
  const costs = new Map(
    left.map((trial) => [trial, costOf(trial.recipe, materialsOf(plan, trial).dataset, trial.method)]),
  );
  for (const [{ name }, { movedBytes }] of costs)
    if (movedBytes > 0) options.onEvent?.({ kind: "moving-inputs", trial: name, bytes: movedBytes });
  const needed = new Set(left.filter(isSource));
  return left.sort(
    (a, b) =>
      Number(needed.has(b)) - Number(needed.has(a)) || (costs.get(b)?.work ?? 0) - (costs.get(a)?.work ?? 0),
  );
}

/** Trials that were finished before, with their results. */
async function finishedTrials(
  folder: string,
  trials: readonly Trial[],
  materials: Plan["materials"],
): Promise<Map<string, TrialResult>> {
  const results = new Map<string, TrialResult>();
  for (const trial of trials) {
    const { sourceFiles } = materialsOf({ materials }, trial);
    const finished = await finishedTrial({ folder, sourceFiles }, trial);
    if (finished !== null) results.set(trial.name, finished);
  }
  return results;
}

async function openMaterials(recipe: Recipe, dataset: Dataset, base: string): Promise<Materials> {
  const { imageShape: inputShape, classes } = dataset;
  const model = make.architecture(recipe.model)({ inputShape, classes });
  const images = datasetNamed(recipe.dataset);
  const sourceFiles = await openSources(recipe.evaluation.transferFrom ?? [], images, { model, base });
  return { dataset, sourceFiles };
}

async function openAll({
  recipe: { cases },
  base = ".",
  smoke = false,
}: RunOptions): Promise<Plan["materials"]> {
  const load = async (name: string): Promise<readonly [string, Dataset]> => {
    const whole = await loadDataset(datasetNamed(name));
    return [name, smoke ? smokeImages(whole) : whole];
  };
  const names = [...new Set(cases.map(({ dataset }) => dataset))];
  const datasets = new Map(await Promise.all(names.map(load)));
  const opened = cases.flatMap((recipe) => {
    const dataset = datasets.get(recipe.dataset);
    return dataset ? [openMaterials(recipe, dataset, base).then((each) => [recipe, each] as const)] : [];
  });
  return new Map(await Promise.all(opened));
}

/** Runs what is left in a folder that is this process's own. */
async function continueRun(
  options: RunOptions,
  work: Pick<Plan, "trials" | "chosen">,
  before: RunFile | null,
): Promise<RunOutcome> {
  const { recipe, folder } = options;
  const identity = identityOf(recipe);
  check(
    before === null || before.identity === identity,
    folder,
    "a run of this recipe",
    () => "one of another recipe (use --fresh to start over, or --out for another folder)",
  );
  const { trials, chosen } = work;
  const materials = await openAll(options);
  const results = await finishedTrials(folder, trials, materials);
  const names = chosen.map(({ name }) => name);
  options.onEvent?.({ kind: "start", trials: names, finished: names.filter((name) => results.has(name)) });
  const plan: Plan = { options, ...work, results, stop: new AbortController(), materials };
  const { stop } = plan;
  const left = planned(plan);
  const isWhole = results.size === trials.length;
  if (left.length === 0 && before !== null && (before.finished !== null || !isWhole))
    return {
      results: await writeSummary(plan, { ...before, recipe: recordOf(recipe) }),
      alreadyDone: true,
    };
  const room = Math.floor(availableParallelism() / recipe.threads);
  const jobs = Math.max(1, Math.min(options.jobs ?? room, left.length));
  const run: RunFile = {
    schema: 1,
    kind: "temper-run",
    name: recipe.name,
    recipe: recordOf(recipe),
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
export async function runRecipe(given: RunOptions): Promise<RunOutcome> {
  const options = given.smoke === true ? { ...given, recipe: smokeRecipe(given.recipe) } : given;
  const { folder, fresh = false } = options;
  const trials = trialsOf(options.recipe);
  const chosen = selectNamed(trials, options.only);
  const before = await openFolder(folder, { fresh });
  const unlock = await lockFolder(folder);
  try {
    if (fresh) await emptyFolder(folder);
    await sweepFolder(folder);
    return await continueRun(options, { trials, chosen }, fresh ? null : before);
  } finally {
    await unlock();
  }
}
