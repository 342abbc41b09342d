// How far the search of a method is, from what lies on the disk: scores, who goes on, what is to be trained next.
import { join } from "node:path";
import { fail } from "../base/errors.js";
import type { AnyDataset } from "../data/index.js";
import { checkpointHistory } from "../defenses/checkpoint.js";
import { bestEpoch, validationError, type Measured } from "../defenses/selection.js";
import { candidateRecipe, searchesOf, type MethodSearch } from "./candidates.js";
import type { RecipeFile } from "./cases.js";
import { halve, type Halving, type Score } from "./halving.js";
import type { Recipe } from "./recipe.js";
import type { RunFile, SearchRecord } from "./records.js";
import type { Values } from "./search-section.js";
import { paths } from "./store.js";
import { divergedIn } from "./train-until.js";
import { doneTraining, savedProgress } from "./trained-model.js";
import { trainingParts } from "./training-parts.js";
import { robustMetric } from "./training-section.js";
import { hash, trainingIdentity, trialsOf, type Trial } from "./trials.js";

/** A candidate with one of the search's seeds, and what the disk says of it. */
export interface CandidateTrial {
  readonly trial: Trial;
  readonly history: readonly Measured[];
  /** Its training has ended, before the last rung perhaps. */
  readonly isDone: boolean;
  /** The epoch, from 1, in which its loss was no longer a number. */
  readonly diverged: number | null;
}

export interface SearchState {
  readonly search: MethodSearch;
  /** The candidates as methods. */
  readonly recipe: Recipe;
  /** By candidate, then by seed. */
  readonly trials: readonly (readonly CandidateTrial[])[];
  readonly halving: Halving;
  /** Over the seeds, after so many epochs. */
  readonly score: (candidate: number, epochs: number) => Score;
}

/** What comes first in a training's life is read first: another process may move it on meanwhile. */
export async function factsOf(folder: string, trial: Trial): Promise<CandidateTrial> {
  const saved = await checkpointHistory(join(folder, paths.checkpoint(trial.name)), trainingIdentity(trial));
  const diverged = await divergedIn(folder, trial);
  const done = await doneTraining(folder, trial);
  const history = done?.metrics.map(({ epoch, metrics }) => ({ epoch: epoch - 1, metrics })) ?? saved;
  return { trial, history, isDone: done !== null, diverged };
}

/** What a search wants to be large, of one epoch's metrics. */
function objectiveIn({ search: { objective } }: MethodSearch, { metrics }: Measured): number {
  if (objective === "clean") return 1 - (metrics[validationError] ?? NaN);
  const { name, norm, epsilons } = objective;
  return metrics[robustMetric(name, norm, epsilons[0] ?? NaN)] ?? NaN;
}

/** After `epochs` – or of the best epoch until then, where trainings end with its weights. */
export function scoreOf(search: MethodSearch, of: CandidateTrial, epochs: number): Score {
  if (of.diverged !== null && of.diverged <= epochs) return null;
  const seen = of.history.filter(({ epoch }) => epoch < epochs);
  if (seen.length < epochs && !of.isDone) return undefined;
  const best = search.recipe.training.restoreBest === true ? bestEpoch(seen) : seen.length - 1;
  const chosen = seen[best];
  const score = chosen === undefined ? NaN : objectiveIn(search, chosen);
  return Number.isNaN(score) ? null : score;
}

function meanScore(scores: readonly Score[]): Score {
  if (scores.includes(undefined)) return undefined;
  if (scores.includes(null)) return null;
  return scores.reduce<number>((total, score) => total + (score ?? 0), 0) / scores.length;
}

/** How far `search` is in the run's folder; another process may be at work in it. */
export async function searchState(folder: string, search: MethodSearch): Promise<SearchState> {
  const recipe = candidateRecipe(search);
  const { rungs, eta } = search.search;
  const trials: CandidateTrial[][] = [];
  for (const method of recipe.methods) {
    const own = trialsOf({ cases: [{ ...recipe, methods: [method] }] });
    trials.push(await Promise.all(own.map((trial) => factsOf(folder, trial))));
  }
  const score = (candidate: number, epochs: number): Score =>
    meanScore((trials[candidate] ?? []).map((of) => scoreOf(search, of, epochs)));
  return { search, recipe, trials, score, halving: halve({ candidates: trials.length, rungs, eta, score }) };
}

