// Which of a dataset's training images are trained on, and which are held out.
import { check } from "../base/errors.js";
import { limit, splitValidation, type Split, type TrainingImages } from "../data/index.js";
import type { Training } from "./training-section.js";

/** Training and validation images; null where none are held out. */
export interface TrainingParts {
  readonly train: Split;
  readonly validation: Split | null;
}

type Held = Pick<Training, "validation" | "limit">;

const heldOut = (held: Training["validation"], count: number): number =>
  held === undefined ? 0 : "last" in held ? held.last : Math.round(held.fraction * count);

/**
 * Validation takes the last images of all of `train` – `last` of them, or `fraction` rounded to a whole number – whatever
 * the seed and the limit; the limit then takes the first of the rest.
 */
export function trainingParts(train: Split, { validation: held, limit: most }: Held): TrainingParts {
  const count = heldOut(held, train.count);
  const parts = held === undefined ? null : splitValidation(train, { validation: count, by: "last" });
  const rest = parts?.train ?? train;
  return {
    train: most === undefined ? rest : limit(rest, most),
    validation: parts?.validation ?? null,
  };
}

/** The parts of images that may be read as training goes: what is held out of those is read now, and kept in memory. */
export async function openParts(
  train: TrainingImages,
  options: Held,
): Promise<{ readonly train: TrainingImages; readonly validation: Split | null }> {
  if (!("rows" in train)) return trainingParts(train, options);
  const { labels, rows } = train;
  const held = heldOut(options.validation, train.count);
  const inRange = options.validation === undefined || (held > 0 && held < train.count);
  check(inRange, "validation", `a whole number from 1 to ${train.count - 1}`, () => String(held));
  const rest = train.count - held;
  const count = Math.min(rest, options.limit ?? rest);
  const last = Uint32Array.from({ length: held }, (_, i) => rest + i);
  return {
    train: { labels: labels.subarray(0, count), count, rows },
    validation: held > 0 ? { images: await rows(last), labels: labels.subarray(rest), count: held } : null,
  };
}
