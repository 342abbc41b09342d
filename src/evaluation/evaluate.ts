// The runner: clean accuracy, then each attack at each radius on the images that still stand, counted by the runner.
import { checkTarget, type Attack } from "../attacks/attack.js";
import { drawing } from "../attacks/draws.js";
import { range } from "../attacks/rows.js";
import { check } from "../base/errors.js";
import { count as sizeOf } from "../base/shape.js";
import type { Classifier } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import { findThreat, type NormName } from "../threat/find.js";
import { checkRadius, type Threat } from "../threat/threat.js";
import { checkedRows, checkLabels, type EvaluationData } from "./data.js";
import { openCarryOn } from "./carry-on.js";
import { flagsOf } from "./flags/index.js";
import type { Journal } from "./journal.js";
import { probeGradients, type GradientShare } from "./gradient-probe.js";
import { inLanes } from "./lanes.js";
import { openPredictor } from "./predictor.js";
import { withLogOutputs } from "./probabilities.js";
import { runNearest, runRadii, runSuite, type TrialResult, type TrialTask } from "./radius.js";
import type { Evaluation } from "./records.js";
import { checkTop, ranks } from "./top.js";
import type { AttackLane, Field, Lane } from "./trial.js";
import { worstCases } from "./worst-case.js";

/** One attack in one norm at some radii. */
export interface Trial {
  readonly attack: Attack;
  readonly norm: NormName;
  /** In input units, each at least 0. */
  readonly epsilons: readonly number[];
  /** Aim at a random wrong class instead of leaving the own one; default false. */
  readonly targeted?: boolean;
}

export interface Progress {
  /** `clean`, or attack, norm and ε. */
  readonly doing: string;
  /** Images done and to do, over all trials; an image that has fallen before counts as done. */
  readonly done: number;
  readonly total: number;
}

