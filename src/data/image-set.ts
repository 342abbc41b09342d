// Images that are read a few at a time, wherever they lie: in memory, in a folder of files, in an archive.
import { fail } from "../base/errors.js";
import { gatherRows, readValues } from "./batches.js";
import { imageSize, type AnyDataset, type ImageShape } from "./dataset.js";

export interface ImageSet {
  /** A dataset's name, or the path of a folder or archive. */
  readonly name: string;
  readonly source: "dataset" | "folder" | "npz";
  /** Which part of it: `test`, `train`, `all`. */
  readonly split: string;
  readonly imageShape: ImageShape;
  readonly classes: number;
  readonly classNames?: readonly string[];
  /** Of its content, as far as the name does not say it. */
  readonly identity: string;
  readonly count: number;
  /** [count], each in [0, classes). */
  readonly labels: ArrayLike<number>;
  /** What was decided about the source, and how the host changes its images, for the user. */
  readonly notes: readonly string[];
  /** The images at `indices` as values in [0, 1], [channels, height, width] one after the other. */
  rows(indices: readonly number[]): Float32Array | Promise<Float32Array>;
  /** The same as bytes, where the source has them; a reader that keeps pace with training. */
  readonly bytes?: (indices: ArrayLike<number>) => Promise<Uint8Array>;
  /** Ends threads that read; where there are any. */
  readonly close?: () => Promise<void>;
}

const integer = (value: number): string => value.toLocaleString("en-US");

/** What `limit` leaves of the images, in words; nothing where it leaves all. */
export function limitNotes({ source, count }: Pick<ImageSet, "source" | "count">, limit = count): string[] {
  if (limit >= count) return [];
  const images = `${integer(limit)} of ${integer(count)} images`;
  return source === "folder"
    ? [`${images}, spread over the classes in an order that the seed decides`]
    : [`the first ${images}, in the order of the ${source === "npz" ? "archive" : "dataset"}`];
}

export type SplitName = "test" | "train";

/** One split of a dataset. */
export function splitImages(dataset: AnyDataset, split: SplitName): ImageSet {
  const { name, imageShape, classes, classNames } = dataset;
  const part = dataset[split];
  const { labels, count } = part;
  const size = imageSize(imageShape);
  return {
    name,
    source: "dataset",
    split,
    imageShape,
    classes,
    ...(classNames && { classNames }),
    identity: "rows" in part ? part.identity : "",
    count,
    labels,
    notes: [],
    rows(indices) {
      if ("rows" in part) return readValues(part, size, Uint32Array.from(indices));
      const out = new Float32Array(indices.length * size);
      gatherRows(part.images, size, indices, out);
      return out;
    },
  };
}

/** Throws unless the names are `classes` different ones. */
export function checkClassNames(where: string, names: readonly string[], classes: number): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fail(where, "different class names", `'${twice}' twice`);
  if (names.length !== classes)
    fail(where, `${classes} class names, one for each of the model's outputs`, String(names.length));
}
