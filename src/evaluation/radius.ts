// What an attack leaves behind at each radius: who still stands, evidence for flags, images for figures.
import type { Attack } from "../attacks/attack.js";
import type { NormName } from "../threat/find.js";
import type { Threat } from "../threat/threat.js";
import { budgetOf } from "./budget.js";
import { distanceRecordOf } from "./distances.js";
import { farthest, firstExamples, worstExamples } from "./examples.js";
import type { TrialEvidence } from "./flags/index.js";
import type { Journal } from "./journal.js";
import type { BudgetRecord, DistanceRecord, Examples, Outcome, RobustRecord, TimeRecord } from "./records.js";
import { strike, type Strike } from "./strike.js";
import type { AttackLane, Field } from "./trial.js";

export interface TrialResult {
  readonly outcomes: readonly Outcome[];
  readonly evidence: readonly TrialEvidence[];
  readonly examples: readonly Examples[];
  readonly worst: readonly Examples[];
  readonly distances: readonly DistanceRecord[];
  readonly times: readonly TimeRecord[];
  readonly budget: readonly BudgetRecord[];
}

export interface TrialTask {
  readonly attack: Attack;
  readonly norm: NormName;
  readonly threat: Threat;
  readonly targeted: boolean;
  readonly epsilons: readonly number[];
  /** What the journal knows it by. */
  readonly name: string;
  readonly journal: Journal | undefined;
  /** First images to keep for figures. */
  readonly examples: number;
  /** How many of those that it does most to, likewise. */
  readonly worst: number;
  /** Called with what is being done and the number of images done. */
  readonly onImages: (doing: string, images: number) => void;
}

/** Indices of all images that were (or were not) classified rightly before any attack. */
function byCleanPrediction({ predictions, labels }: Field, right: boolean): number[] {
  return [...predictions.keys()].filter((i) => (predictions[i] === labels[i]) === right);
}

/** The record of an attack at a radius, less what came of it. */
const aboutOf = (
  { given, predictions: { length: n } }: Field,
  { norm, targeted }: TrialTask,
  { attack, epsilon, suite }: Omit<OutcomeParts, "correct">,
): Omit<RobustRecord, "accuracy"> => ({
  attack: attack.name,
  ...(suite !== undefined && { suite }),
  norm,
  epsilon,
  n,
  labels: given,
  ...(targeted && { targeted: true as const }),
  ...(Object.keys(attack.options).length > 0 && { options: attack.options }),
});

/** The record of those that are right in `correct`. */
function outcomeOf(field: Field, task: TrialTask, { correct, ...what }: OutcomeParts): Outcome {
  const { attack, suite, norm, epsilon, n, ...rest } = aboutOf(field, task, what);
  const accuracy = correct.reduce((total, c) => total + c, 0) / n;
  const ball = { attack, ...(suite !== undefined && { suite }), norm, epsilon };
  return { record: { ...ball, accuracy, n, ...rest }, correct };
}

interface OutcomeParts {
  readonly attack: Attack;
  readonly epsilon: number;
  readonly correct: Uint8Array;
  readonly suite?: string;
}

/** [n]: 1 where an image of `indices` is still right after `struck`. */
function stillRight({ labels, predictions }: Field, indices: readonly number[], struck: Strike): Uint8Array {
  const correct = new Uint8Array(predictions.length);
  for (const index of indices) correct[index] = struck.classes.get(index) === labels[index] ? 1 : 0;
  return correct;
}

const strikeWith = (
  field: Field,
  task: TrialTask,
  { attack, epsilon, lanes, indices }: StrikeTask,
): Promise<Strike> => {
  const { threat, targeted, journal, name, examples, worst, norm } = task;
  const doing = `${attack.name} ${norm} ${epsilon === Infinity ? "nearest" : epsilon}`;
  task.onImages(doing, field.predictions.length - indices.length);
  return strike(field, indices, {
    lanes,
    radius: { threat, epsilon, targeted },
    name: `${name} ${attack.name} ${epsilon}`,
    journal,
    keep: Math.min(examples, field.predictions.length),
    worst,
    onImages: (images) => task.onImages(doing, images),
  });
};

