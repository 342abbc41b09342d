// Runs a recipe: its trials side by side, each continued from where it stopped, and the files of the whole.
import { fail } from "../base/errors.js";
import type { AnyDataset } from "../data/index.js";
import { withFound } from "./candidates.js";
import { recordOf, type RecipeFile } from "./cases.js";
import { fitTrials } from "./fit-trials.js";
import { checkImages } from "./known-images.js";
import { lockFolder } from "./lock.js";
import { openMaterials, type Materials } from "./materials.js";
import type { Recipe } from "./recipe.js";
import type { ResultsFile, RunFile } from "./records.js";
import type { RunEvent, RunOptions } from "./run-options.js";
import { runSearches, type SearchesDone } from "./run-searches.js";
import { runJobs, throwFailures, type Outcome as JobOutcome } from "./schedule.js";
import { foundValues } from "./search.js";
import { selectNamed } from "./select.js";
import { smokeRecipe } from "./smoke.js";
import { costOf, type Cost } from "./step.js";
import { emptyFolder, openFolder, sweepFolder } from "./store.js";
import { beginRun, identityOf, metricsLog, searchRecords, writeSummary } from "./summary.js";
import { startTask } from "./task-host.js";
import type { TaskEvent, TaskOptions } from "./task.js";
import { checkKept, doneTraining } from "./trained-model.js";
import { finishedTrial, type TrialResult } from "./trial.js";
import { sourceTrials, trialsOf, type Trial } from "./trials.js";
import { widthOf } from "./width.js";

