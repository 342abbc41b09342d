// Images whose attacked copies another model misreads and this one reads (SGM, figure 3): one file of a trial.
import { readFile } from "node:fs/promises";
import { canTransfer, type TransferSource } from "../attacks/transfer.js";
import { range } from "../attacks/rows.js";
import { dataIn, decodeTensors, encodeTensors } from "../base/safetensors.js";
import { tensor } from "../base/tensor.js";
import { writeWhole } from "../data/disk.js";
import type { ImageSet } from "../data/image-set.js";
import { openPredictor } from "../evaluation/predictor.js";
import type { Classifier } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import { findThreat } from "../threat/find.js";
import type { AttackPlan } from "./attack-plan.js";
import { make } from "./recipe.js";

/** What an attack makes of images at one radius, and what the models read there. */
export interface ContrastAt {
  readonly epsilon: number;
  /** [images, …imageShape]. */
  readonly adversarial: Float32Array;
  /** [images]: classes read by the model the points were crafted on, and by the trial's. */
  readonly sourceReads: Int32Array;
  readonly reads: Int32Array;
}

export interface Contrast {
  readonly trial: string;
  /** Which case of the recipe, where it has cases. */
  readonly case?: string;
  readonly method: string;
  readonly seed: number;
  readonly imageShape: readonly number[];
  /** The model on which points are crafted. */
  readonly source: string;
  readonly attack: { readonly attack: string; readonly norm: string };
  readonly labels: Int32Array;
  readonly originals: Float32Array;
  /** By growing radius. */
  readonly at: readonly ContrastAt[];
}

export interface ContrastOptions {
  readonly engine: Engine;
  readonly attacks: readonly AttackPlan[];
  readonly seed: number;
  readonly batchSize: number;
  readonly limit?: number | undefined;
  /** How many to find. */
  readonly images: number;
  readonly signal: AbortSignal;
}

/** The first planned attack that can be crafted on another model. */
const craftable = (plans: readonly AttackPlan[]): AttackPlan | undefined =>
  plans.find((plan) => plan.targeted !== true && plan.epsilons.length > 0 && canTransfer(make.attack(plan)));

interface Reader {
  readonly engine: Engine;
  readonly classifier: Classifier;
}

interface Opened {
  /** What the attack makes of the images at `indices` within `epsilon`, and what both models read there. */
  strike(epsilon: number, indices: readonly number[]): Promise<ContrastAt>;
  /** Those of `indices` that both models read rightly as they are. */
  readRightly(indices: readonly number[]): Promise<Set<number>>;
  release(): Promise<void>;
}

/** Compiles the attack on `source` and both models' predictions. */
async function open(
  { classifier: source }: TransferSource,
  { engine, classifier }: Reader,
  { images, plan, seed, signal }: { images: ImageSet; plan: AttackPlan; seed: number; signal: AbortSignal },
): Promise<Opened> {
  const threat = findThreat(plan.norm);
  const attack = await make.attack(plan).prepare({ engine, classifier: source, threat, signal });
  const own = await openPredictor(classifier, engine, seed);
  const theirs = await openPredictor(source, engine, seed);
  const [low, high] = classifier.bounds;
  const labelsOf = (indices: readonly number[]) => Int32Array.from(indices, (i) => images.labels[i] ?? 0);
  return {
    async strike(epsilon, indices) {
      signal.throwIfAborted();
      const rows = await images.rows(indices);
      const inputs = tensor("float32", [indices.length, ...source.model.inputShape], rows);
      const labels = labelsOf(indices);
      const points = await attack.perturb({ inputs, labels, targeted: false, indices, epsilon, seed });
      const adversarial = points.map((value) => Math.min(Math.max(value, low), high));
      const { classes: sourceReads } = await theirs.predict(adversarial, indices);
      const { classes: reads } = await own.predict(adversarial, indices);
      return { epsilon, adversarial, sourceReads, reads };
    },
    async readRightly(indices) {
      const rows = await images.rows(indices);
      const [a, b] = [await own.predict(rows, indices), await theirs.predict(rows, indices)];
      return new Set(
        indices.filter((index, row) => [a, b].every(({ classes }) => classes[row] === images.labels[index])),
      );
    },
    async release() {
      for (const each of [attack, own, theirs]) await each.release();
    },
  };
}

