// `preprocessing` in recipes: preprocessors in front of the network, fitted to the training images, part of the model.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { bytesText } from "../base/bytes-text.js";
import { check } from "../base/errors.js";
import { decodeTensors, encodeTensors } from "../base/safetensors.js";
import { cacheFolder } from "../data/cache.js";
import { makeFolder, writeWhole } from "../data/disk.js";
import { type AnyDataset, type AnySplit } from "../data/index.js";
import { preprocessed } from "../data/preprocessed.js";
import { behindChain, fitChain, type Chain, type MapOptions } from "../data/preprocessing-chain.js";
import * as registry from "../data/preprocessors/index.js";
import type { Architecture } from "../nn/architectures/architecture.js";
import * as architectures from "../nn/architectures/index.js";
import type { Classifier, Weights } from "../nn/model.js";
import { workerEngine } from "../runtime/worker-engine.js";
import { machineMemory } from "./machine-memory.js";
import type { Recipe } from "./recipe.js";
import { datasetForm } from "./recipe-dataset.js";
import { create, readReference, withPath, type Reference } from "./references.js";
import { filesAmong } from "./sources.js";
import { trainingParts } from "./training-parts.js";

/** Left out, it leaves no trace in a recipe: trainings without it stay what they were. */
export const preprocessingEntry = z
  .union(
    [
      z.string(),
      z.array(z.unknown()).min(1, "expected at least one preprocessor"),
      z.record(z.string(), z.unknown()),
    ],
    {
      error: "expected a preprocessor or a list of them",
    },
  )
  .optional()
  .describe("preprocessors in front of the network, in this order, fitted to the training images");

/** The preprocessors of a recipe with their options; errors carry the path in it. */
export function readInputPreprocessing(given: z.output<typeof preprocessingEntry>): {
  readonly preprocessing?: readonly Reference[];
} {
  if (given === undefined) return {};
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const preprocessing = list.map((each, i) => {
    const path = Array.isArray(given) ? ["preprocessing", i] : ["preprocessing"];
    return readReference(registry, "preprocessor", each, path);
  });
  return { preprocessing };
}

/** Left out, it leaves no trace in a recipe, like the preprocessing. */
export const spaceEntry = z
  .enum(["pixels", "preprocessed"])
  .optional()
  .describe(
    "where methods and attacks change images and measure ε: pixels in [0, 1] (the default), or preprocessed images, without bounds",
  );

type Subject = Pick<Recipe, "dataset" | "model" | "preprocessing" | "space">;

type Images = Omit<Subject, "model">;

/** Whether methods and attacks of the recipe see preprocessed images in place of pixels. */
export const seesPreprocessed = ({ space }: Pick<Recipe, "space">): boolean => space === "preprocessed";

/** Throws where preprocessed images are to be seen and there are none, or what needs pixels is asked for too. */
export function checkSpace(recipe: Pick<Recipe, "space" | "preprocessing" | "evaluation">): void {
  const { preprocessing, evaluation } = recipe;
  if (!seesPreprocessed(recipe)) return;
  const needsPixels = (what: string, asked: boolean): void =>
    check(!asked, "recipe.space", `'pixels' for ${what}`, () => "'preprocessed'");
  check(preprocessing !== undefined, "recipe.space", "'preprocessing' in the recipe", () => "none");
  needsPixels("corruptions, which disturb pixels", evaluation.corruptions !== undefined);
  needsPixels("files to craft on, which take pixels", filesAmong(evaluation.transferFrom).length > 0);
}

/** What lies between the recipe's images and its network; null where nothing does. */
function chainOf({ dataset, preprocessing }: Pick<Images, "dataset" | "preprocessing">): Chain | null {
  if (preprocessing === undefined) return null;
  const preprocessors = preprocessing.map((reference) => create(registry, "preprocessor", reference));
  return { imageShape: datasetForm(dataset).imageShape, preprocessors };
}

/**
 * The recipe's network over the images that its methods see: behind its preprocessing, or alone where they are
 * preprocessed before. Without `fitted`, with values that stand for those to be found.
 */
