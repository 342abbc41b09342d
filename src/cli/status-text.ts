// How far a run is, as lines of at most `width` letters.
import type { CandidateStatus, SearchStatus } from "../experiments/search-status.js";
import type { RunStatus, TimeLeft, TrialStatus } from "../experiments/status.js";
import { foundText } from "../report/search-text.js";
import { duration, optionsText, percent, plural, shorten } from "../report/text.js";
import { attackStage, leftText } from "./progress.js";
import { entry, wrap } from "./text.js";

/** `0 linf pgd 0.1` as `pgd linf 0.1`; what is no attack in a norm stays as it is. */
const strikeText = (strike: string): string =>
  attackStage(strike.replace(/^\d+ (\S+) (.*) (\S+)$/, "$2 $1 $3")).replace(/ Infinity$/, " nearest");

function evaluationText({ strikes }: TrialStatus): string {
  const last = strikes.at(-1);
  if (last === undefined) return "trained, evaluation not begun";
  const done = strikes.length === 1 ? "" : ` (${plural(strikes.length - 1, "attack")} before it)`;
  return `evaluating: ${strikeText(last.strike)}, ${plural(last.images, "image")}${done}`;
}

/** What `trial` has come to. */
function reached(trial: TrialStatus): string {
  const { stage, epochs, clean } = trial;
  if (stage === "waiting") return "";
  if (stage === "done") return `${percent(clean ?? NaN, Infinity)} % right on clean images`;
  return stage === "training"
    ? `epoch ${Math.min(epochs.done + 1, epochs.of)}/${epochs.of}`
    : evaluationText(trial);
}

/** Time of one trial, of what was measured. */
function trialLeft({ stage, left: { training, evaluation } }: TrialStatus): string {
  if (stage === "done" || (training === null && evaluation === null)) return "";
  const atLeast = training === null || evaluation === null ? "at least " : "";
  const text = leftText((training ?? 0) + (evaluation ?? 0));
  return text === "" ? "" : atLeast + text;
}

/** Begun trials that no process has: `stopped`, or `waiting` where the run is at work. */
function wordFor({ stage, process }: TrialStatus, run: RunStatus): string {
  if (stage === "done") return "done";
  if (process !== null) return "running";
  return stage === "waiting" || run.process !== null ? "waiting" : "stopped";
}

const wordWidth = "stopped".length;

function trialLines(trial: TrialStatus, run: RunStatus, column: number, width: number): string {
  const name = shorten(`${trial.method}-seed${trial.seed}`, column - 4);
  const rest = [reached(trial), trialLeft(trial)].filter((part) => part !== "").join(", ");
  const left = `  ${name.padEnd(column - 2)}${wordFor(trial, run)}`;
  return entry(left, rest, column + wordWidth + 2, width);
}

const unknownText = ({ unknown: { trainings, evaluations } }: TimeLeft): string =>
  [plural(trainings, "training"), plural(evaluations, "evaluation")]
    .filter((_, i) => [trainings, evaluations][i] !== 0)
    .join(" and ");

/** The time left in all. */
function leftInAll({ seconds, jobs, ...rest }: TimeLeft): string {
  if (seconds === null) return "unknown: nothing like what is left has been measured yet";
  const unknown = unknownText({ seconds, jobs, ...rest });
  const aside = jobs === 1 ? "one trial at a time" : `${jobs} trials side by side`;
  const sure = `${unknown === "" ? "about" : "at least"} ${duration(seconds)}, ${aside}`;
  return unknown === "" ? sure : `${sure}; unknown: ${unknown}, of methods that were not measured yet`;
}

function heading({ name, folder, process, trials }: RunStatus): string {
  const count = (has: (trial: TrialStatus) => boolean): number => trials.filter(has).length;
  const done = `${count(({ stage }) => stage === "done")} of ${plural(trials.length, "trial")} done`;
  const running = `${count((trial) => trial.process !== null)} running`;
  const at = process === null ? "nobody is at work on it" : `process ${process} is at work on it`;
  return `${name}: ${done}, ${running}; ${at} (${folder})`;
}

/** Where a candidate of a search is: its word, and what there is to say. */
function candidateState(of: CandidateStatus, { rung }: SearchStatus, run: RunStatus): [string, string] {
  const { stage, process, accuracy, epochs } = of;
  const right = accuracy === null ? "no good" : `${percent(accuracy, Infinity)} %`;
  if (stage === "pruned") return [stage, right];
  if (stage === "measured") return ["done", right];
  const place = stage === "waiting" ? "" : `epoch ${Math.min(epochs + 1, rung ?? 0)}/${rung ?? 0}`;
  if (process !== null) return ["running", place];
  return [stage === "waiting" || run.process !== null ? "waiting" : "stopped", place];
}

function searchLines(search: SearchStatus, run: RunStatus, column: number, width: number): string[] {
  const { record, rung, rungs, candidates, waiting } = search;
  if (record !== null) return [...wrap(`search of ${search.search}: ${foundText(record)}`, width), ""];
  const at = `rung ${rungs.indexOf(rung ?? 0) + 1} of ${rungs.length} (${plural(rung ?? 0, "epoch")})`;
  const rows = candidates.map((of) => {
    const name = shorten(`${optionsText(of.values)}, seed ${of.seed}`, column - 4);
    const [word, rest] = candidateState(of, search, run);
    return entry(`  ${name.padEnd(column - 2)}${word}`, rest, column + wordWidth + 2, width);
  });
  return [
    ...wrap(`search of ${search.search}: ${at}, ${plural(waiting, "training")} to go`, width),
    ...rows,
    "",
  ];
}

/** The run's trials by case, one or more lines each, and the time that is left. */
export function statusText(run: RunStatus, width: number): string {
  const { trials, left, searches } = run;
  const longest = Math.max(0, ...trials.map(({ method, seed }) => `${method}-seed${seed}`.length));
  const column = Math.min(longest, Math.floor(width * 0.4)) + 4;
  const lines = trials.flatMap((trial, i) => {
    const own = trialLines(trial, run, column, width);
    return trial.case === null || trial.case === trials[i - 1]?.case ? [own] : [trial.case, own];
  });
  const isDone = trials.every(({ stage }) => stage === "done");
  const end = isDone ? [] : ["", entry("time left", leftInAll(left), "time left".length + 2, width)];
  const found = searches.flatMap((search) => searchLines(search, run, Math.floor(width * 0.6), width));
  return [...wrap(heading(run), width), "", ...found, ...lines, ...end].join("\n");
}