/** Whether all rungs are over. */
export const isOver = ({ search, halving }: SearchState): boolean =>
  halving.rung === search.search.rungs.length;

export interface DueTraining {
  readonly trial: Trial;
  /** The end of this epoch. */
  readonly until: number;
}

/** What is to be trained before the current rung is over. */
export function dueIn({ search, trials, halving }: SearchState): DueTraining[] {
  const until = search.search.rungs[halving.rung];
  if (until === undefined) return [];
  const left = halving.left.flatMap((candidate) => trials[candidate] ?? []);
  return left.flatMap((of) => (scoreOf(search, of, until) === undefined ? [{ trial: of.trial, until }] : []));
}

/** Hash of all that decides what is found. */
const searchIdentity = (search: MethodSearch): string => {
  const { rungs, eta } = search.search;
  return hash({
    trainings: trialsOf({ cases: [candidateRecipe(search)] }).map(trainingIdentity),
    rungs,
    eta,
  });
};

/** As records say it. */
function objectiveOf({ search: { objective } }: MethodSearch): SearchRecord["objective"] {
  if (objective === "clean") return objective;
  const { name: attack, norm, epsilons, options } = objective;
  return { attack, norm, epsilon: epsilons[0] ?? NaN, options: { ...options } };
}

/** Validation images that the objective is measured on. */
function imagesOf({ recipe, search }: MethodSearch, { train }: Pick<AnyDataset, "train">): number {
  const count = trainingParts(train, recipe.training).validation?.count ?? 0;
  return search.objective === "clean" ? count : Math.min(count, search.limit);
}

/** The record of a search that is over. */
export async function recordOfSearch(
  folder: string,
  { search, trials, halving, score }: SearchState,
  dataset: Pick<AnyDataset, "train">,
): Promise<SearchRecord> {
  const { recipe, method, values, search: section } = search;
  const { rungs, eta, seeds, seed, trials: drawn } = section;
  const [found] = halving.left;
  if (found === undefined)
    return fail(`the search of ${search.name}`, "a candidate whose training stays finite", "none");
  let seconds = 0;
  for (const { trial } of trials.flat())
    seconds += ((await doneTraining(folder, trial)) ?? (await savedProgress(folder, trial)))?.seconds ?? 0;
  return {
    ...(recipe.case !== undefined && { case: recipe.case }),
    method: method.name,
    identity: searchIdentity(search),
    objective: objectiveOf(search),
    images: imagesOf(search, dataset),
    seeds: [...seeds],
    draws: drawn === undefined ? null : { trials: drawn, seed },
    rungs: [...rungs],
    eta,
    candidates: values.map((each, candidate) => {
      const pruned = halving.pruned[candidate] ?? null;
      const taken = rungs.filter((epochs) => pruned === null || epochs <= pruned);
      const scores = taken.map((epochs) => score(candidate, epochs) ?? null);
      return { values: { ...each }, scores, pruned };
    }),
    found,
    seconds,
  };
}

/** A search that is over. */
export interface DoneSearch {
  readonly search: MethodSearch;
  readonly record: SearchRecord;
}

/** Searches of `file` that are done among `records`: those still of this recipe. */
export function searchesDone(file: RecipeFile, records: RunFile["searches"] = []): DoneSearch[] {
  return file.cases.flatMap(searchesOf).flatMap((search) => {
    const own = searchIdentity(search);
    const record = records.find(
      ({ case: of, method, identity }) =>
        of === search.recipe.case && method === search.method.name && identity === own,
    );
    return record === undefined ? [] : [{ search, record }];
  });
}

/** The values that searches have found, by method. */
export const foundValues = (done: readonly DoneSearch[]): Map<string, Values> =>
  new Map(done.map(({ search, record }) => [search.name, record.candidates[record.found]?.values ?? {}]));
