// Which of a dataset's training images are trained on, and which are held out.
import { limit, splitValidation, type Split } from "../data/index.js";
import type { Training } from "./training-section.js";

/** Training and validation images; null where none are held out. */
export interface TrainingParts {
  readonly train: Split;
  readonly validation: Split | null;
}

/**
 * Validation takes the last images of all of `train` – `last` of them, or `fraction` rounded to a whole number – whatever
 * the seed and the limit; the limit then takes the first of the rest.
 */
export function trainingParts(
  train: Split,
  { validation: held, limit: most }: Pick<Training, "validation" | "limit">,
): TrainingParts {
  const count = held === undefined ? 0 : "last" in held ? held.last : Math.round(held.fraction * train.count);
  const parts = held === undefined ? null : splitValidation(train, { validation: count, by: "last" });
  const rest = parts?.train ?? train;
  return {
    train: most === undefined ? rest : limit(rest, most),
    validation: parts?.validation ?? null,
  };
}