interface StrikeTask {
  readonly attack: Attack;
  readonly epsilon: number;
  readonly lanes: readonly AttackLane[];
  readonly indices: readonly number[];
}

/** What strikes one after another cost. */
function costOf(
  field: Field,
  task: TrialTask,
  what: Omit<OutcomeParts, "correct">,
  struck: readonly Strike[],
): { readonly time: TimeRecord; readonly budget: BudgetRecord } {
  const about = aboutOf(field, task, what);
  const { attack, suite, norm, epsilon } = about;
  const seconds = struck.reduce((total, { milliseconds }) => total + milliseconds, 0) / 1000;
  return {
    time: { ...{ attack, ...(suite !== undefined && { suite }), norm, epsilon }, seconds },
    budget: budgetOf(about, struck),
  };
}

type Cost = ReturnType<typeof costOf>;
const budgetsOf = (costs: readonly Cost[]): BudgetRecord[] => costs.map(({ budget }) => budget);
const timesOf = (costs: readonly Cost[]): TimeRecord[] => costs.map(({ time }) => time);

/** Images that were wrong and that the attack sets right: a sign that single steps give the label away. */
async function countRecovered(
  field: Field,
  { attack, threat, targeted }: TrialTask,
  epsilon: number,
  lanes: readonly AttackLane[],
): Promise<number> {
  const telling = attack.kind === "single-step" && field.given === "true" && !targeted;
  if (!telling || epsilon === 0) return 0;
  const { classes } = await strike(field, byCleanPrediction(field, false), {
    lanes,
    radius: { threat, epsilon, targeted },
    name: "",
    journal: undefined,
    keep: 0,
    worst: 0,
    onImages: () => undefined,
  });
  return [...classes].filter(([index, found]) => found === field.labels[index]).length;
}

/** Images for figures after strikes one after another. */
async function shownOf(
  field: Field,
  { attack, norm, examples, worst }: TrialTask,
  epsilon: number,
  struck: readonly Strike[],
): Promise<Pick<TrialResult, "examples" | "worst">> {
  const shown = { attack, norm, epsilon };
  return {
    examples: await firstExamples(field, shown, struck, examples),
    worst: await worstExamples(field, shown, struck, worst),
  };
}

async function flattened(
  shown: readonly ReturnType<typeof shownOf>[],
): Promise<Pick<TrialResult, "examples" | "worst">> {
  const all = await Promise.all(shown);
  return {
    examples: all.flatMap(({ examples }) => examples),
    worst: all.flatMap(({ worst }) => worst),
  };
}

/** Attacks what stands at each radius, and counts. */
export async function runRadii(
  field: Field,
  task: TrialTask,
  lanes: readonly AttackLane[],
): Promise<TrialResult> {
  const { attack } = task;
  const outcomes: Outcome[] = [];
  const evidence: TrialEvidence[] = [];
  const shown: ReturnType<typeof shownOf>[] = [];
  const costs: Cost[] = [];
  const indices = byCleanPrediction(field, true);
  for (const epsilon of task.epsilons) {
    const struck = await strikeWith(field, task, { attack, epsilon, lanes, indices });
    const outcome = outcomeOf(field, task, { attack, epsilon, correct: stillRight(field, indices, struck) });
    const recovered = await countRecovered(field, task, epsilon, lanes);
    outcomes.push(outcome);
    costs.push(costOf(field, task, { attack, epsilon }, [struck]));
    evidence.push({ record: outcome.record, kind: attack.kind, ...struck, recovered });
    shown.push(shownOf(field, task, epsilon, [struck]));
  }
  return {
    outcomes,
    evidence,
    ...(await flattened(shown)),
    distances: [],
    times: timesOf(costs),
    budget: budgetsOf(costs),
  };
}

