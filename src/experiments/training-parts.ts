// Which of a dataset's training images are trained on, and which are held out.
import { inMemory } from "../data/batches.js";
import type { AnySplit, Split } from "../data/dataset.js";
import { holdOutLast, limit } from "../data/split.js";
import type { Training } from "./training-section.js";

/** Training and validation images; null where none are held out. */
export interface TrainingParts<S extends AnySplit> {
  readonly train: S;
  readonly validation: S | null;
}

type Held = Pick<Training, "validation" | "limit">;

const heldOut = (held: Training["validation"], count: number): number =>
  held === undefined ? 0 : "last" in held ? held.last : Math.round(held.fraction * count);

/**
 * Validation takes the last images of all of `train` – `last` of them, or `fraction` rounded to a whole number – whatever
 * the seed and the limit; the limit then takes the first of the rest.
 */
export function trainingParts(train: Split, held: Held): TrainingParts<Split>;
export function trainingParts(train: AnySplit, held: Held): TrainingParts<AnySplit>;
export function trainingParts(
  train: AnySplit,
  { validation: held, limit: most }: Held,
): TrainingParts<AnySplit> {
  const parts = held === undefined ? null : holdOutLast(train, heldOut(held, train.count));
  const rest = parts?.train ?? train;
  return {
    train: most === undefined ? rest : limit(rest, most),
    validation: parts?.validation ?? null,
  };
}

/** The parts with the images held out, of `size` numbers each, in memory: they are read again and again. */
export async function openParts(
  train: AnySplit,
  { size, ...held }: Held & { readonly size: number },
): Promise<{ readonly train: AnySplit; readonly validation: Split | null }> {
  const parts = trainingParts(train, held);
  return { train: parts.train, validation: parts.validation && (await inMemory(parts.validation, size)) };
}
