// One attack at one radius over all images that still stand.
import { takeRows } from "../attacks/rows.js";
import type { PreparedAttack } from "../attacks/attack.js";
import { randomStream } from "../base/random.js";
import { count } from "../base/shape.js";
import { tensor } from "../base/tensor.js";
import type { Classifier } from "../nn/model.js";
import type { Threat } from "../threat/threat.js";
import { enforce } from "./enforce.js";
import type { Predictor } from "./predictor.js";

/** What the trials of one evaluation share. */
export interface Field {
  readonly classifier: Classifier;
  readonly predictor: Predictor;
  readonly rows: (indices: readonly number[]) => Float32Array;
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
  readonly outside: number;
  readonly nonFinite: number;
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

/** Attacks the images at `indices`, a batch at a time. */
export async function* attackAll(
  field: Field,
  attack: PreparedAttack,
  radius: Radius,
  indices: readonly number[],
): AsyncGenerator<AttackedBatch> {
  const { classifier, predictor, seed, batchSize } = field;
  const { inputShape } = classifier.model;
  const limits = { epsilon: radius.epsilon, bounds: classifier.bounds, columns: count(inputShape) };
  for (let from = 0; from < indices.length; from += batchSize) {
    field.signal?.throwIfAborted();
    const batch = indices.slice(from, from + batchSize);
    const originals = field.rows(batch);
    const adversarial = await attack.perturb({
      inputs: tensor("float32", [batch.length, ...inputShape], originals),
      labels: attackLabels(field, batch, radius.targeted),
      targeted: radius.targeted,
      indices: batch,
      epsilon: radius.epsilon,
      seed,
    });
    const { points, outside, nonFinite } = enforce(radius.threat, originals, adversarial, limits);
    const judged = await predictor.predict(points, batch.length);
    yield {
      indices: batch,
      points,
      classes: judged.classes,
      outside,
      nonFinite: nonFinite + judged.nonFinite,
    };
  }
}

/** How many of the fallen points of a batch are rightly classified again once saved with 8 bits a number. */
export async function lostByRounding(
  { classifier, predictor, labels }: Field,
  { indices, points, classes }: AttackedBatch,
): Promise<{ checked: number; lost: number }> {
  const [low, high] = classifier.bounds;
  const fallen = indices.flatMap((index, i) => (classes[i] === labels[index] ? [] : [i]));
  const none = fallen.length === 0 || !Number.isFinite(high - low);
  if (none) return { checked: 0, lost: 0 };
  const scale = 255 / (high - low);
  const rounded = takeRows(points, points.length / indices.length, fallen).map(
    (v) => low + Math.round((v - low) * scale) / scale,
  );
  const after = await predictor.predict(rounded, fallen.length);
  const lost = fallen.filter((row, i) => after.classes[i] === labels[indices[row] ?? 0]).length;
  return { checked: fallen.length, lost };
}