/** The first `wanted` of `n` images that `source` misreads at `epsilon` and the trial's model reads. */
async function search(
  opened: Opened,
  { labels }: ImageSet,
  { epsilon, n, wanted, batchSize }: { epsilon: number; n: number; wanted: number; batchSize: number },
): Promise<number[]> {
  const found: number[] = [];
  for (let start = 0; start < n && found.length < wanted; start += batchSize) {
    const indices = range(Math.min(batchSize, n - start)).map((row) => start + row);
    const right = await opened.readRightly(indices);
    const { sourceReads, reads } = await opened.strike(epsilon, indices);
    found.push(
      ...indices.filter(
        (index, row) =>
          right.has(index) && sourceReads[row] !== labels[index] && reads[row] === labels[index],
      ),
    );
  }
  return found.slice(0, wanted);
}

/**
 * The first images that both models read rightly and whose copies – by the first attack that can be crafted on `source`,
 * at its largest radius – `source` misreads and `classifier` reads; with them the copies at the smaller radii. Null where
 * no attack can be crafted.
 */
export async function contrastWith(
  source: TransferSource,
  classifier: Classifier,
  images: ImageSet,
  options: ContrastOptions,
): Promise<Omit<Contrast, "trial" | "case" | "method" | "seed"> | null> {
  const { engine, seed, batchSize, limit = Infinity, images: wanted, signal } = options;
  const plan = craftable(options.attacks);
  if (plan === undefined || wanted === 0) return null;
  const opened = await open(source, { engine, classifier }, { images, plan, seed, signal });
  try {
    const epsilons = plan.epsilons.toSorted((a, b) => a - b);
    const epsilon = epsilons.at(-1) ?? 0;
    const n = Math.min(images.count, limit);
    const indices = await search(opened, images, { epsilon, n, wanted, batchSize });
    const at: ContrastAt[] = [];
    if (indices.length > 0) for (const each of epsilons) at.push(await opened.strike(each, indices));
    return {
      ...{ imageShape: images.imageShape, source: source.name, at },
      attack: { attack: plan.name, norm: plan.norm },
      labels: Int32Array.from(indices, (i) => images.labels[i] ?? 0),
      originals: indices.length > 0 ? await images.rows(indices) : new Float32Array(),
    };
  } finally {
    await opened.release();
  }
}

export async function writeContrast(path: string, contrast: Contrast): Promise<void> {
  const { labels, originals, at, ...about } = contrast;
  const n = labels.length;
  const images = (data: Float32Array) => tensor("float32", [n, ...about.imageShape], data);
  const integers = (data: Int32Array) => tensor("int32", [n], data);
  const tensors = at.flatMap(({ adversarial, sourceReads, reads }, i) => [
    [`adversarial${i}`, images(adversarial)] as const,
    [`sourceReads${i}`, integers(sourceReads)] as const,
    [`reads${i}`, integers(reads)] as const,
  ]);
  const epsilons = at.map(({ epsilon }) => epsilon);
  await writeWhole(
    path,
    encodeTensors(
      { labels: integers(labels), originals: images(originals), ...Object.fromEntries(tensors) },
      { about: JSON.stringify({ ...about, epsilons }) },
    ),
  );
}

/** The record at `path`, or null where there is none. */
export async function readContrast(path: string): Promise<Contrast | null> {
  const file = await readFile(path).catch(() => null);
  if (file === null) return null;
  const { tensors, metadata } = decodeTensors(path, file);
  const { floats, integers } = dataIn(path, tensors);
  const { epsilons, ...about } = JSON.parse(metadata["about"] ?? "{}") as Omit<
    Contrast,
    "labels" | "originals" | "at"
  > & { epsilons: readonly number[] };
  return {
    ...about,
    labels: integers("labels"),
    originals: floats("originals"),
    at: epsilons.map((epsilon, i) => ({
      epsilon,
      adversarial: floats(`adversarial${i}`),
      sourceReads: integers(`sourceReads${i}`),
      reads: integers(`reads${i}`),
    })),
  };
}
