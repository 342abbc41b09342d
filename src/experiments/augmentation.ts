// What a recipe's `training.augmentation` lists: transforms of the training images, in order.
import { z } from "zod";
import * as registry from "../augmentations/index.js";
import type { Augmentation } from "../augmentations/augmentation.js";
import { create, readReference, type Reference } from "./references.js";

/** Left out, it leaves no trace in a recipe: trainings without it stay what they were. */
export const augmentationEntry = z
  .array(z.unknown())
  .min(1)
  .optional()
  .describe("changes of the training images, in this order, drawn anew for each image in each epoch");

/** The listed transforms with their options; errors carry the path in the recipe. */
export const readAugmentation = (
  given: readonly unknown[] | undefined,
  path: readonly PropertyKey[],
): { readonly augmentation?: readonly Reference[] } =>
  given === undefined
    ? {}
    : { augmentation: given.map((each, i) => readReference(registry, "augmentation", each, [...path, i])) };

/** The transforms that a recipe names. */
export const makeAugmentation = (references: readonly Reference[] = []): Augmentation[] =>
  references.map((reference) => create(registry, "augmentation", reference));
