// A folder of images, one sub-folder per class: listed at the start, decoded when a batch asks for them.
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { check, fail } from "../base/errors.js";
import { randomStream } from "../base/random.js";
import { imageSize, type ImageShape } from "./dataset.js";
import { errorCode } from "./disk.js";
import { checkClassNames, type ImageSet } from "./image-set.js";
import { decodeImage } from "./images/decode.js";
import { prepareImage, type Geometry } from "./images/prepare.js";

export interface ImageFolderOptions {
  /** What each image becomes. */
  readonly imageShape: ImageShape;
  readonly geometry: Geometry;
  /** How many classes the model tells apart; default as many as there are sub-folders. */
  readonly classes?: number;
  /** Sub-folders in the order of the model's classes; default all, sorted by name (by code points, as in Python). */
  readonly classNames?: readonly string[] | undefined;
  /** Decides the order of the images; default 0. */
  readonly seed?: number;
  /** Bytes of prepared images to keep, so that a later attack need not decode them again; default 2²⁸. */
  readonly cacheBytes?: number;
}

const suffixes = [".jpg", ".jpeg", ".png", ".webp"];
const isImage = (name: string): boolean => suffixes.some((suffix) => name.toLowerCase().endsWith(suffix));
const byCodePoints = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  /** Size and time of the last change. */
  readonly version: string;
}

/** Names in a folder that are not hidden, sorted, with whether each is a folder itself; links are followed. */
async function entriesOf(path: string): Promise<Entry[]> {
  const names = await readdir(path).catch((error: unknown) =>
    fail(path, "a folder that can be read", errorCode(error) ?? String(error)),
  );
  const shown = names.filter((name) => !name.startsWith(".")).sort(byCodePoints);
  return Promise.all(
    shown.map(async (name) => {
      const found = await stat(join(path, name)).catch((error: unknown) =>
        fail(join(path, name), "a file that can be read", errorCode(error) ?? String(error)),
      );
      return { name, isFolder: found.isDirectory(), version: `${found.size} ${found.mtimeMs}` };
    }),
  );
}

const listed = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(", ")}${names.length > 3 ? `, … (${names.length})` : ""}`;

/** Throws where an order by name is surely not the one that was meant: 0, 1, 10, 2. */
function checkOrder(path: string, names: readonly string[]): void {
  const numbers = names.every((name) => /^\d+$/.test(name)) ? names.map(Number) : [];
  const falls = numbers.findIndex((n, i) => n < (numbers[i - 1] ?? 0));
  check(falls < 0, path, "class folders whose order by name is that of the classes", () => {
    return `'${names[falls - 1] ?? ""}' before '${names[falls] ?? ""}'; say the order with classes`;
  });
}

/** Names of the classes in the model's order, and which of them have a folder. */
function classesOf(
  path: string,
  folders: readonly string[],
  { classes, classNames }: ImageFolderOptions,
): { names: readonly string[]; present: ReadonlySet<string> } {
  const present = new Set(folders);
  check(folders.length > 0, path, "one sub-folder per class", () => "none");
  if (classNames !== undefined) {
    checkClassNames(path, classNames, classes ?? classNames.length);
    const strange = folders.find((name) => !classNames.includes(name));
    if (strange !== undefined) fail(path, "sub-folders named in classes", `'${strange}'`, listed(classNames));
    return { names: classNames, present };
  }
  const wanted = `${classes ?? 0} sub-folders, one for each of the model's classes`;
  check(folders.length === (classes ?? folders.length), path, wanted, () => {
    return `${folders.length}; where only some are there, name all classes in order with classes`;
  });
  checkOrder(path, folders);
  return { names: folders, present };
}

interface Listing {
  readonly files: readonly Item[];
  readonly ignored: readonly string[];
}

interface Item {
  readonly path: string;
  readonly label: number;
  readonly version: string;
}