export interface EvaluateOptions {
  /** They share the batches. The result does not depend on their number where all have the same threads. */
  readonly engines: readonly Engine[];
  readonly trials: readonly Trial[];
  /**
   * Labels given to attacks; default `true`. Accuracy is by true labels either way, and only rightly classified
   * images are attacked, so figures differ for single-step attacks' diagnosis alone.
   */
  readonly labels?: "true" | "predicted";
  /** Default 0. */
  readonly seed?: number;
  /** Images a batch, default 100. Up to 128 the result does not depend on it. */
  readonly batchSize?: number;
  /** Only the first images; default all. */
  readonly limit?: number;
  /** Each k counts the clean images whose label is among the k highest outputs; default none. */
  readonly top?: readonly number[];
  /** Adds a record `worst-case` for each norm and ε of several attacks; default false. */
  readonly worstCase?: boolean;
  /** How many of the first images to return with each attack, for figures; default 0. */
  readonly examples?: number;
  /** How many of the images that each attack does most to, out of all, to return; default 0. */
  readonly worst?: number;
  /** What is known already is taken from it, and what is found is kept in it. */
  readonly journal?: Journal;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** Images whose gradient is looked at before anything is attacked. */
const gradientSample = 128;

const wholeAtLeastOne = (where: string, value: number): void =>
  check(Number.isInteger(value) && value >= 1, where, "a whole number of at least 1", () => String(value));

/** Throws unless the options can be run; returns the number of images. */
function checkOptions(
  { count, labels }: EvaluationData,
  classifier: Classifier,
  options: EvaluateOptions,
): number {
  const threads = new Set(options.engines.map((engine) => engine.threads));
  check(threads.size === 1, "evaluate: engines", "one or more of equal threads", () =>
    options.engines.length === 0 ? "none" : `threads ${[...threads].join(", ")}`,
  );
  wholeAtLeastOne("evaluate: images", count);
  wholeAtLeastOne("evaluate: batch size", options.batchSize ?? 1);
  wholeAtLeastOne("evaluate: limit", options.limit ?? 1);
  for (const epsilon of options.trials.flatMap(({ epsilons }) => epsilons))
    check(Number.isFinite(epsilon) && epsilon >= 0, "evaluate: ε", "a finite number of at least 0", () =>
      String(epsilon),
    );
  for (const { attack, norm, epsilons } of options.trials) {
    const threat = findThreat(norm);
    checkTarget(attack, { classifier, threat });
    for (const epsilon of epsilons) checkRadius(threat, epsilon, "evaluate: ε");
  }
  checkTop("evaluate: top", options.top ?? [], classifier.model.classes);
  const n = Math.min(count, options.limit ?? count);
  checkLabels(labels, n, classifier.model.classes);
  return n;
}

interface Clean {
  readonly predictions: Int32Array;
  /** Classes that are put before the label. */
  readonly before: Int32Array;
  readonly nonFinite: number;
  readonly probabilities: boolean;
  readonly random: boolean;
}

type Rows = Field["rows"];
type Report = (doing: string, images: number) => void;

/** Whether both hold the same numbers; what is no number equals itself. */
const sameNumbers = (a: Float32Array, b: Float32Array): boolean => a.every((v, i) => Object.is(v, b[i]));

/** Predictions of the first `n` images. */
async function predictClean(
  lanes: readonly Lane[],
  { rows, labels, n }: { rows: Rows; labels: ArrayLike<number>; n: number },
  { batchSize = 100, signal }: EvaluateOptions,
  report: Report,
): Promise<Clean> {
  const predictions = new Int32Array(n);
  const before = new Int32Array(n);
  let [nonFinite, probabilities, random] = [0, true, false];
  const batches = range(Math.ceil(n / batchSize)).map((i) =>
    range(Math.min(batchSize, n - i * batchSize)).map((row) => i * batchSize + row),
  );
  const predicted = inLanes(lanes, batches, async ({ predictor }, indices) => {
    signal?.throwIfAborted();
    const predicted = await predictor.predict(await rows(indices), indices);
    // The first batch twice: a model that draws random numbers gives other outputs.
    const again = indices[0] === 0 ? await predictor.predict(await rows(indices), indices) : predicted;
    return { indices, ...predicted, random: !sameNumbers(predicted.outputs, again.outputs) };
  });
  for await (const batch of predicted) {
    predictions.set(batch.classes, batch.indices[0]);
    const own = Int32Array.from(batch.indices, (index) => labels[index] ?? 0);
    before.set(ranks(batch.outputs, batch.outputs.length / own.length, own), batch.indices[0]);
    nonFinite += batch.nonFinite;
    probabilities &&= batch.sumToOne;
    random ||= batch.random;
    report("clean", batch.indices.length);
  }
  return { predictions, before, nonFinite, probabilities, random };
}

/** The class that all images were given although the labels differ, or null. */
function answerOf({ predictions }: Clean, labels: ArrayLike<number>): number | null {
  const [answer = -1] = predictions;
  const isSame = answer >= 0 && predictions.every((each) => each === answer);
  return isSame && predictions.some((_, i) => labels[i] !== labels[0]) ? answer : null;
}

/** Gradients at the first images that are classified rightly. */
async function sampleGradients(
  field: Field,
  { engines: [engine], trials }: EvaluateOptions,
): Promise<GradientShare | null> {
  const right = [...field.predictions.keys()].filter((i) => field.predictions[i] === field.labels[i]);
  const sample = right.slice(0, gradientSample);
  if (engine === undefined || trials.length === 0 || sample.length === 0) return null;
  const labels = Int32Array.from(sample, (i) => field.labels[i] ?? 0);
  return probeGradients(field.classifier, engine, await field.rows(sample), {
    labels,
    samples: { indices: sample, seed: field.seed },
  });
}

/** Compiles `attack` – alone or a stage of a suite – in every lane for as long as `use` takes. */
async function withLanes<T>(
  field: Field,
  { attack, threat, alone }: { readonly attack: Attack; readonly threat: Threat; readonly alone: boolean },
  use: (lanes: readonly AttackLane[]) => Promise<T>,
): Promise<T> {
  const { classifier, signal } = field;
  const { kind, nearest = false } = attack;
  const ends = alone && kind === "iterative" && !nearest;
  const lanes: AttackLane[] = [];
  try {
    for (const lane of field.lanes) {
      const engine = drawing(lane.engine, classifier.model, "attack");
      const prepared = await attack.prepare({ engine, classifier, threat, ...(signal && { signal }) });
      const carryOn = ends ? await openCarryOn(engine, { classifier, threat }) : null;
      lanes.push({ ...lane, attack: prepared, nearest, carryOn });
    }
    return await use(lanes);
  } finally {
    for (const { attack: prepared, carryOn } of lanes) {
      await prepared.release();
      await carryOn?.loop.release();
    }
  }
}

/** Runs one attack at each radius. */
async function runTrial(
  field: Field,
  { attack, norm, epsilons, targeted = false }: Trial,
  { journal, examples = 0, worst = 0 }: EvaluateOptions,
  { number, report }: { readonly number: number; readonly report: Report },
): Promise<TrialResult> {
  const threat = findThreat(norm);
  const task: TrialTask = {
    attack,
    norm,
    threat,
    targeted,
    epsilons,
    name: `${number} ${norm}`,
    journal,
    examples: Math.min(examples, field.predictions.length),
    worst,
    onImages: report,
  };
  const stages = attack.stages?.({ classifier: field.classifier, threat });
  if (stages)
    return runSuite(field, task, stages, (stage, use) =>
      withLanes(field, { attack: stage, threat, alone: false }, use),
    );
  const run = attack.nearest === true ? runNearest : runRadii;
  return withLanes(field, { attack, threat, alone: true }, (lanes) => run(field, task, lanes));
}

/** How often a trial goes over all images. */
function passesOf({ attack, epsilons, norm }: Trial, classifier: Classifier): number {
  if (attack.nearest === true) return 1;
  const stages = attack.stages?.({ classifier, threat: findThreat(norm) });
  return epsilons.length * (stages?.length ?? 1);
}

/** Calls `onProgress` with running totals. */
function reporter(n: number, classifier: Classifier, { trials, onProgress }: EvaluateOptions): Report {
  const total = n * (1 + trials.reduce((passes, trial) => passes + passesOf(trial, classifier), 0));
  let done = 0;
  return (doing, images) => {
    done += images;
    onProgress?.({ doing, done, total });
  };
}

/** Accuracy of `classifier` on `data`, clean and under each trial's attack at each of its radii. */
export async function evaluate(
  classifier: Classifier,
  data: EvaluationData,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const n = checkOptions(data, classifier, options);
  const { engines, labels: given = "true", seed = 0, batchSize = 100, top = [], signal } = options;
  const report = reporter(n, classifier, options);
  const lanes: Lane[] = [];
  try {
    for (const engine of engines)
      lanes.push({ engine, predictor: await openPredictor(classifier, engine, seed) });
    const rows = checkedRows(data, classifier);
    const { labels } = data;
    const found = await predictClean(lanes, { rows, labels, n }, options, report);
    const { predictions, before, ...seen } = found;
    const attacked = seen.probabilities ? withLogOutputs(classifier) : classifier;
    const field: Field = {
      classifier: attacked,
      lanes,
      rows,
      labels,
      predictions,
      given,
      seed,
      batchSize,
      signal,
    };
    const gradients = await sampleGradients(field, options);
    const results: TrialResult[] = [];
    for (const [number, trial] of options.trials.entries())
      results.push(await runTrial(field, trial, options, { number, report }));
    const clean = predictions.filter((c, i) => c === labels[i]).length / n;
    const single = results.flatMap((result) => result.outcomes);
    const outcomes = options.worstCase === true ? [...single, ...worstCases(single)] : single;
    return {
      n,
      clean,
      top: top.map((k) => ({ k, accuracy: before.filter((classes) => classes < k).length / n })),
      predictions,
      robust: outcomes.map(({ record }) => record),
      outcomes,
      distances: results.flatMap((result) => result.distances),
      times: results.flatMap((result) => result.times),
      budget: results.flatMap((result) => result.budget),
      examples: results.flatMap((result) => result.examples),
      worst: results.flatMap((result) => result.worst),
      flags: flagsOf({
        n,
        clean,
        classes: classifier.model.classes,
        answer: answerOf(found, labels),
        draws: (classifier.model.draws ?? []).map(({ name }) => name),
        inputs: sizeOf(classifier.model.inputShape),
        bounds: classifier.bounds,
        ...seen,
        gradients,
        trials: results.flatMap((result) => result.evidence),
      }),
    };
  } finally {
    for (const { predictor } of lanes) await predictor.release();
  }
}
