// Runs the searches that a run's trials wait for: rung by rung, what is due side by side, each in a process of its own.
import { fail } from "../base/errors.js";
import type { AnyDataset } from "../data/index.js";
import { searchesOf, type MethodSearch } from "./candidates.js";
import { checkImages } from "./known-images.js";
import { openMaterials } from "./materials.js";
import type { RunFile, SearchRecord } from "./records.js";
import type { RunEvent, RunOptions } from "./run-options.js";
import { runJobs, throwFailures, type Job } from "./schedule.js";
import {
  dueIn,
  factsOf,
  isOver,
  recordOfSearch,
  scoreOf,
  searchesDone,
  searchState,
  type DoneSearch,
  type DueTraining,
  type SearchState,
} from "./search.js";
import { beginRun } from "./summary.js";
import { startTask } from "./task-host.js";
import { checkKept } from "./trained-model.js";
import { sourceTrials, type Trial } from "./trials.js";
import { widthOf } from "./width.js";

/** What is known of searches, and whether some of it is new. */
export interface SearchesDone {
  readonly done: readonly DoneSearch[];
  readonly isNew: boolean;
}

/** Whether one of `chosen` is trained with what `search` finds, or has points crafted on such a model. */
const isNeeded = ({ recipe, method }: MethodSearch, chosen: readonly Trial[]): boolean =>
  chosen
    .filter((trial) => trial.recipe === recipe)
    .some((trial) => [trial, ...sourceTrials(trial)].some((each) => each.method === method));

/** A training that one of the searches wants next. */
interface Due extends DueTraining {
  readonly state: SearchState;
}

/** Trains a candidate up to its rung, and says how it did. */
function jobFor(options: RunOptions, { state, trial, until }: Due, signal: AbortSignal): Job<null> {
  const { recipe, folder, base = ".", smoke = false, provider = "cpu", checkpointEvery = 15 } = options;
  const task = {
    ...{ recipe: { ...recipe, cases: [state.recipe] }, trial: trial.name, trainOnly: true, until },
    ...{ folder, base, smoke, provider, saveEvery: checkpointEvery },
  };
  const onEvent = (event: RunEvent): void => options.onEvent?.(event);
  return {
    name: trial.name,
    after: [],
    async run() {
      await startTask(task, { signal, onEvent });
      const accuracy = scoreOf(state.search, await factsOf(folder, trial), until) ?? null;
      onEvent({ kind: "measured", trial: trial.name, epochs: until, accuracy });
      return null;
    },
  };
}

/** Trains what is due; throws what stops the run. */
async function trainDue(options: RunOptions, due: readonly Due[], width: number): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  const outcomes = await runJobs(
    due.map((each) => jobFor(options, each, signal)),
    {
      width,
      signal,
      onOutcome: (outcome) => {
        if ("error" in outcome && !signal.aborted)
          options.onEvent?.({ kind: "failed", trial: outcome.name, message: outcome.error.message });
      },
    },
  );
  throwFailures(outcomes, signal);
}

/**
 * Brings the searches that `chosen` wait for to their ends, and finds again those that were over before. All that
 * decides lies on the disk, so a search that was stopped goes on with what it would have done.
 */
export async function runSearches(
  options: RunOptions,
  chosen: readonly Trial[],
  before: RunFile | null,
): Promise<SearchesDone> {
  const { recipe, folder } = options;
  const known = searchesDone(recipe, before?.searches);
  const records: SearchRecord[] = known.map(({ record }) => record);
  let open = recipe.cases
    .flatMap(searchesOf)
    .filter((search) => isNeeded(search, chosen) && !known.some((each) => each.search.name === search.name));
  if (open.length === 0) return { done: known, isNew: false };
  const materials = await openMaterials(
    open.map((search) => search.recipe),
    options,
  );
  await checkImages(folder, materials);
  const datasetOf = ({ recipe: of, name }: MethodSearch): AnyDataset =>
    materials.get(of)?.dataset ?? fail("run", "a search of this recipe", name);
  for (const { name, values } of open)
    options.onEvent?.({ kind: "search", search: name, candidates: values.length });
  while (open.length > 0) {
    const states = await Promise.all(open.map((search) => searchState(folder, search)));
    for (const state of states.filter(isOver)) {
      const record = await recordOfSearch(folder, state, datasetOf(state.search));
      records.push(record);
      options.onEvent?.({ kind: "found", search: state.search.name, record });
    }
    const due = states.flatMap((state) => dueIn(state).map((each): Due => ({ state, ...each })));
    open = states.filter((state) => !isOver(state)).map(({ search }) => search);
    if (due.length === 0) continue;
    const trials = due.map(({ trial }) => trial);
    await checkKept(folder, trials);
    const searchOf = new Map(due.map(({ state, trial }) => [trial, state.search]));
    const jobs = widthOf(trials, {
      datasetOf: (trial) => datasetOf(searchOf.get(trial) ?? fail("run", "a candidate", trial.name)),
      threads: recipe.threads,
      jobs: options.jobs,
    });
    await beginRun(options, { before, jobs, done: searchesDone(recipe, records) });
    await trainDue(options, due, jobs);
  }
  return { done: searchesDone(recipe, records), isNew: true };
}
