// What `--dataset` names: a registered dataset, a folder of images, an .npz archive; opened to fit a model.
import { stat } from "node:fs/promises";
import { check, fail, failUnknown } from "../base/errors.js";
import { inMemory } from "../data/batches.js";
import type { AnyDataset, AnySplit, Dataset, ImageShape, StreamedSplit } from "../data/dataset.js";
import { openImageFolder, type Unreadable } from "../data/image-folder.js";
import { splitImages, type ImageSet, type SplitName } from "../data/image-set.js";
import { sizeAfter } from "../data/images/prepare.js";
import { datasetNamed, datasetNames, imageSize, loadDataset } from "../data/index.js";
import { openNpz } from "../data/npz.js";
import { readPreprocessing, type Preprocessing } from "../data/preprocessing.js";
import type { ImportClassifierOptions } from "../nn/imported.js";
import { imageShapeOf, inputShapeFor, openClassifier, takesAnySize } from "./fit.js";

export interface OpenImagesOptions {
  /**
   * The model that will see them. Without one, `preprocessing` says how large a folder's images are (`crop`, or `resize:
   * [height, width]`), an archive how large its own; sub-folders and labels say how many classes there are.
   */
  readonly model?: { readonly inputShape: readonly number[]; readonly classes: number } | undefined;
  /** What is not said has its default. */
  readonly preprocessing?: Partial<Preprocessing>;
  /** Default `test` of a dataset, `x_test` of an archive where it has one; a folder has no parts. */
  readonly split?: SplitName | undefined;
  /** The part of an archive to look for first where `split` is not given; default `test`. */
  readonly preferred?: SplitName;
  /** Bytes of a folder's prepared images to keep; default 2²⁸. */
  readonly cacheBytes?: number;
  /** Decides the order of a folder's images; default 0. */
  readonly seed?: number;
  /** Threads that read a folder's images; default 0: the caller's. */
  readonly threads?: number;
  /** What is done about images of a folder that cannot be read: `refuse` (default) or `skip`. */
  readonly unreadable?: Unreadable;
}

interface Opening extends Required<OpenImagesOptions> {
  readonly preprocessing: Preprocessing;
}

/** What an image of the folder becomes. */
function shapeInFolder(path: string, { model, preprocessing }: Opening): ImageShape {
  const own = model === undefined ? null : imageShapeOf(model.inputShape, preprocessing.layout);
  if (own !== null) return own;
  const size =
    sizeAfter(preprocessing) ??
    fail(
      path,
      "crop, or resize: [height, width]",
      "neither, where the model's input does not say the size of an image",
    );
  const pixels = size.height * size.width;
  const inputs = model?.inputShape.reduce((product, d) => product * d, 1);
  const channels = inputs === undefined ? (preprocessing.channels === "gray" ? 1 : 3) : inputs / pixels;
  check(channels === 1 || channels === 3, path, `${pixels} or ${3 * pixels} inputs`, () => String(inputs));
  return [channels, size.height, size.width];
}

async function openFolder(path: string, options: Opening): Promise<ImageSet> {
  const { model, preprocessing, split, seed, cacheBytes, threads, unreadable } = options;
  check(
    split === undefined,
    path,
    "no split",
    () => `'${split}': a folder has no parts; name the part's own folder`,
  );
  return openImageFolder(path, {
    imageShape: shapeInFolder(path, options),
    geometry: preprocessing,
    ...(model && { classes: model.classes }),
    classNames: preprocessing.classes,
    seed,
    cacheBytes,
    threads,
    unreadable,
  });
}

const openArchive = (path: string, options: Opening): Promise<ImageSet> =>
  openNpz(path, {
    imageShape:
      options.model && (imageShapeOf(options.model.inputShape, options.preprocessing.layout) ?? undefined),
    ...(options.model && { classes: options.model.classes }),
    classNames: options.preprocessing.classes,
    split: options.split,
    preferred: options.preferred,
    range: options.preprocessing.range,
  });

/** A note where resize and crop are said of images that are taken as they are: all but those of a folder. */
export const leftOut = (
  { name, source }: Pick<ImageSet, "name" | "source">,
  { resize, crop }: Preprocessing,
): string[] =>
  source === "folder" || (resize === undefined && crop === undefined)
    ? []
    : [`the images of ${name} are taken in their own size: resize and crop are for folders`];