/** The images of one class. */
async function listClass(path: string, label: number): Promise<Listing> {
  const entries = await entriesOf(path);
  const inner = entries.find(({ isFolder }) => isFolder);
  if (inner !== undefined) fail(path, "images alone in a class's folder", `the folder '${inner.name}'`);
  const names = entries.map(({ name }) => name);
  const files = entries.filter(({ name }) => isImage(name));
  check(files.length > 0, path, "at least one JPEG, PNG or WebP image", () =>
    names.length === 0 ? "an empty folder" : listed(names),
  );
  const whole = (name: string): string => join(path, name);
  return {
    files: files.map(({ name, version }) => ({ path: whole(name), label, version })),
    ignored: names.filter((name) => !isImage(name)).map(whole),
  };
}

/**
 * The images so that every beginning of the list is spread over the classes: in each round one image of every class
 * that has one left, both the classes in a round and the images of a class in a seeded order.
 */
function spread(classes: readonly (readonly Item[])[], seed: number): Item[] {
  const images = randomStream(seed, "folder-images");
  const rounds = randomStream(seed, "folder-rounds");
  const queues = classes.map((files, label) => {
    const order = images.permutation(files.length, { sample: label });
    return Array.from(order, (i) => files[i]);
  });
  const items: Item[] = [];
  for (let round = 0; queues.some((queue) => queue.length > round); round++)
    for (const label of rounds.permutation(queues.length, { sample: round })) {
      const item = queues[label]?.[round];
      if (item !== undefined) items.push(item);
    }
  return items;
}

/** Reads, decodes and prepares images; keeps as many of the first asked for as `cacheBytes` hold. */
function reader(items: readonly Item[], { imageShape, geometry, cacheBytes = 2 ** 28 }: ImageFolderOptions) {
  const size = imageSize(imageShape);
  const kept = new Map<number, Uint8Array>();
  return async (index: number): Promise<Uint8Array> => {
    const known = kept.get(index);
    if (known !== undefined) return known;
    const path = items[index]?.path ?? fail("image folder", `images 0 to ${items.length - 1}`, String(index));
    const file = await readFile(path).catch((error: unknown) =>
      fail(path, "an image that can be read", errorCode(error) ?? String(error)),
    );
    const image = prepareImage(path, await decodeImage(path, file), imageShape, geometry);
    if ((kept.size + 1) * size <= cacheBytes) kept.set(index, image);
    return image;
  };
}

/**
 * The images of a folder with one sub-folder per class. One image is decoded at a time; beside the batch that is
 * asked for only `cacheBytes` of prepared images stay in memory. Throws one line that names the folder or the file.
 */
export async function openImageFolder(path: string, options: ImageFolderOptions): Promise<ImageSet> {
  const entries = await entriesOf(path);
  const loose = entries.flatMap(({ name, isFolder }) => (isFolder ? [] : [join(path, name)]));
  const folders = entries.flatMap(({ name, isFolder }) => (isFolder ? [name] : []));
  const { names, present } = classesOf(path, folders, options);
  const listings: Listing[] = [];
  for (const [label, name] of names.entries())
    listings.push(present.has(name) ? await listClass(join(path, name), label) : { files: [], ignored: [] });
  const items = spread(
    listings.map(({ files }) => files),
    options.seed ?? 0,
  );
  const ignored = [...loose, ...listings.flatMap((listing) => listing.ignored)];
  const absent = names.filter((name) => !present.has(name));
  const read = reader(items, options);
  const size = imageSize(options.imageShape);
  return {
    name: path,
    source: "folder",
    split: "all",
    imageShape: options.imageShape,
    classes: names.length,
    classNames: names,
    identity: createHash("sha256").update(JSON.stringify(items)).digest("hex"),
    count: items.length,
    labels: Int32Array.from(items, ({ label }) => label),
    notes: [
      ...(absent.length > 0
        ? [`no images of ${absent.length} of ${names.length} classes: ${listed(absent)}`]
        : []),
      ...(ignored.length > 0
        ? [`left out what is no JPEG, PNG or WebP image in a class: ${listed(ignored)}`]
        : []),
    ],
    async rows(indices) {
      const out = new Float32Array(indices.length * size);
      for (const [row, index] of indices.entries()) {
        const image = await read(index);
        for (let i = 0; i < size; i++) out[row * size + i] = (image[i] ?? 0) * (1 / 255);
      }
      return out;
    },
  };
}