export function networkOf(recipe: Subject, fitted?: Weights | null): Architecture {
  const network = create(architectures, "model", recipe.model);
  const chain = chainOf(recipe);
  if (chain === null || seesPreprocessed(recipe)) return network;
  return (input) => behindChain(network(input), chain, fitted ?? undefined);
}

/** A network over preprocessed images as a classifier of pixels, its preprocessing in front of it. */
export function overPixels(recipe: Images, { model, weights }: Classifier, fitted: Weights): Classifier {
  const chain = chainOf(recipe);
  const whole = chain === null ? model : behindChain(model, chain, fitted);
  return { model: whole, weights: { ...fitted, ...weights }, bounds: [0, 1] };
}

/** The images that the recipe's methods and attacks see. */
export async function imagesSeen(
  recipe: Images,
  dataset: AnyDataset,
  options: MapOptions,
): Promise<AnyDataset> {
  const chain = chainOf(recipe);
  return chain === null || !seesPreprocessed(recipe) ? dataset : preprocessed(dataset, chain, options);
}

/** Throws where the values of the recipe's preprocessors, for images of its shape, are too large for a model. */
export function checkChain(recipe: Pick<Images, "dataset" | "preprocessing">): void {
  const chain = chainOf(recipe);
  for (const [i, { values }] of (chain?.preprocessors ?? []).entries())
    withPath([i], () => values(chain?.imageShape ?? [1, 1, 1]));
}

/** Throws where fitting the chain to `count` images takes more memory than this machine has. */
function checkRoom({ preprocessors, imageShape }: Chain, count: number): void {
  const { total } = machineMemory();
  for (const { name, fitBytes = () => 0 } of preprocessors) {
    const bytes = fitBytes(imageShape, count);
    check(
      bytes <= total,
      name,
      `fitting within the ${bytesText(total)} of memory that this machine has`,
      () =>
        `one that takes about ${bytesText(bytes)} for ${count} images ${imageShape.join("×")} (allowed: smaller images)`,
    );
  }
}

/** Counts up where the same preprocessors find other values in the same images. */
const version = 1;

/** Where the values of a chain for these images are kept: named after everything that decides them. */
function placeOf(
  { dataset, preprocessing }: Pick<Images, "dataset" | "preprocessing">,
  split: AnySplit,
  folder: string,
): string {
  const { name, imageShape } = datasetForm(dataset);
  const decides = JSON.stringify({ version, preprocessing, imageShape, count: split.count });
  const hash = createHash("sha256")
    .update(decides)
    .update("rows" in split ? split.identity : split.images)
    .digest("hex");
  return join(folder, "preprocessing", `${name}-${hash.slice(0, 24)}.safetensors`);
}

async function readFitted(path: string): Promise<Weights | null> {
  const file = await readFile(path).catch(() => null);
  return file && decodeTensors(path, file).tensors;
}

export interface FitPreprocessingOptions {
  /** Temper's cache folder; default `cacheFolder()`. */
  readonly cacheDir?: string;
  readonly signal?: AbortSignal | undefined;
  /** Called where the values are not in the cache, before they are found. */
  readonly onFit?: () => void;
}

/**
 * The values of a recipe's preprocessors for its training images without those held out, from the cache folder where
 * they have been found before; null where it has none to find.
 */
export async function fitPreprocessing(
  recipe: Pick<Recipe, "dataset" | "preprocessing" | "training">,
  dataset: AnyDataset,
  { cacheDir = cacheFolder(), signal, onFit }: FitPreprocessingOptions = {},
): Promise<Weights | null> {
  const chain = chainOf(recipe);
  if (chain === null) return null;
  const { train } = trainingParts(dataset.train, recipe.training);
  const path = placeOf(recipe, train, cacheDir);
  const known = await readFitted(path);
  if (known !== null) return known;
  checkRoom(chain, train.count);
  onFit?.();
  const engine = workerEngine();
  try {
    const fitted = await fitChain(chain, train, { engine, signal });
    await makeFolder(dirname(path));
    await writeWhole(path, encodeTensors(fitted, {}));
    return fitted;
  } finally {
    await engine.close();
  }
}
