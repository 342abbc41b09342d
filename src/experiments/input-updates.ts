// How the first stored inputs moved, for methods that move them (SGM, figure 5): one file of a trial.
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { decodeTensors, encodeTensors } from "../base/safetensors.js";
import { tensor } from "../base/tensor.js";
import { readValues } from "../data/batches.js";
import { imageSize, type AnySplit, type ImageShape } from "../data/dataset.js";
import { writeWhole } from "../data/disk.js";

/** Left out, it leaves no trace in a recipe: trainings without it stay what they were. */
export const inputUpdatesEntry = z
  .strictObject({
    images: z.int().min(1).max(64).default(8).describe("the first so many training images"),
    epochs: z.int().min(1).max(100).default(9).describe("kept after each of the first so many epochs"),
  })
  .optional()
  .describe("what is kept of the stored inputs of methods that move them, for a figure");

/** The first stored inputs of a trial, before training and after each of its first epochs. */
export interface InputUpdates {
  readonly trial: string;
  /** Which case of the recipe, where it has cases. */
  readonly case?: string;
  readonly method: string;
  readonly seed: number;
  readonly imageShape: readonly number[];
  /** [images, …imageShape] before the first epoch, then after each one. */
  readonly inputs: readonly Float32Array[];
}

/** The record of a trial from what training kept after each epoch; null where it kept nothing. */
export async function inputUpdatesOf(
  about: Pick<InputUpdates, "trial" | "case" | "method" | "seed">,
  snapshots: readonly Float32Array[],
  split: AnySplit,
  imageShape: ImageShape,
): Promise<InputUpdates | null> {
  const [first] = snapshots;
  if (first === undefined) return null;
  const size = imageSize(imageShape);
  const indices = Uint32Array.from({ length: first.length / size }, (_, i) => i);
  const originals = await readValues(split, size, indices);
  return { ...about, imageShape, inputs: [originals, ...snapshots] };
}

export async function writeInputUpdates(path: string, { inputs, ...about }: InputUpdates): Promise<void> {
  const size = about.imageShape.reduce((a, b) => a * b, 1);
  const tensors = inputs.map(
    (data, i) => [`epoch${i}`, tensor("float32", [data.length / size, ...about.imageShape], data)] as const,
  );
  await writeWhole(path, encodeTensors(Object.fromEntries(tensors), { about: JSON.stringify(about) }));
}

/** The record at `path`, or null where there is none. */
export async function readInputUpdates(path: string): Promise<InputUpdates | null> {
  const file = await readFile(path).catch(() => null);
  if (file === null) return null;
  const { tensors, metadata } = decodeTensors(path, file);
  const inputs = Object.values(tensors).flatMap(({ data }) => (data instanceof Float32Array ? [data] : []));
  return { ...(JSON.parse(metadata["about"] ?? "{}") as Omit<InputUpdates, "inputs">), inputs };
}