/** Looks for the nearest adversarial point of each image once, and counts at each radius those that lie farther. */
export async function runNearest(
  field: Field,
  task: TrialTask,
  lanes: readonly AttackLane[],
): Promise<TrialResult> {
  const { attack, norm, targeted } = task;
  const indices = byCleanPrediction(field, true);
  const struck = await strikeWith(field, task, { attack, epsilon: Infinity, lanes, indices });
  const distances = indices.map((index) => struck.distances.get(index) ?? Infinity);
  const { outside, nonFinite } = struck;
  const outcomes = task.epsilons.map((epsilon) => {
    const correct = new Uint8Array(field.predictions.length);
    indices.forEach((index, i) => (correct[index] = (distances[i] ?? 0) > epsilon ? 1 : 0));
    return outcomeOf(field, task, { attack, epsilon, correct });
  });
  // The nearest points lie on the boundary: what 8 bits make of them says nothing.
  const rounding = { checked: 0, lost: 0 };
  const found = { outside, nonFinite, rounding, recovered: 0 };
  const costs = [costOf(field, task, { attack, epsilon: Infinity }, [struck])];
  const shownAt = (epsilon: number) => ({ attack, norm, epsilon });
  const worst = struck.worst.map(({ score }) => -score);
  return {
    outcomes,
    evidence: outcomes.map(({ record }) => ({ record, kind: attack.kind, ...found })),
    examples: await firstExamples(field, shownAt(farthest(struck, task.examples)), [struck], task.examples),
    worst: await worstExamples(field, shownAt(Math.max(0, ...worst)), [struck], task.worst),
    distances: [distanceRecordOf(distances, { attack, norm, targeted, labels: field.given })],
    times: timesOf(costs),
    budget: budgetsOf(costs),
  };
}

/** Runs the stages of a suite one after the other, each at every radius on what the ones before left standing. */
export async function runSuite(
  field: Field,
  task: TrialTask,
  stages: readonly Attack[],
  withLanes: <T>(attack: Attack, use: (lanes: readonly AttackLane[]) => Promise<T>) => Promise<T>,
): Promise<TrialResult> {
  const first = byCleanPrediction(field, true);
  const standing = task.epsilons.map(() => first);
  const struckAt: Strike[][] = task.epsilons.map(() => []);
  const byStage: Outcome[][] = [];
  const evidence: TrialEvidence[] = [];
  const costs: Cost[] = [];
  for (const attack of stages) {
    const outcomes: Outcome[] = [];
    await withLanes(attack, async (lanes) => {
      for (const [i, epsilon] of task.epsilons.entries()) {
        const indices = standing[i] ?? [];
        const struck = await strikeWith(field, task, { attack, epsilon, lanes, indices });
        const correct = stillRight(field, indices, struck);
        const outcome = outcomeOf(field, task, { attack, epsilon, correct, suite: task.attack.name });
        const fallen = indices.length - correct.reduce((total, c) => total + c, 0);
        standing[i] = indices.filter((index) => correct[index] === 1);
        struckAt[i]?.push(struck);
        costs.push(costOf(field, task, { attack, epsilon, suite: task.attack.name }, [struck]));
        outcomes.push(outcome);
        evidence.push({ record: outcome.record, kind: attack.kind, ...struck, recovered: 0, fallen });
      }
    });
    byStage.push(outcomes);
  }
  const whole = (byStage.at(-1) ?? []).map(({ record: { epsilon }, correct }) =>
    outcomeOf(field, task, { attack: task.attack, epsilon, correct }),
  );
  const { attack } = task;
  const together = task.epsilons.map((epsilon, i) =>
    costOf(field, task, { attack, epsilon }, struckAt[i] ?? []),
  );
  const shown = task.epsilons.map((epsilon, i) => shownOf(field, task, epsilon, struckAt[i] ?? []));
  return {
    outcomes: [...byStage.flat(), ...whole],
    evidence,
    ...(await flattened(shown)),
    distances: [],
    times: timesOf(costs),
    budget: budgetsOf([...costs, ...together]),
  };
}
