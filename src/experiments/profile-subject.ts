// What a profile runs: the training step of a recipe's method, and what the host feeds it.
import { randomStream } from "../base/random.js";
import { scalar } from "../base/tensor.js";
import { imageSize, type Dataset, type ImageShape } from "../data/index.js";
import type { Split } from "../data/dataset.js";
import { feedsFor, type FeedSource } from "../defenses/feeds.js";
import { initialSamples, initialState } from "../defenses/training-state.js";
import type { TrainStep } from "../defenses/train-step.js";
import type { Target } from "../graph/op.js";
import type { Model } from "../nn/model.js";
import { exportLoop } from "../onnx/export.js";
import type { Written } from "../onnx/writer.js";
import type { Tensors } from "../runtime/engine.js";
import { methodNamed, type RecipeFile } from "./cases.js";
import { networkOf } from "./input-preprocessing.js";
import type { Recipe } from "./recipe.js";
import { datasetForm } from "./recipe-dataset.js";
import { stepOf } from "./step.js";

/** What is measured, and how the host feeds it. */
export interface Subject {
  readonly step: TrainStep;
  readonly file: Uint8Array;
  readonly written: readonly Written[];
  readonly batchSize: number;
  readonly imageShape: ImageShape;
  /** Starting values of the state and the frozen parameters. */
  readonly held: Tensors;
}

type Images = Pick<Dataset, "imageShape" | "classes">;

/** Random images as `step` takes them. */
function randomSplit({ pixels }: TrainStep, count: number, { imageShape, classes }: Images): Split {
  const size = imageSize(imageShape);
  const row = new Float32Array(size);
  const isBytes = pixels === "uint8";
  const images = new (isBytes ? Uint8Array : Float32Array)(count * size);
  for (let n = 0; n < count; n++) {
    randomStream(0, "profile").uniform(row, { sample: n }, [0, isBytes ? 256 : 1]);
    images.set(row, n * size);
  }
  return { images, labels: Uint8Array.from({ length: count }, (_, n) => n % classes), count };
}

/** What is profiled, and its names. */
export interface Chosen {
  readonly recipe: Recipe;
  readonly method: string;
  readonly dataset: string;
  readonly classes: number;
  readonly subject: Subject;
}

/** A training step of `model` with fresh weights, as `target` runs it. */
export function subjectFrom(
  model: Model,
  { step, batchSize, imageShape }: Pick<Subject, "step" | "batchSize" | "imageShape">,
  target: Target,
): Subject {
  const weights = model.initialize(0);
  const written: Written[] = [];
  const file = exportLoop(step.loop, { target, onWritten: (each) => void written.push(each) });
  const split = randomSplit(step, 1, { imageShape, classes: model.classes });
  const { tensors } = initialState(step, weights, split);
  const frozen = new Set(step.loop.invariant.map(({ name }) => name));
  const rest = Object.entries(weights).filter(([name]) => frozen.has(name));
  const held = { ...tensors, ...Object.fromEntries(rest) };
  return { step, file, written, batchSize, imageShape, held };
}

/** The training step of `method` (or of the only one) of a recipe. */
export function subjectOf(file: RecipeFile, wanted: string | undefined, target: Target): Chosen {
  const { recipe, method, name } = methodNamed("profile", file, wanted);
  const { name: dataset, imageShape, classes } = datasetForm(recipe.dataset);
  const model = networkOf(recipe)({ inputShape: imageShape, classes });
  const { batchSize } = recipe.training;
  const step = stepOf(recipe, method, model);
  return {
    recipe,
    method: name,
    dataset,
    classes,
    subject: subjectFrom(model, { step, batchSize, imageShape }, target),
  };
}

/** Feeds of a run of `steps` steps. The learning rate is 0, at which the arithmetic is the same and nothing diverges. */
export function feeder({ step, batchSize, imageShape }: Subject, classes: number) {
  return (steps: number) => {
    const split = randomSplit(step, steps * batchSize, { imageShape, classes });
    const source: FeedSource = {
      step,
      split,
      imageShape,
      seed: 0,
      spare: [],
      ...initialSamples(step, split),
    };
    const indices = Uint32Array.from({ length: split.count }, (_, i) => split.count - 1 - i);
    const scalars = Object.entries(step.scalars(0)).map(([name, value]) => [name, scalar(value)] as const);
    return async (): Promise<Tensors> => ({
      ...(await feedsFor(source, { indices, batchSize, epoch: 0 })),
      learningRate: scalar(0),
      ...Object.fromEntries(scalars.map(([name, value]) => [name, { ...value, data: value.data.slice() }])),
    });
  };
}
