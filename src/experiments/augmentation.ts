// What a recipe's `training.augmentation` lists: transforms of the training images, in order.
import { z } from "zod";
import { B } from "../base/shape.js";
import { input } from "../graph/node.js";
import { drawInto } from "../nn/noise-inputs.js";
import * as registry from "../augmentations/index.js";
import type { Augmentation } from "../augmentations/augmentation.js";
import type { ImageShape } from "../data/index.js";
import { create, readReference, withPath, type Reference } from "./references.js";

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

/** Throws, with the place in the list, where a transform does not take images of `shape`. */
export function checkAugmentation(references: readonly Reference[] = [], shape: ImageShape): void {
  const images = input("images", [B, ...shape]);
  for (const [i, { apply }] of makeAugmentation(references).entries())
    withPath([i], () => apply(images, { draw: drawInto(new Map()) }, [0, 1]));
}
