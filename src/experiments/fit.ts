// Files of models, and whether images are their inputs.
import { check, TemperError } from "../base/errors.js";
import { count } from "../base/shape.js";
import { imageSize, type ImageShape } from "../data/index.js";
import type { Preprocessing } from "../data/preprocessing.js";
import { importClassifier, type ImportClassifierOptions, type Mode } from "../nn/imported.js";
import { checkInputMap, isIdentity, mapInput, type InputMap } from "../nn/input-map.js";
import type { Classifier, Model, Weights } from "../nn/model.js";
import { readOnnx } from "../onnx/read.js";
import { leavesSizesOpen } from "../onnx/signature.js";
import { reshape } from "../ops/reshape.js";
import { filesBeside } from "./external-data.js";

function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TemperError)
      throw new TemperError(`${path}: ${error.message.replace(/^model: /, "")}`);
    throw error;
  }
}

/** `importClassifier` with files beside the model; messages name the file. */
export const openClassifier = (
  path: string,
  file: Uint8Array,
  options: ImportClassifierOptions = {},
): ReturnType<typeof importClassifier> =>
  inFile(path, () => importClassifier(file, { external: filesBeside(path), ...options }));

/** Whether images must say how large the model's inputs are, as the file does not. */
export const takesAnySize = (path: string, file: Uint8Array): boolean =>
  inFile(path, () => leavesSizesOpen(readOnnx(file, filesBeside(path))));

type Layout = Preprocessing["layout"];

/** Images of a dataset or of a file: what they are, not where. */
interface Images {
  readonly name: string;
  readonly imageShape: ImageShape;
  readonly classes: number;
}

/** Images as inputs of a model whose file leaves sizes open: channels first unless `layout` says nhwc. */
export const inputShapeFor = ([channels, height, width]: ImageShape, layout?: Layout): readonly number[] =>
  layout === "nhwc" ? [height, width, channels] : [channels, height, width];

const isColor = (size: number | undefined): boolean => size === 1 || size === 3;

/** [channels, height, width] of the images that inputs of this shape are; null where it does not say. */
export function imageShapeOf(inputShape: readonly number[], layout?: Layout): ImageShape | null {
  const [a = 1, b = 1, c = 1] = inputShape;
  if (inputShape.length === 2) return [1, a, b];
  if (inputShape.length !== 3) return null;
  const isLast = layout === undefined ? isColor(c) && !isColor(a) : layout === "nhwc";
  return isLast ? [c, a, b] : [a, b, c];
}

const withoutOnes = (shape: readonly number[]): string => shape.filter((d) => d !== 1).join();

/** Whether inputs of this shape hold the several channels of such images last. */
function isChannelsLast(inputShape: readonly number[], imageShape: ImageShape, layout?: Layout): boolean {
  const [channels, height, width] = imageShape;
  if (channels === 1 || layout !== undefined) return channels > 1 && layout === "nhwc";
  const given = withoutOnes(inputShape);
  return given === withoutOnes([height, width, channels]) && given !== withoutOnes(imageShape);
}

/**
 * Throws unless `model` takes the images – as they are, flat, with channels last, or with axes of size 1 elsewhere.
 */
export function checkFit(
  where: string,
  model: Model,
  { name, imageShape, classes }: Images,
  layout?: Layout,
): void {
  const { inputShape } = model;
  const [channels, height, width] = imageShape;
  const isLast = isChannelsLast(inputShape, imageShape, layout);
  const wanted = isLast ? [height, width, channels] : imageShape;
  const isFlat = withoutOnes(inputShape) === String(imageSize(imageShape));
  const fits = isFlat || withoutOnes(inputShape) === withoutOnes(wanted);
  check(
    fits,
    where,
    `inputs [batch, ${wanted.join(", ")}] for ${name}`,
    () => `[batch, ${inputShape.join(", ")}]`,
  );
  check(model.classes >= classes, where, `at least ${classes} classes for ${name}`, () =>
    String(model.classes),
  );
}

/** What of `preprocessing` becomes part of the graph in front of `model`, for images that fit it. */
export function inputMapOf(
  { inputShape }: Model,
  imageShape: ImageShape,
  { range, mean, std, channels, layout }: Preprocessing,
): InputMap {
  const map: InputMap = {
    range,
    mean,
    std,
    isReversed: channels === "bgr",
    isChannelsLast: isChannelsLast(inputShape, imageShape, layout),
  };
  checkInputMap("preprocessing", map, imageShape[0]);
  const isGray = imageShape[0] === 1;
  const agrees = channels === undefined || (channels === "gray") === isGray;
  check(
    agrees,
    "preprocessing.channels",
    isGray ? "gray for 1 channel" : "rgb or bgr",
    () => `'${channels}'`,
  );
  return map;
}

/** The same model over images [channels, height, width] in [0, 1], with `map` in front of it. */
export function fitted(model: Model, imageShape: ImageShape, map?: InputMap): Model {
  const isPlain = map === undefined || isIdentity(map);
  if (isPlain && model.inputShape.join() === imageShape.join()) return model;
  check(
    count(model.inputShape) === imageSize(imageShape),
    model.name,
    `${imageSize(imageShape)} inputs`,
    () => String(count(model.inputShape)),
  );
  const { deployed, origin, ...rest } = model;
  return {
    ...rest,
    inputShape: imageShape,
    ...(deployed && {
      deployed: (weights: Weights) => {
        const form = deployed(weights);
        return { ...form, model: fitted(form.model, imageShape, map) };
      },
    }),
    apply: (x, pass) =>
      model.apply(reshape(isPlain ? x : mapInput(x, map), [x.shape[0] ?? 1, ...model.inputShape]), pass),
  };
}

/** A file's classifier over images. */
export interface Opened {
  /** As the file has it. */
  readonly model: Model;
  /** Over the images' pixels in [0, 1]. */
  readonly classifier: Classifier;
  /** What lies between the two. */
  readonly map: InputMap;
  readonly notes: readonly string[];
}

/** The classifier in `file`, which must fit `images` behind `preprocessing`; messages name the file. */
export function openOver(
  path: string,
  file: Uint8Array,
  images: Images,
  { preprocessing, mode }: { readonly preprocessing: Preprocessing; readonly mode?: Mode | undefined },
): Opened {
  const inputShape = inputShapeFor(images.imageShape, preprocessing.layout);
  const { classifier, notes } = openClassifier(path, file, { inputShape, ...(mode && { mode }) });
  const { model } = classifier;
  checkFit(path, model, images, preprocessing.layout);
  const map = inputMapOf(model, images.imageShape, preprocessing);
  const over = isIdentity(map) ? model : fitted(model, images.imageShape, map);
  return { model, classifier: { ...classifier, model: over }, map, notes };
}
