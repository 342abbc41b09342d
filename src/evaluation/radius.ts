// All that one attack at one radius leaves behind: who still stands, evidence for flags, images for figures.
import type { Attack } from "../attacks/attack.js";
import type { NormName } from "../threat/find.js";
import type { TrialEvidence } from "./flags.js";
import type { Examples, Outcome, RobustRecord } from "./records.js";
import { attackAll, type AttackedBatch, type AttackLane, type Field, type Radius } from "./trial.js";

export interface RadiusResult {
  readonly outcome: Outcome;
  readonly evidence: TrialEvidence;
  readonly examples: Examples;
}

export interface RadiusTask {
  readonly attack: Attack;
  readonly lanes: readonly AttackLane[];
  readonly norm: NormName;
  readonly radius: Radius;
  /** First images to keep for figures. */
  readonly examples: number;
  /** Called with the number of images done. */
  readonly onImages: (images: number) => void;
}

/** Indices of all images that were (or were not) classified rightly before any attack. */
function byCleanPrediction({ predictions, labels }: Field, right: boolean): number[] {
  return [...predictions.keys()].filter((i) => (predictions[i] === labels[i]) === right);
}

/** The first `k` images as they are. */
function untouched(field: Field, { attack, norm, radius, examples: k }: RadiusTask): Examples {
  const indices = Array.from({ length: k }, (_, i) => i);
  const originals = k === 0 ? new Float32Array() : field.rows(indices);
  return {
    attack: attack.name,
    norm,
    epsilon: radius.epsilon,
    originals,
    adversarial: originals.slice(),
    labels: Int32Array.from(indices, (i) => field.labels[i] ?? 0),
    predictions: field.predictions.slice(0, k),
    adversarialPredictions: field.predictions.slice(0, k),
  };
}

/** Writes those points of `batch` that are among the first images. */
function keepExamples(examples: Examples, { indices, points, classes }: AttackedBatch): void {
  const width = points.length / indices.length;
  indices.forEach((index, i) => {
    if (index >= examples.labels.length) return;
    examples.adversarial.set(points.subarray(i * width, (i + 1) * width), index * width);
    examples.adversarialPredictions[index] = classes[i] ?? -1;
  });
}

/** Images that were wrong and that the attack sets right: a sign that single steps give the label away. */
async function countRecovered(field: Field, { attack, lanes, radius }: RadiusTask): Promise<number> {
  const telling = attack.kind === "single-step" && field.given === "true" && !radius.targeted;
  if (!telling || radius.epsilon === 0) return 0;
  let recovered = 0;
  for await (const { indices, classes } of attackAll(field, lanes, radius, byCleanPrediction(field, false)))
    recovered += indices.filter((index, i) => classes[i] === field.labels[index]).length;
  return recovered;
}

function recordOf(
  { given, predictions }: Field,
  { attack, norm, radius }: RadiusTask,
  right: number,
): RobustRecord {
  return {
    attack: attack.name,
    norm,
    epsilon: radius.epsilon,
    accuracy: right / predictions.length,
    n: predictions.length,
    labels: given,
    ...(radius.targeted && { targeted: true as const }),
    ...(Object.keys(attack.options).length > 0 && { options: attack.options }),
  };
}

/** Attacks what stands, and counts. */
export async function runRadius(field: Field, task: RadiusTask): Promise<RadiusResult> {
  const standing = byCleanPrediction(field, true);
  const correct = new Uint8Array(field.predictions.length);
  const examples = untouched(field, task);
  const seen = { outside: 0, nonFinite: 0, rounding: { checked: 0, lost: 0 } };
  task.onImages(correct.length - standing.length);
  for await (const batch of attackAll(field, task.lanes, task.radius, standing)) {
    batch.indices.forEach((index, i) => (correct[index] = batch.classes[i] === field.labels[index] ? 1 : 0));
    seen.outside += batch.outside;
    seen.nonFinite += batch.nonFinite;
    seen.rounding.checked += batch.rounding.checked;
    seen.rounding.lost += batch.rounding.lost;
    keepExamples(examples, batch);
    task.onImages(batch.indices.length);
  }
  const recovered = await countRecovered(field, task);
  const record = recordOf(
    field,
    task,
    correct.reduce((total, c) => total + c, 0),
  );
  return {
    outcome: { record, correct },
    evidence: { record, kind: task.attack.kind, ...seen, recovered },
    examples,
  };
}