interface Plan {
  readonly options: RunOptions;
  /** With the values that searches have found. */
  readonly recipe: RecipeFile;
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

/** What `runRecipe` returns: the results of all trials that are done, and whether everything asked for had been done before. */
export interface RunOutcome {
  readonly results: ResultsFile;
  readonly alreadyDone: boolean;
}

/** How a trial ended, or its training alone. */
type Outcome = JobOutcome<TrialResult | null>;

const trainingName = (trial: string): string => `the training of ${trial}`;

/** What is trained before anything of it is evaluated: the models that points are crafted on, then those that wait for them. */
async function trainedApart(folder: string, left: readonly Trial[]): Promise<Trial[]> {
  const untrained = async (trials: readonly Trial[]): Promise<Map<string, Trial>> => {
    const found = new Map<string, Trial>();
    for (const trial of trials)
      if ((await doneTraining(folder, trial)) === null) found.set(trial.name, trial);
    return found;
  };
  const sources = await untrained(left.flatMap(sourceTrials));
  const waits = (trial: Trial): boolean => sourceTrials(trial).some(({ name }) => sources.has(name));
  return [...new Map([...sources, ...(await untrained(left.filter(waits)))]).values()];
}

/** Trainings that are done apart, then the trials that are left; the longest first, lest the last one run alone beside idle cores. */
async function jobsOf(plan: Plan, left: readonly Trial[], taskOptions: TaskOptions) {
  const { options, recipe } = plan;
  const { folder, base = ".", smoke = false, provider = "cpu", checkpointEvery = 15 } = options;
  const first = await trainedApart(folder, left);
  const isFirst = (trial: Trial): boolean => first.some(({ name }) => name === trial.name);
  const task = (trial: Trial, trainOnly: boolean): (() => Promise<TrialResult | null>) => {
    const plain = { recipe, trial: trial.name, trainOnly, folder, base, smoke, provider };
    return () => startTask({ ...plain, saveEvery: checkpointEvery }, taskOptions);
  };
  return [
    ...first.map((trial) => ({ name: trainingName(trial.name), after: [], run: task(trial, true) })),
    ...left.map((trial) => ({
      name: trial.name,
      after: [trial, ...sourceTrials(trial)].filter(isFirst).map(({ name }) => trainingName(name)),
      run: task(trial, false),
    })),
  ];
}

/** The trials that are left, the longest first. */
function planned(plan: Plan): Trial[] {
  const { options, chosen, results } = plan;
  const left = chosen.filter((trial) => !results.has(trial.name));
  const costs = new Map<Trial, Cost>(
    left.map((trial) => [trial, costOf(trial.recipe, materialsOf(plan, trial).dataset, trial.method)]),
  );
  for (const [{ name }, { movedBytes }] of costs)
    if (movedBytes > 0) options.onEvent?.({ kind: "moving-inputs", trial: name, bytes: movedBytes });
  return left.sort((a, b) => (costs.get(b)?.work ?? 0) - (costs.get(a)?.work ?? 0));
}

/** Runs every trial that is left, each in a process of its own, `width` at once; a failure stops no other. */
async function runAll(plan: Plan, left: readonly Trial[], width: number): Promise<Outcome[]> {
  const { options, results, stop, trials } = plan;
  const emit = (event: RunEvent): void => options.onEvent?.(event);
  const log = await metricsLog(
    options.folder,
    trials.filter(({ method }) => method.isOpen !== true),
  );
  const onEvent = (event: TaskEvent): void => {
    if (event.kind === "epoch") log.add(event.line);
    emit(event);
  };
  const jobs = await jobsOf(plan, left, { signal: stop.signal, onEvent });
  const onOutcome = (outcome: Outcome): void => {
    const { name } = outcome;
    if ("error" in outcome) {
      if (!stop.signal.aborted) emit({ kind: "failed", trial: name, message: outcome.error.message });
    } else if (outcome.value !== null) {
      results.set(name, outcome.value);
      emit({ kind: "done", trial: name, result: outcome.value });
    }
  };
  const outcomes = await runJobs(jobs, { width, signal: stop.signal, onOutcome });
  await log.settled();
  return outcomes;
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

/** Runs what is left in a folder that is this process's own. */
async function continueRun(
  options: RunOptions,
  { done, isNew }: SearchesDone,
  before: RunFile | null,
): Promise<RunOutcome> {
  const { folder } = options;
  const identity = identityOf(options.recipe);
  const recipe = withFound(options.recipe, foundValues(done));
  const trials = trialsOf(recipe);
  const chosen = selectNamed(trials, options.only);
  await checkKept(folder, chosen);
  const materials = await openMaterials(recipe.cases, options);
  await checkImages(folder, materials);
  const notes = new Set([...materials.values()].flatMap((each) => each.notes));
  for (const text of notes) options.onEvent?.({ kind: "images", text });
  const results = await finishedTrials(folder, trials, materials);
  const names = chosen.map(({ name }) => name);
  options.onEvent?.({ kind: "start", trials: names, finished: names.filter((name) => results.has(name)) });
  const plan: Plan = { options, recipe, trials, chosen, results, stop: new AbortController(), materials };
  const { stop } = plan;
  const left = planned(plan);
  const isWhole = results.size === trials.length;
  if (left.length === 0 && before !== null && (before.finished !== null || !isWhole))
    return {
      results: await writeSummary(
        folder,
        { ...before, identity, recipe: recordOf(options.recipe), ...searchRecords(done) },
        trials,
        results,
      ),
      alreadyDone: !isNew,
    };
  const datasetOf = (trial: Trial): AnyDataset => materialsOf(plan, trial).dataset;
  const jobs = widthOf(left, { datasetOf, threads: recipe.threads, jobs: options.jobs });
  const run = await beginRun(options, { before, jobs, done });
  const forward = (): void => stop.abort();
  options.signal?.addEventListener("abort", forward);
  if (options.signal?.aborted) stop.abort();
  const outcomes = await runAll(plan, left, jobs).finally(() =>
    options.signal?.removeEventListener("abort", forward),
  );
  const file = results.size > 0 ? await writeSummary(folder, run, trials, results) : null;
  throwFailures(outcomes, stop.signal);
  return { results: file ?? fail(folder, "a trial that was done", "none"), alreadyDone: false };
}

/**
 * Trains and evaluates every trial of `recipe` in `folder`; continues what is there. Throws `Interrupted` when the
 * signal fires, with everything saved, and a TemperError where another process is at work in the folder.
 */
export async function runRecipe(given: RunOptions): Promise<RunOutcome> {
  const options = given.smoke === true ? { ...given, recipe: smokeRecipe(given.recipe, given.base) } : given;
  const { folder, fresh = false } = options;
  const chosen = selectNamed(trialsOf(options.recipe), options.only);
  const known = await openFolder(folder, { fresh });
  const unlock = await lockFolder(folder);
  try {
    if (fresh) await emptyFolder(folder);
    await sweepFolder(folder);
    const before = fresh ? null : known;
    await fitTrials(options, chosen);
    const searches = await runSearches(options, chosen, before);
    return await continueRun(options, searches, before);
  } finally {
    await unlock();
  }
}
