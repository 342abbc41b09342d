// How far a run is, as lines of at most `width` letters.
import type { RunStatus, TimeLeft, TrialStatus } from "../experiments/status.js";
import { duration, percent, plural, shorten } from "../report/text.js";
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

/** The run's trials by case, one or more lines each, and the time that is left. */
export function statusText(run: RunStatus, width: number): string {
  const { trials, left } = run;
  const longest = Math.max(0, ...trials.map(({ method, seed }) => `${method}-seed${seed}`.length));
  const column = Math.min(longest, Math.floor(width * 0.4)) + 4;
  const lines = trials.flatMap((trial, i) => {
    const own = trialLines(trial, run, column, width);
    return trial.case === null || trial.case === trials[i - 1]?.case ? [own] : [trial.case, own];
  });
  const isDone = trials.every(({ stage }) => stage === "done");
  const end = isDone ? [] : ["", entry("time left", leftInAll(left), "time left".length + 2, width)];
  return [...wrap(heading(run), width), "", ...lines, ...end].join("\n");
}
