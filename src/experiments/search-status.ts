// How far a search is, for people: each candidate's stage, and the time that is left.
import { join } from "node:path";
import type { MethodSearch } from "./candidates.js";
import { survivors } from "./halving.js";
import { lockHolder } from "./lock.js";
import type { SearchRecord } from "./records.js";
import type { Values } from "./search-section.js";
import { dueIn, scoreOf, searchState, type DoneSearch, type SearchState } from "./search.js";
import { paths } from "./store.js";
import { savedProgress } from "./trained-model.js";

export interface CandidateStatus {
  /** As its folder is called. */
  readonly trial: string;
  readonly values: Values;
  readonly seed: number;
  /** `measured`: it has come to the rung in progress. */
  readonly stage: "waiting" | "training" | "measured" | "pruned";
  /** The process at work on it; null where none is. */
  readonly process: number | null;
  /** Whole epochs that lie on the disk. */
  readonly epochs: number;
  /** What it had of the objective at its last rung; null where it came to none, or its training to nothing. */
  readonly accuracy: number | null;
}

export interface SearchStatus {
  readonly search: string;
  readonly rungs: readonly number[];
  /** Epochs of the rung in progress; null where all are over. */
  readonly rung: number | null;
  readonly candidates: readonly CandidateStatus[];
  /** What was found, once it is over. */
  readonly record: SearchRecord | null;
  /** Trainings of the rung in progress that are not there yet. */
  readonly waiting: number;
  /** Seconds of all trainings that are left; null where nothing was measured that says so. */
  readonly left: number | null;
}

async function candidateStatuses(folder: string, state: SearchState): Promise<CandidateStatus[]> {
  const { search, trials, halving } = state;
  const { rungs } = search.search;
  const statuses: CandidateStatus[] = [];
  for (const [candidate, seeds] of trials.entries())
    for (const of of seeds) {
      const pruned = halving.pruned[candidate] ?? null;
      const until = pruned ?? rungs[halving.rung] ?? 0;
      const score = scoreOf(search, of, until);
      const process = await lockHolder(join(folder, paths.trial(of.trial.name)));
      const isBegun = of.history.length > 0 || process !== null;
      const stage = score !== undefined ? "measured" : isBegun ? "training" : "waiting";
      statuses.push({
        trial: of.trial.name,
        values: search.values[candidate] ?? {},
        seed: of.trial.seed,
        stage: pruned === null ? stage : "pruned",
        process,
        epochs: of.history.length,
        accuracy: score ?? null,
      });
    }
  return statuses;
}

/** Epochs that are left: of what is due, and of those that will go on from later rungs. */
function epochsLeft({ search, trials, halving }: SearchState, due: ReturnType<typeof dueIn>): number {
  const { rungs, eta, seeds } = search.search;
  const done = new Map(trials.flat().map(({ trial, history }) => [trial.name, history.length]));
  let [left, count] = [0, halving.left.length];
  for (const { trial, until } of due) left += Math.max(0, until - (done.get(trial.name) ?? 0));
  for (let rung = halving.rung + 1; rung < rungs.length; rung++) {
    count = survivors(count, eta);
    left += count * seeds.length * ((rungs[rung] ?? 0) - (rungs[rung - 1] ?? 0));
  }
  return left;
}

/** How far `search` is; `done` are those that are over. */
export async function searchStatus(
  folder: string,
  search: MethodSearch,
  done: readonly DoneSearch[],
): Promise<SearchStatus> {
  const { rungs } = search.search;
  const about = { search: search.name, rungs };
  const record = done.find((each) => each.search.name === search.name)?.record ?? null;
  if (record !== null) return { ...about, rung: null, candidates: [], record, waiting: 0, left: 0 };
  const state = await searchState(folder, search);
  const due = dueIn(state);
  let [epochs, seconds] = [0, 0];
  for (const { trial } of state.trials.flat()) {
    const saved = await savedProgress(folder, trial);
    epochs += saved?.epochs ?? 0;
    seconds += saved?.seconds ?? 0;
  }
  return {
    ...about,
    rung: rungs[state.halving.rung] ?? null,
    candidates: await candidateStatuses(folder, state),
    record,
    waiting: due.length,
    left: epochs > 0 ? (epochsLeft(state, due) * seconds) / epochs : null,
  };
}
