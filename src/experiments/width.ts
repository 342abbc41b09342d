// How many trials run side by side: as many as cores and memory have room for.
import { availableParallelism } from "node:os";
import { trainingMemory } from "../defenses/memory.js";
import { imageSize, type AnyDataset, type AnySplit } from "../data/index.js";
import { keptImages } from "./folder-dataset.js";
import { networkOf, seesPreprocessed } from "./input-preprocessing.js";
import { machineMemory } from "./machine-memory.js";
import { trainingOf, type Method, type Recipe } from "./recipe.js";
import { costOf, stepOf } from "./step.js";
import { trainingParts } from "./training-parts.js";
import type { Trial } from "./trials.js";

/** Bytes of an idle process with its engine's library. */
const idle = 150e6;

/** Bytes of the images of a split in memory, each of `size`; of those of a folder only so many are kept. */
const heldBytes = (split: AnySplit, size: number, mostKept: number): number =>
  "rows" in split ? Math.min(split.count * size, mostKept) : split.images.byteLength;

/** Bytes of images in memory: of folders those kept and held out, all that `move`; all as floats where they are mapped. */
export function imagesMemory(
  recipe: Pick<Recipe, "space" | "training">,
  { imageShape, train, test }: Pick<AnyDataset, "imageShape" | "train" | "test">,
  { move }: { readonly move: boolean },
): number {
  const size = imageSize(imageShape);
  const { validation } = trainingParts(train, recipe.training);
  const heldOut = validation && "rows" in validation ? validation.count * size : 0;
  const read = heldBytes(train, size, move ? Infinity : keptImages) + heldBytes(test, size, keptImages);
  return read + heldOut + (seesPreprocessed(recipe) ? 4 * size * (train.count + test.count) : 0);
}

/** Predicted bytes of a process that trains `method`. */
function memoryOf(recipe: Recipe, dataset: AnyDataset, method: Method): number {
  const { imageShape, classes } = dataset;
  const model = networkOf(recipe)({ inputShape: imageShape, classes });
  const { movedBytes } = costOf(recipe, dataset, method);
  const { total } = trainingMemory(stepOf(recipe, method, model), trainingOf(recipe, method).batchSize, {
    moved: movedBytes,
  });
  return idle + imagesMemory(recipe, dataset, { move: movedBytes > 0 }) + total;
}

/** The most trials, at least one, that `cores` have room for, and `free` bytes whichever of them meet. */
export function widthFor(
  needs: readonly number[],
  { cores, free }: { readonly cores: number; readonly free: number },
): number {
  let [width, taken] = [0, 0];
  for (const need of needs.toSorted((a, b) => b - a)) {
    taken += need;
    if (width >= cores || taken > free) break;
    width++;
  }
  return Math.max(1, width);
}

export interface WidthOptions {
  readonly datasetOf: (trial: Trial) => AnyDataset;
  /** Of each engine. */
  readonly threads: number;
  /** As many as were asked for; default what cores and memory have room for. */
  readonly jobs?: number | undefined;
}

/** How many of `left` run side by side. */
export function widthOf(left: readonly Trial[], { datasetOf, threads, jobs }: WidthOptions): number {
  const cores = Math.floor(availableParallelism() / threads);
  const most = Math.max(1, Math.min(jobs ?? cores, left.length));
  if (jobs !== undefined || most === 1) return most;
  const known = new Map<Method, number>();
  const needs = left.map((trial) => {
    const { recipe, method } = trial;
    const need = known.get(method) ?? memoryOf(recipe, datasetOf(trial), method);
    known.set(method, need);
    return need;
  });
  return widthFor(needs, { cores: most, free: machineMemory().free });
}