/** What `given` names; throws where it is neither a dataset's name nor a path to something. */
export async function sourceOf(given: string): Promise<ImageSet["source"]> {
  if (datasetNames.includes(given)) return "dataset";
  const found = await stat(given).catch(() => null);
  if (found !== null) return found.isDirectory() ? "folder" : "npz";
  return /[./\\]/.test(given)
    ? fail(given, "a folder of images or an .npz archive", "no such file")
    : failUnknown("dataset", "name", given, [...datasetNames, "a path to a folder or .npz archive"]);
}

/** The images that `given` names: a dataset's name, else the path of a folder or of an .npz archive. */
export async function openImages(given: string, options: OpenImagesOptions = {}): Promise<ImageSet> {
  const preprocessing = readPreprocessing("preprocessing", options.preprocessing);
  const images = await openAny(given, { ...options, preprocessing });
  return { ...images, notes: [...images.notes, ...leftOut(images, preprocessing)] };
}

async function openAny(
  given: string,
  options: OpenImagesOptions & { readonly preprocessing: Preprocessing },
): Promise<ImageSet> {
  const {
    model,
    preprocessing,
    split,
    preferred = "test",
    seed = 0,
    cacheBytes = 2 ** 28,
    threads = 0,
    unreadable = "refuse",
  } = options;
  const all = { model, preprocessing, split, preferred, seed, cacheBytes, threads, unreadable };
  const source = await sourceOf(given);
  if (source === "folder") return openFolder(given, all);
  if (source === "npz") return openArchive(given, all);
  return splitImages(await loadDataset(datasetNamed(given)), split ?? "test");
}

/** Throws where training images leave a model nothing to tell apart. */
export function checkSeveralClasses({ name, labels, classNames }: ImageSet): void {
  const first = labels[0] ?? 0;
  const isSeveral = Array.from(labels).some((label) => label !== first);
  check(
    isSeveral,
    name,
    "training images of at least 2 classes",
    () => `'${classNames?.[first] ?? first}' alone`,
  );
}

/** Images as training reads them: in memory or as it goes, a byte a number. */
export interface TrainingSet extends Pick<AnyDataset, "name" | "imageShape" | "classes" | "bounds"> {
  readonly train: AnySplit;
}

/** The images of a folder, read as training asks for them; memory does not grow with their number. */
export function streamed(images: ImageSet): TrainingSet & { readonly train: StreamedSplit } {
  const { name, imageShape, classes, classNames, count, labels, bytes, identity } = images;
  const rows = bytes ?? fail(name, "a folder of images to read as training goes", "images of another kind");
  const train = { labels: Int32Array.from(labels), count, rows, identity };
  return { name, imageShape, classes, ...(classNames && { classNames }), train };
}

/** All images of a folder or archive as bytes in memory; throws where pixels are no whole 1/255. */
export async function loadWhole(images: ImageSet): Promise<TrainingSet & Pick<Dataset, "train">> {
  const { name, imageShape, classes, count } = images;
  const size = imageSize(imageShape);
  if (images.bytes !== undefined) {
    const set = streamed(images);
    return { ...set, train: await inMemory(set.train, size) };
  }
  const bytes = new Uint8Array(count * size);
  for (let index = 0; index < count; index++) {
    const row = await images.rows([index]);
    row.forEach((value, i) => {
      const byte = Math.round(value * 255);
      check(
        Math.abs(value * 255 - byte) < 1e-3,
        name,
        "pixels of 8 bits",
        () => `${value} in image ${index}`,
      );
      bytes[index * size + i] = byte;
    });
  }
  const train = { images: bytes, labels: Int32Array.from(images.labels), count };
  return { name, imageShape, classes, train };
}

/** The shape of the inputs that the images that `given` names decide; undefined where the file itself says it. */
export async function inputShapeBy(
  path: string,
  file: Uint8Array,
  given: string,
  options: Omit<OpenImagesOptions, "model">,
): Promise<readonly number[] | undefined> {
  if (!takesAnySize(path, file)) return undefined;
  const { imageShape } = await openImages(given, options);
  return inputShapeFor(imageShape, options.preprocessing?.layout);
}

/** Images for the classifier in `file`, the number of its classes, and notes about it; where the file leaves the size of its inputs open, the images say it. */
export async function openImagesFor(
  path: string,
  file: Uint8Array,
  given: string,
  { mode, ...options }: Omit<OpenImagesOptions, "model"> & Pick<ImportClassifierOptions, "mode"> = {},
): Promise<{ images: ImageSet; classes: number; notes: string[] }> {
  const inputShape = await inputShapeBy(path, file, given, options);
  const { classifier, notes } = openClassifier(path, file, {
    ...(inputShape && { inputShape }),
    ...(mode && { mode }),
  });
  const { model } = classifier;
  return { images: await openImages(given, { ...options, model }), classes: model.classes, notes };
}
