// Files of models, and whether a dataset's images are their inputs.
import { check, TemperError } from "../base/errors.js";
import { count } from "../base/shape.js";
import { imageSize, type Dataset } from "../data/index.js";
import { importClassifier, type ImportClassifierOptions } from "../nn/imported.js";
import type { Model } from "../nn/model.js";
import { reshape } from "../ops/reshape.js";

/** `importClassifier`, whose messages name the file. */
export function openClassifier(
  path: string,
  file: Uint8Array,
  options: ImportClassifierOptions = {},
): ReturnType<typeof importClassifier> {
  try {
    return importClassifier(file, options);
  } catch (error) {
    if (error instanceof TemperError)
      throw new TemperError(`${path}: ${error.message.replace(/^model: /, "")}`);
    throw error;
  }
}

const withoutOnes = (shape: readonly number[]): string => shape.filter((d) => d !== 1).join();

/** Throws unless `model` takes the dataset's images – as they are, flat, or with axes of size 1 elsewhere. */
export function checkFit(where: string, model: Model, { name, imageShape, classes }: Dataset): void {
  const { inputShape } = model;
  const flat = inputShape.join() === String(imageSize(imageShape));
  const fits = flat || withoutOnes(inputShape) === withoutOnes(imageShape);
  check(
    fits,
    where,
    `inputs [batch, ${imageShape.join(", ")}] for ${name}`,
    () => `[batch, ${inputShape.join(", ")}]`,
  );
  check(model.classes >= classes, where, `at least ${classes} classes for ${name}`, () =>
    String(model.classes),
  );
}

/** The same model over the dataset's own image shape. */
export function fitted(model: Model, { imageShape }: Dataset): Model {
  if (model.inputShape.join() === imageShape.join()) return model;
  check(
    count(model.inputShape) === imageSize(imageShape),
    model.name,
    `${imageSize(imageShape)} inputs`,
    () => String(count(model.inputShape)),
  );
  return {
    ...model,
    inputShape: imageShape,
    apply: (x, pass) => model.apply(reshape(x, [x.shape[0] ?? 1, ...model.inputShape]), pass),
  };
}
