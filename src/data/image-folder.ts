// A folder of images: listed at the start, decoded when a batch asks for them.
import { createHash } from "node:crypto";
import { relative } from "node:path";
import { check, fail } from "../base/errors.js";
import { randomStream } from "../base/random.js";
import { imageSize } from "./dataset.js";
import { listed, readLayout, type ClassOptions, type FolderLayout, type Item } from "./folder-layout.js";
import type { ImageSet } from "./image-set.js";
import type { ImageForm } from "./images/read-image.js";
import { imageReader, type ImageReader } from "./images/reader.js";

export const unreadableWays = ["refuse", "skip"] as const;

/** What is done about an image that cannot be read: an error that names it, or it is left out and counted. */
export type Unreadable = (typeof unreadableWays)[number];

export interface ImageFolderOptions extends ImageForm, ClassOptions {
  /** Decides the order of the images; default 0. */
  readonly seed?: number;
  /**
   * `rounds` (default): one image of every class, then a second one, while there are any; `shares`: every beginning and
   * every end of the list has as large a share of each class as the whole.
   */
  readonly order?: "rounds" | "shares";
  /** Bytes of prepared images to keep, so that a later reader need not decode them again; default 2²⁸. */
  readonly cacheBytes?: number;
  /** Threads that read and decode; default 0: the caller's. */
  readonly threads?: number;
  /** `refuse` (default) throws when its turn comes; `skip` reads every image once at the start. */
  readonly unreadable?: Unreadable;
}

type Classes = readonly (readonly Item[])[];

/** The images of each class in a seeded order. */
function shuffled(classes: Classes, seed: number): Classes {
  const images = randomStream(seed, "folder-images");
  return classes.map((files, label) =>
    Array.from(images.permutation(files.length, { sample: label })).flatMap((i) => files[i] ?? []),
  );
}

/** In each round one image of every class that has one left, both the classes and their images in a seeded order. */
function inRounds(classes: Classes, seed: number): Item[] {
  const rounds = randomStream(seed, "folder-rounds");
  const queues = shuffled(classes, seed);
  const items: Item[] = [];
  for (let round = 0; queues.some((queue) => queue.length > round); round++)
    for (const label of rounds.permutation(queues.length, { sample: round })) {
      const item = queues[label]?.[round];
      if (item !== undefined) items.push(item);
    }
  return items;
}

/** Image j of a class of n stands at (j + ½)/n of the list; classes that meet there are in a seeded order. */
function inShares(classes: Classes, seed: number): Item[] {
  const ranks = randomStream(seed, "folder-shares").permutation(classes.length, { sample: 0 });
  const placed = shuffled(classes, seed).flatMap((files, label) =>
    files.map((item, j) => ({ item, at: (j + 0.5) / files.length, rank: ranks[label] ?? 0 })),
  );
  return placed.sort((a, b) => a.at - b.at || a.rank - b.rank).map(({ item }) => item);
}

/** Of files and labels in their order; the same files elsewhere are the same images. */
function identityOf(root: string, items: readonly Item[]): string {
  const content = createHash("sha256");
  for (const item of items) content.update(JSON.stringify({ ...item, path: relative(root, item.path) }));
  return content.digest("hex");
}

/** Reads images by path; keeps as many of the first asked for as `cacheBytes` hold. */
function keeping(reader: ImageReader, size: number, cacheBytes: number) {
  const kept = new Map<string, Uint8Array>();
  return async (path: string): Promise<Uint8Array> => {
    const known = kept.get(path);
    if (known !== undefined) return known;
    const image = await reader.read(path);
    if ((kept.size + 1) * size <= cacheBytes) kept.set(path, image);
    return image;
  };
}

/** Images checked at a time. */
const checkedAtOnce = 256;

/** Which of the items can be read. */
async function readable(
  items: readonly Item[],
  read: (path: string) => Promise<Uint8Array>,
): Promise<ReadonlySet<Item>> {
  const found = new Set<Item>();
  for (let from = 0; from < items.length; from += checkedAtOnce) {
    const some = items.slice(from, from + checkedAtOnce);
    const results = await Promise.allSettled(some.map(({ path }) => read(path)));
    some.forEach((item, i) => results[i]?.status === "fulfilled" && found.add(item));
  }
  return found;
}

/** The layout without what cannot be read, which is counted in a note. */
async function withoutUnreadable(
  path: string,
  layout: FolderLayout,
  read: (path: string) => Promise<Uint8Array>,
): Promise<FolderLayout> {
  const all = layout.classes.flat();
  const good = await readable(all, read);
  check(good.size > 0, path, "at least one image that can be read", () => `none of ${all.length}`);
  const bad = all.filter((item) => !good.has(item)).map((item) => item.path);
  const left = `left out ${bad.length} of ${all.length} images, which cannot be read: ${listed(bad)}`;
  return {
    ...layout,
    classes: layout.classes.map((items) => items.filter((item) => good.has(item))),
    notes: [...layout.notes, ...(bad.length > 0 ? [left] : [])],
  };
}

/**
 * The images of a folder with one sub-folder per class, or with a list of labels (`readLayout`). As many images are
 * decoded at a time as there are threads; beside the batch that is asked for only `cacheBytes` of prepared images stay in
 * memory. Throws one line that names the folder or the file.
 */
export async function openImageFolder(path: string, options: ImageFolderOptions): Promise<ImageSet> {
  const { imageShape, geometry, seed = 0, cacheBytes = 2 ** 28, threads = 0 } = options;
  const size = imageSize(imageShape);
  const reader = imageReader({ imageShape, geometry }, threads);
  const read = keeping(reader, size, cacheBytes);
  const found = await readLayout(path, options);
  const layout = options.unreadable === "skip" ? await withoutUnreadable(path, found, read) : found;
  const { classNames } = layout;
  const items = (options.order === "shares" ? inShares : inRounds)(layout.classes, seed);
  const absent = classNames.filter((_, label) => layout.classes[label]?.length === 0);
  const bytes = async (indices: ArrayLike<number>): Promise<Uint8Array> => {
    const out = new Uint8Array(indices.length * size);
    const reads = Array.from(indices, async (index, row) => {
      const wanted = `images 0 to ${items.length - 1}`;
      const item = items[index] ?? fail("image folder", wanted, String(index));
      out.set(await read(item.path), row * size);
    });
    // Of several that cannot be read the first one is named, whichever thread was quicker.
    for (const result of await Promise.allSettled(reads))
      if (result.status === "rejected") throw result.reason;
    return out;
  };
  return {
    name: path,
    source: "folder",
    split: "all",
    imageShape,
    classes: classNames.length,
    classNames,
    identity: identityOf(path, items),
    count: items.length,
    labels: Int32Array.from(items, ({ label }) => label),
    notes: [
      ...(absent.length > 0
        ? [`no images of ${absent.length} of ${classNames.length} classes: ${listed(absent)}`]
        : []),
      ...layout.notes,
    ],
    bytes,
    async rows(indices) {
      const values = await bytes(indices);
      const out = new Float32Array(values.length);
      for (let i = 0; i < out.length; i++) out[i] = (values[i] ?? 0) * (1 / 255);
      return out;
    },
    close: () => reader.close(),
  };
}
