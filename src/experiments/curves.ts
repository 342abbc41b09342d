// What is measured after each epoch: errors on test and validation images, and accuracy under attacks.
import { splitImages } from "../data/image-set.js";
import { limit, pixelsOf, type AnySplit, type ImageShape, type Split } from "../data/index.js";
import { openReader, type Monitor, type Reader } from "../defenses/monitor.js";
import { validationError } from "../defenses/selection.js";
import type { Classifier, Weights } from "../nn/model.js";
import type { Engine, Tensors } from "../runtime/engine.js";
import { assess } from "./assess.js";
import { robustMetric, type Curves } from "./training-section.js";

export interface CurveOptions {
  readonly engine: Engine;
  /** The network over the images, with the weights that training starts from. */
  readonly classifier: Classifier;
  readonly imageShape: ImageShape;
  readonly test: AnySplit | null;
  readonly validation: Split | null;
  readonly curves: Curves | undefined;
  /** Whether the choice of an epoch needs the validation error after each. */
  readonly selects: boolean;
}

/** A monitor in the engine. */
export interface OpenMonitor extends Monitor {
  release(): Promise<void>;
}

/** `weights` with the trained values in their places. */
export const updated = (weights: Weights, tensors: Weights): Weights =>
  Object.fromEntries(Object.entries(weights).map(([name, value]) => [name, tensors[name] ?? value]));

/** Accuracy under each attack at each radius, on the first validation images. */
async function robustness(options: CurveOptions, weights: Tensors): Promise<Record<string, number>> {
  const { engine, classifier, imageShape, validation, curves } = options;
  if (!curves || !validation || curves.attacks.length === 0) return {};
  const { model } = classifier;
  const test = limit(validation, curves.limit);
  const images = { name: "validation", imageShape, classes: model.classes, train: test, test };
  const now = { ...classifier, weights: updated(classifier.weights, weights) };
  const { robust } = await assess(now, splitImages(images, "test"), {
    engines: [engine],
    attacks: curves.attacks,
    ...{ labels: "true", seed: 0, batchSize: 100, examples: 0 },
  });
  return Object.fromEntries(
    robust.map(({ attack, norm, epsilon, accuracy }) => [robustMetric(attack, norm, epsilon), accuracy]),
  );
}

/** Errors of the weights that `reader` holds, on the splits that are due. */
async function errors(
  reader: Reader,
  { test, validation, curves, selects }: CurveOptions,
  isDue: boolean,
): Promise<Record<string, number>> {
  const wanted = (split: "test" | "validation"): boolean => isDue && curves?.splits.includes(split) === true;
  return {
    ...(test && wanted("test") && { testError: await reader.error(test) }),
    ...(validation &&
      (selects || wanted("validation")) && { [validationError]: await reader.error(validation) }),
  };
}

/**
 * A monitor of `testError` and `validationError` (shares misread in inference mode) and robust accuracy after every
 * `every`-th epoch, `validationError` after each where an epoch is chosen by it. Null where nothing is to be measured.
 */
export async function openMonitor(options: CurveOptions): Promise<OpenMonitor | null> {
  const { engine, classifier, imageShape, curves, selects } = options;
  if (!curves && !selects) return null;
  const measured = options.validation ?? options.test;
  const reader = await openReader(engine, classifier.model, {
    shape: imageShape,
    pixels: measured ? pixelsOf(measured) : "uint8",
    frozen: classifier.weights,
  });
  return {
    release: () => reader.release(),
    async measure(epoch, weights) {
      const isDue = curves !== undefined && (epoch + 1) % curves.every === 0;
      if (!isDue && !selects) return {};
      await reader.hold(await weights());
      const found = await errors(reader, options, isDue);
      return isDue ? { ...found, ...(await robustness(options, await weights())) } : found;
    },
  };
}
