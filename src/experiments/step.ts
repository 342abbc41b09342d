// The training step that a recipe's method means, and what it costs.
import { imageSize, type AnyDataset } from "../data/index.js";
import { compose } from "../defenses/compose.js";
import { movedBytes } from "../defenses/memory.js";
import { buildTrainStep, checkTrainStep, type StepOptions, type TrainStep } from "../defenses/train-step.js";
import { multiplyAdds } from "../graph/work.js";
import type { Model } from "../nn/model.js";
import { checkAugmentation, makeAugmentation } from "./augmentation.js";
import { checkChain, networkOf, seesPreprocessed } from "./input-preprocessing.js";
import { make, trainingOf, type Method, type Recipe } from "./recipe.js";
import { datasetForm } from "./recipe-dataset.js";
import { withPath } from "./references.js";
import { trainingParts } from "./training-parts.js";

function stepOptions(recipe: Recipe, method: Method, model: Model): StepOptions {
  const training = trainingOf(recipe, method);
  const defense = compose(method.defenses.map(make.defense));
  return {
    model,
    defense,
    optimizer: make.optimizer(training.optimizer),
    loss: training.loss,
    labelSmoothing: training.labelSmoothing,
    weightDecay: training.weightDecay,
    maxNorm: training.maxNorm,
    ...(seesPreprocessed(recipe)
      ? { bounds: [-Infinity, Infinity], pixels: "float32" }
      : { bounds: [0, 1], pixels: "uint8" }),
    augmentation: makeAugmentation(training.augmentation),
  };
}

/** The training step of a method. */
export const stepOf = (recipe: Recipe, method: Method, model: Model): TrainStep =>
  buildTrainStep(stepOptions(recipe, method, model));

/** Throws where the training step of a method cannot be built. */
export const checkStep = (recipe: Recipe, method: Method, model: Model): void =>
  checkTrainStep(stepOptions(recipe, method, model));

/** Throws, with the path in the recipe, where its network or a method's training step cannot be built. */
export function verifyRecipe(recipe: Recipe): void {
  const { imageShape: inputShape, classes } = datasetForm(recipe.dataset);
  withPath(["preprocessing"], () => checkChain(recipe));
  withPath(["training", "augmentation"], () => checkAugmentation(recipe.training.augmentation, inputShape));
  const model = withPath(["model"], () => networkOf(recipe)({ inputShape, classes }));
  recipe.methods.forEach((method, i) => withPath(["methods", i], () => checkStep(recipe, method, model)));
}

/** What training a method will cost. */
export interface Cost {
  /** Multiply–adds of one training step. */
  readonly work: number;
  /** Bytes of the inputs that move, held in memory and in checkpoints; 0 where none do. */
  readonly movedBytes: number;
}

/** The cost of a method, from its training step. */
export function costOf(recipe: Recipe, dataset: AnyDataset, method: Method): Cost {
  const model = networkOf(recipe)({
    inputShape: dataset.imageShape,
    classes: dataset.classes,
  });
  const step = stepOf(recipe, method, model);
  const { loop } = step;
  const roots = [...loop.carried.map((state) => state.next), ...Object.values(loop.outputs)];
  const images = trainingParts(dataset.train, recipe.training).train.count;
  return {
    work: multiplyAdds(roots, trainingOf(recipe, method).batchSize),
    movedBytes: movedBytes(step, images * imageSize(dataset.imageShape)),
  };
}
