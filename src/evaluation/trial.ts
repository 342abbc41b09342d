// One attack at one radius over all images that still stand.
import { takeRows } from "../attacks/rows.js";
import type { AttackBatch, PreparedAttack } from "../attacks/attack.js";
import { PassCounts } from "../attacks/passes.js";
import { randomStream } from "../base/random.js";
import { count } from "../base/shape.js";
import { tensor } from "../base/tensor.js";
import type { Classifier } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import type { Threat } from "../threat/threat.js";
import { carryOn, type CarriedOn, type CarryOn } from "./carry-on.js";
import { difference, enforce } from "./enforce.js";
import { leads } from "./worst.js";
import { evenBatches, inLanes } from "./lanes.js";
import type { Predictor } from "./predictor.js";

/** One engine and the classifier in it. */
export interface Lane {
  readonly engine: Engine;
  readonly predictor: Predictor;
}

/** A lane with an attack in it. */
export interface AttackLane extends Lane {
  readonly attack: PreparedAttack;
  /** Whether it looks for the nearest point. */
  readonly nearest: boolean;
  /** Where it is to be seen whether the attack had come to its end. */
  readonly carryOn: CarryOn | null;
}

/** What the trials of one evaluation share. */
export interface Field {
  readonly classifier: Classifier;
  readonly lanes: readonly Lane[];
  readonly rows: (indices: readonly number[]) => Promise<Float32Array>;
  /** True classes of all images. */
  readonly labels: ArrayLike<number>;
  /** Classes of the clean images, −1 where there is none. */
  readonly predictions: Int32Array;
  readonly given: "true" | "predicted";
  readonly seed: number;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
}

export interface Radius {
  readonly threat: Threat;
  readonly epsilon: number;
  readonly targeted: boolean;
}

/** One batch after an attack, its points in ball and box. */
export interface AttackedBatch {
  readonly indices: readonly number[];
  readonly points: Float32Array;
  readonly classes: Int32Array;
  /** How far they are from their images, infinite where they are not adversarial; for attacks on the nearest point. */
  readonly distances?: Float64Array;
  readonly outside: number;
  readonly nonFinite: number;
  /** Points that are adversarial, and how many of them no longer are once saved with 8 bits a number. */
  readonly rounding: { readonly checked: number; readonly lost: number };
  readonly carriedOn?: CarriedOn;
  /** What the attack asked of the model, row by row; the runner's own checks are not in it. */
  readonly passes: PassCounts;
  /** How badly each row has fallen, as `WorstPoint` has it; −∞ where it stands. */
  readonly scores: Float64Array;
}

/** A wrong class for each image, each as likely as the others; depends on seed and index only. */
function targetOf(seed: number, index: number, label: number, classes: number): number {
  const word = new Uint32Array(1);
  randomStream(seed, "attack-target").words(word, { sample: index });
  return (label + 1 + ((word[0] ?? 0) % Math.max(classes - 1, 1))) % classes;
}

/** What the attack is given for each image: the class to leave, or the class to reach. */
function attackLabels(field: Field, indices: readonly number[], targeted: boolean): Int32Array {
  const { classifier, labels, predictions, given, seed } = field;
  return Int32Array.from(indices, (index) => {
    const label = (given === "true" ? labels[index] : predictions[index]) ?? 0;
    return targeted ? targetOf(seed, index, label, classifier.model.classes) : label;
  });
}

/** How many of the points that are wrongly classified are rightly classified once saved with 8 bits a number. */
async function lostByRounding(
  { classifier, labels }: Field,
  predictor: Predictor,
  { indices, points, classes }: Pick<AttackedBatch, "indices" | "points" | "classes">,
): Promise<AttackedBatch["rounding"]> {
  const [low, high] = classifier.bounds;
  const fallen = indices.flatMap((index, i) => (classes[i] === labels[index] ? [] : [i]));
  if (fallen.length === 0 || !Number.isFinite(high - low)) return { checked: 0, lost: 0 };
  const scale = 255 / (high - low);
  const rounded = takeRows(points, points.length / indices.length, fallen).map(
    (v) => low + Math.round((v - low) * scale) / scale,
  );
  const after = await predictor.predict(
    rounded,
    fallen.map((row) => indices[row] ?? 0),
  );
  const lost = fallen.filter((row, i) => after.classes[i] === labels[indices[row] ?? 0]).length;
  return { checked: fallen.length, lost };
}

/** Attacks one batch of images, and judges what came of it. */
async function attackBatch(
  field: Field,
  { attack, predictor, nearest, carryOn: loop }: AttackLane,
  { threat, epsilon, targeted }: Radius,
  indices: readonly number[],
): Promise<AttackedBatch> {
  field.signal?.throwIfAborted();
  const { classifier, seed } = field;
  const { inputShape } = classifier.model;
  const originals = await field.rows(indices);
  const batch: AttackBatch = {
    inputs: tensor("float32", [indices.length, ...inputShape], originals),
    labels: attackLabels(field, indices, targeted),
    targeted,
    indices,
    epsilon,
    seed,
  };
  const passes = new PassCounts(indices.length);
  const adversarial = await attack.perturb({ ...batch, passes });
  const limits = { epsilon, bounds: classifier.bounds, columns: count(inputShape) };
  const { points, outside, nonFinite } = enforce(threat, originals, adversarial, limits);
  const judged = await predictor.predict(points, indices);
  const { classes } = judged;
  const rounding = await lostByRounding(field, predictor, { indices, points, classes });
  const truths = indices.map((index) => field.labels[index] ?? 0);
  const stands = truths.map((label, row) => classes[row] === label);
  const lead = leads(judged, truths).map((score, row) => (stands[row] ? -Infinity : score));
  const seen = { outside, nonFinite: nonFinite + judged.nonFinite, rounding };
  const found = { indices, points, classes, passes, scores: lead, ...seen };
  if (loop !== null) {
    const right = new Map(
      indices.flatMap((index, row) => (stands[row] ? [[row, field.labels[index] ?? -1] as const] : [])),
    );
    return { ...found, carriedOn: await carryOn(loop, predictor, batch, { points, right }) };
  }
  if (!nearest) return found;
  const moved = threat.distance(difference(points, originals), limits.columns);
  const distances = moved.map((d, i) => (stands[i] ? Infinity : d));
  return { ...found, distances, ...(epsilon === Infinity && { scores: distances.map((d) => -d) }) };
}

/** Attacks the images at `indices`, a batch at a time in each lane; batches come in the order of their images. */
export const attackAll = (
  field: Field,
  lanes: readonly AttackLane[],
  radius: Radius,
  indices: readonly number[],
): AsyncGenerator<AttackedBatch> =>
  inLanes(lanes, evenBatches(indices, { batchSize: field.batchSize, lanes: lanes.length }), (lane, batch) =>
    attackBatch(field, lane, radius, batch),
  );
