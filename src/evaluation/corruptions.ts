// Accuracy under corruptions: every image under each of them at each severity; a corruption's batches share the lanes.
import { range } from "../attacks/rows.js";
import { check } from "../base/errors.js";
import { checkImageShape, corrupt } from "../corruptions/corrupt.js";
import type { Corruption } from "../corruptions/corruption.js";
import type { Classifier } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import { checkedRows, checkLabels, type EvaluationData } from "./data.js";
import type { Progress } from "./evaluate.js";
import type { Journal } from "./journal.js";
import { evenBatches, inLanes } from "./lanes.js";
import { openPredictor } from "./predictor.js";
import type { Field, Lane } from "./trial.js";

/** Accuracy of one classifier under one corruption at one severity. */
export interface CorruptionRecord {
  readonly name: string;
  /** 1 to 5. */
  readonly severity: number;
  /** Share of the n images classified rightly, by true labels. */
  readonly accuracy: number;
  readonly n: number;
}

export interface CorruptionOptions {
  /** They share the batches. The result does not depend on their number where all have the same threads. */
  readonly engines: readonly Engine[];
  readonly corruptions: readonly Corruption[];
  /** Each 1 to 5. */
  readonly severities: readonly number[];
  /** [channels, height, width] of the images, whatever shape the classifier takes them in. */
  readonly imageShape: readonly [channels: number, height: number, width: number];
  /** Default 0. */
  readonly seed?: number;
  /** Images a batch, default 100. */
  readonly batchSize?: number;
  /** Only the first images; default all. */
  readonly limit?: number;
  /** What is known already is taken from it, and what is found is kept in it. */
  readonly journal?: Journal;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** Classes at every severity, one severity after the other, −1 where the outputs are not numbers. */
async function classesOf(
  { predictor }: Lane,
  corruption: Corruption,
  images: Float32Array,
  indices: readonly number[],
  { imageShape, severities, seed = 0, signal }: CorruptionOptions,
): Promise<number[]> {
  const classes: number[] = [];
  for (const severity of severities) {
    signal?.throwIfAborted();
    const points = corrupt(corruption, images, { imageShape, indices, severity, seed });
    classes.push(...(await predictor.predict(points, indices)).classes);
  }
  return classes;
}

/** Accuracies under one corruption; `report` is called with the number of images done. */
async function underCorruption(
  lanes: readonly Lane[],
  { rows, labels, n }: { rows: Field["rows"]; labels: ArrayLike<number>; n: number },
  corruption: Corruption,
  options: CorruptionOptions,
  report: (images: number) => void,
): Promise<CorruptionRecord[]> {
  const { severities, batchSize = 100, journal } = options;
  const { name } = corruption;
  const strike = `corruption ${name} ${severities.join(",")}`;
  const known = new Set<number>();
  const right = severities.map(() => 0);
  const take = (indices: readonly number[], classes: readonly number[]): void => {
    indices.forEach((index, i) => {
      known.add(index);
      right.forEach((count, s) => {
        right[s] = count + (classes[s * indices.length + i] === labels[index] ? 1 : 0);
      });
    });
    report(indices.length);
  };
  for (const { indices, classes } of journal?.read(strike) ?? []) take(indices, classes);
  const left = range(n).filter((index) => !known.has(index));
  const batches = evenBatches(left, { batchSize, lanes: lanes.length });
  const done = inLanes(lanes, batches, async (lane, indices) => {
    const begun = performance.now();
    const images = await rows(indices);
    const classes = await classesOf(lane, corruption, images, indices, options);
    return { indices, classes, milliseconds: performance.now() - begun };
  });
  for await (const { indices, classes, milliseconds } of done) {
    const unattacked = { outside: 0, nonFinite: 0, rounding: { checked: 0, lost: 0 } };
    await journal?.write(strike, { indices, classes, ...unattacked, milliseconds });
    take(indices, classes);
  }
  return severities.map((severity, s) => ({ name, severity, accuracy: (right[s] ?? 0) / n, n }));
}

/** Throws unless the corruptions can be run on the images; returns the number of these. */
function checkOptions(
  { count, labels }: EvaluationData,
  classifier: Classifier,
  options: CorruptionOptions,
): number {
  const [low, high] = classifier.bounds;
  check(
    low === 0 && high === 1,
    "corruptions",
    "a classifier of inputs in [0, 1]",
    () => `[${low}, ${high}]`,
  );
  for (const corruption of options.corruptions) checkImageShape(corruption, options.imageShape);
  const n = Math.min(count, options.limit ?? count);
  checkLabels(labels, n, classifier.model.classes);
  return n;
}

/** Accuracy of `classifier` on `data` under each corruption at each severity, in that order. */
export async function evaluateCorruptions(
  classifier: Classifier,
  data: EvaluationData,
  options: CorruptionOptions,
): Promise<CorruptionRecord[]> {
  const n = checkOptions(data, classifier, options);
  const { engines, corruptions, onProgress } = options;
  const total = n * corruptions.length;
  let done = 0;
  const lanes: Lane[] = [];
  const records: CorruptionRecord[] = [];
  try {
    for (const engine of engines)
      lanes.push({ engine, predictor: await openPredictor(classifier, engine, options.seed ?? 0) });
    const field = { rows: checkedRows(data, classifier), labels: data.labels, n };
    for (const corruption of corruptions) {
      const report = (images: number): void => {
        done += images;
        onProgress?.({ doing: corruption.name, done, total });
      };
      records.push(...(await underCorruption(lanes, field, corruption, options, report)));
    }
    return records;
  } finally {
    for (const { predictor } of lanes) await predictor.release();
  }
}

/** The mean accuracy of some records. */
export interface CorruptionMean {
  /** A corruption's name, `common` or `disturbances`. */
  readonly over: string;
  readonly records: number;
  readonly accuracy: number;
}

/**
 * Mean accuracy of each corruption over its severities, then of all common corruptions (the mean corruption accuracy
 * of Hendrycks & Dietterich where all fifteen and all severities are among them) and of all disturbances.
 */
export function corruptionMeans(
  records: readonly CorruptionRecord[],
  isCommon: (name: string) => boolean,
): CorruptionMean[] {
  const meanOf = (over: string, members: readonly CorruptionRecord[]): CorruptionMean[] =>
    members.length === 0
      ? []
      : [
          {
            over,
            records: members.length,
            accuracy: members.reduce((sum, { accuracy }) => sum + accuracy, 0) / members.length,
          },
        ];
  return [
    ...[...new Set(records.map(({ name }) => name))].flatMap((name) =>
      meanOf(
        name,
        records.filter((record) => record.name === name),
      ),
    ),
    ...meanOf(
      "common",
      records.filter(({ name }) => isCommon(name)),
    ),
    ...meanOf(
      "disturbances",
      records.filter(({ name }) => !isCommon(name)),
    ),
  ];
}
