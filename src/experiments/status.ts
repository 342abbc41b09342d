// How far a run is: the state of each trial and the time that is left, from what lies on the disk.
import type { CheckpointProgress } from "../defenses/checkpoint.js";
import type { StrikeProgress } from "./journal.js";
import type { SearchStatus } from "./search-status.js";
import { trainingOf } from "./recipe.js";
import type { Trial } from "./trials.js";

/** What the disk says of one trial. */
export interface TrialFacts {
  readonly trial: Trial;
  /** The process at work on it; null where none is. */
  readonly process: number | null;
  /** Whole epochs that the run's metrics have of it. */
  readonly reported: number;
  readonly saved: CheckpointProgress | null;
  /** Of a training that is done. */
  readonly training: { readonly epochs: number; readonly seconds: number } | null;
  readonly strikes: readonly StrikeProgress[];
  /** Of a trial that is done: accuracy on clean images, seconds of the evaluation. */
  readonly result: { readonly clean: number; readonly seconds: number } | null;
}

/** `waiting`: nothing of it is on the disk yet. `evaluating`: its training is done. */
export type Stage = "waiting" | "training" | "evaluating" | "done";

export interface TrialStatus {
  readonly trial: string;
  readonly case: string | null;
  readonly method: string;
  readonly seed: number;
  readonly stage: Stage;
  /** The process at work on it; null where none is. */
  readonly process: number | null;
  /** Whole epochs: while it runs those that were reported, else those from which it will go on. */
  readonly epochs: { readonly done: number; readonly of: number };
  /** Of the evaluation: what its journal holds. */
  readonly strikes: readonly Omit<StrikeProgress, "milliseconds">[];
  /** Accuracy on clean images; null until it is done. */
  readonly clean: number | null;
  /** Seconds; null where nothing was measured that says so. */
  readonly left: { readonly training: number | null; readonly evaluation: number | null };
}

/** What is left of a run at least: of what was measured. */
export interface TimeLeft {
  /** Until the last trial ends, with as many side by side as there were; null where nothing was measured. */
  readonly seconds: number | null;
  /** 1 before the run has begun. */
  readonly jobs: number;
  /** Trainings and evaluations whose time is not known, since none like them was measured. */
  readonly unknown: { readonly trainings: number; readonly evaluations: number };
}

export interface RunStatus {
  readonly name: string;
  readonly folder: string;
  /** The process at work in the folder; null where none is. */
  readonly process: number | null;
  /** Of methods' values, which their trials wait for. */
  readonly searches: readonly SearchStatus[];
  readonly trials: readonly TrialStatus[];
  readonly left: TimeLeft;
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;

/** Seconds an epoch, where an epoch or more was measured. */
function epochSeconds({ training, saved }: TrialFacts): number | null {
  const { epochs, seconds } = training ?? saved ?? { epochs: 0, seconds: 0 };
  return epochs > 0 ? seconds / epochs : null;
}

/** The mean of what was measured of the same method of the same case. */
function meanOfAlike(
  all: readonly TrialFacts[],
  { trial }: TrialFacts,
  measure: (facts: TrialFacts) => number | null,
): number | null {
  const alike = all.filter(
    (each) => each.trial.recipe.case === trial.recipe.case && each.trial.method.name === trial.method.name,
  );
  return mean(alike.flatMap((each) => measure(each) ?? []));
}

function stageOf({ result, training, saved, process }: TrialFacts): Stage {
  if (result !== null) return "done";
  if (training !== null) return "evaluating";
  return saved !== null || process !== null ? "training" : "waiting";
}

/** Epochs behind a trial, with the share of the one in progress. */
function epochsDone({ training, saved, process, reported }: TrialFacts): number {
  const kept = training?.epochs ?? saved?.epochs ?? 0;
  return process === null ? kept : Math.max(kept, reported);
}

function leftOf(all: readonly TrialFacts[], facts: TrialFacts): TrialStatus["left"] {
  const { trial, training, strikes, result } = facts;
  const epochs = Math.max(0, trainingOf(trial.recipe, trial.method).epochs - epochsDone(facts));
  const each = epochSeconds(facts) ?? meanOfAlike(all, facts, epochSeconds);
  const whole = meanOfAlike(all, facts, (other) => other.result?.seconds ?? null);
  const spent = strikes.reduce((total, { milliseconds }) => total + milliseconds, 0) / 1000;
  const toEvaluate = whole === null ? null : Math.max(0, whole - spent);
  return {
    training: training !== null ? 0 : each === null ? null : epochs * each,
    evaluation: result !== null ? 0 : toEvaluate,
  };
}

function trialStatus(all: readonly TrialFacts[], facts: TrialFacts): TrialStatus {
  const { trial, process, strikes, result } = facts;
  return {
    trial: trial.name,
    case: trial.recipe.case ?? null,
    method: trial.method.name,
    seed: trial.seed,
    stage: stageOf(facts),
    process: result === null ? process : null,
    epochs: { done: Math.floor(epochsDone(facts)), of: trainingOf(trial.recipe, trial.method).epochs },
    strikes: result === null ? strikes.map(({ strike, images }) => ({ strike, images })) : [],
    clean: result?.clean ?? null,
    left: leftOf(all, facts),
  };
}

/** The time until the last of `trials` ends, `jobs` side by side: their sum shared out, or the longest of them. */
function timeLeft(trials: readonly TrialStatus[], jobs: number, searches: readonly SearchStatus[]): TimeLeft {
  const lefts = trials.flatMap(({ stage, left }) => (stage === "done" ? [] : [left]));
  const known = lefts.map(({ training, evaluation }) => (training ?? 0) + (evaluation ?? 0));
  const searching = searches.flatMap(({ left }) => left ?? []);
  const measured =
    searching.length > 0 || lefts.some((left) => left.training !== null || left.evaluation !== null);
  const sum = [...known, ...searching].reduce((a, b) => a + b, 0);
  return {
    seconds: lefts.length > 0 && !measured ? null : Math.max(sum / jobs, ...known, 0),
    jobs,
    unknown: {
      trainings:
        lefts.filter(({ training }) => training === null).length +
        searches.reduce((total, { left, waiting }) => total + (left === null ? waiting : 0), 0),
      evaluations: lefts.filter(({ evaluation }) => evaluation === null).length,
    },
  };
}

export interface RunFacts extends Pick<RunStatus, "name" | "folder" | "process" | "searches"> {
  /** Trials side by side. */
  readonly jobs: number;
  readonly trials: readonly TrialFacts[];
}

/**
 * The state of each trial and the time that is left: epochs times the seconds that an epoch took – of the trial itself,
 * else the mean over the same method of its case –, and the mean seconds of that method's evaluations.
 */
export function statusOf({ trials: facts, jobs, ...about }: RunFacts): RunStatus {
  const trials = facts.map((each) => trialStatus(facts, each));
  return { ...about, trials, left: timeLeft(trials, jobs, about.searches) };
}
