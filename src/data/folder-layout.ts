// Where the images of a folder lie and what they show: sub-folders for the classes, or a list of labels.
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, parse } from "node:path";
import { check, fail } from "../base/errors.js";
import { errorCode } from "./disk.js";
import { checkClassNames } from "./image-set.js";

export interface ClassOptions {
  /** How many classes the model tells apart; default as many as there are. */
  readonly classes?: number;
  /** Classes in the order of the model's outputs; default all, sorted by name (by code points, as in Python). */
  readonly classNames?: readonly string[] | undefined;
}

/** One image. */
export interface Item {
  readonly path: string;
  readonly label: number;
  /** Size and time of the last change; `unreadable` where they cannot be had. */
  readonly version: string;
}

export interface FolderLayout {
  readonly classNames: readonly string[];
  /** The images of each class, by name. */
  readonly classes: readonly (readonly Item[])[];
  readonly notes: readonly string[];
}

const suffixes = [".jpg", ".jpeg", ".png", ".webp"];
const isImageName = (name: string): boolean => suffixes.some((suffix) => name.toLowerCase().endsWith(suffix));
const isImage = ({ name, isFile }: Entry): boolean => isFile && isImageName(name);
const byCodePoints = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  /** Neither a folder nor a pipe, socket or device, which might be read without end. */
  readonly isFile: boolean;
  readonly version: string;
}

/**
 * Names in a folder that are not hidden, sorted, with whether each is a folder itself; links are followed. What is called
 * an image is one, though nothing be behind a link: that shows when it is read.
 */
async function entriesOf(path: string): Promise<Entry[]> {
  const names = await readdir(path).catch((error: unknown) =>
    fail(path, "a folder that can be read", errorCode(error) ?? String(error)),
  );
  const shown = names.filter((name) => !name.startsWith(".")).sort(byCodePoints);
  return Promise.all(
    shown.map(async (name) => {
      const found = await stat(join(path, name)).catch((error: unknown) =>
        isImageName(name)
          ? null
          : fail(join(path, name), "a file that can be read", errorCode(error) ?? String(error)),
      );
      if (found === null) return { name, isFolder: false, isFile: true, version: "unreadable" };
      const kind = { isFolder: found.isDirectory(), isFile: found.isFile() };
      return { name, ...kind, version: `${found.size} ${found.mtimeMs}` };
    }),
  );
}

/** The first three of the names. */
export const listed = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(", ")}${names.length > 3 ? `, … (${names.length})` : ""}`;

const leftOut = (paths: readonly string[]): string[] =>
  paths.length === 0 ? [] : [`left out what is no JPEG, PNG or WebP image in a class: ${listed(paths)}`];

/** Throws where an order by name is surely not the one that was meant: 0, 1, 10, 2. */
function checkOrder(path: string, names: readonly string[]): void {
  const numbers = names.every((name) => /^\d+$/.test(name)) ? names.map(Number) : [];
  const falls = numbers.findIndex((n, i) => n < (numbers[i - 1] ?? 0));
  check(falls < 0, path, "class folders whose order by name is that of the classes", () => {
    return `'${names[falls - 1] ?? ""}' before '${names[falls] ?? ""}'; say the order with classes`;
  });
}

/** Names of all classes in the model's order, those that were `found` among them. */
function classesOf(
  path: string,
  found: readonly string[],
  { classes, classNames, what }: ClassOptions & { readonly what: string },
): readonly string[] {
  if (classNames !== undefined) {
    checkClassNames(path, classNames, classes ?? classNames.length);
    const strange = found.find((name) => !classNames.includes(name));
    if (strange !== undefined) fail(path, `${what} named in classes`, `'${strange}'`, listed(classNames));
    return classNames;
  }
  const wanted = `${classes ?? 0} ${what}, one for each of the model's classes`;
  check(found.length === (classes ?? found.length), path, wanted, () => {
    return `${found.length}; where only some are there, name all classes in order with classes`;
  });
  return found;
}

/** Images of one class, and paths of what is none. */
interface Listing {
  readonly files: readonly Item[];
  readonly ignored: readonly string[];
}

/** The images of one class: in its folder, or, as in Tiny-ImageNet, in `images` within it, beside a list of boxes. */
async function listClass(path: string, label: number): Promise<Listing> {
  const entries = await entriesOf(path);
  const folders = entries.filter(({ isFolder }) => isFolder).map(({ name }) => name);
  if (folders.join("/") === "images" && !entries.some(isImage)) {
    const inner = await listClass(join(path, "images"), label);
    const beside = entries.filter(({ name, isFolder }) => !isFolder && !name.endsWith("_boxes.txt"));
    return { ...inner, ignored: [...inner.ignored, ...beside.map(({ name }) => join(path, name))] };
  }
  const [inner] = folders;
  if (inner !== undefined) fail(path, "images alone in a class's folder", `the folder '${inner}'`);
  const images = entries.filter(isImage);
  check(images.length > 0, path, "at least one JPEG, PNG or WebP image", () =>
    entries.length === 0 ? "an empty folder" : listed(entries.map(({ name }) => name)),
  );
  return {
    files: images.map(({ name, version }) => ({ path: join(path, name), label, version })),
    ignored: entries.filter((entry) => !isImage(entry)).map(({ name }) => join(path, name)),
  };
}

/** A folder with one sub-folder for each class. */
async function inSubFolders(
  path: string,
  entries: readonly Entry[],
  options: ClassOptions,
): Promise<FolderLayout> {
  const folders = entries.filter(({ isFolder }) => isFolder).map(({ name }) => name);
  check(folders.length > 0, path, "one sub-folder per class", () => "none");
  const parts = folders.filter((name) => ["train", "val", "test"].includes(name));
  check(parts.length < 2 || options.classNames !== undefined, path, "the folder of one part", () =>
    parts.map((name) => join(path, name)).join(", "),
  );
  const classNames = classesOf(path, folders, { ...options, what: "sub-folders" });
  if (options.classNames === undefined) checkOrder(path, folders);
  const present = new Set(folders);
  const listings: Listing[] = [];
  for (const [label, name] of classNames.entries())
    listings.push(present.has(name) ? await listClass(join(path, name), label) : { files: [], ignored: [] });
  const loose = entries.filter(({ isFolder }) => !isFolder).map(({ name }) => join(path, name));
  const ignored = [...loose, ...listings.flatMap((listing) => listing.ignored)];
  return { classNames, classes: listings.map(({ files }) => files), notes: leftOut(ignored) };
}

/** The list of labels that belongs to a folder without classes, where there is one. */
async function labelList(path: string): Promise<string | null> {
  const places = [
    join(path, "val_annotations.txt"),
    `${path}.txt`,
    `${path}.csv`,
    join(dirname(path), `LOC_${basename(path)}_solution.csv`),
  ];
  for (const place of places) {
    const found = await stat(place).catch(() => null);
    if (found?.isFile() === true) return place;
  }
  return null;
}

/** What the first line of a table calls its first column. */
const heading = /^"?(image|file|path|name|id)[ _-]?(id|name|path)?s?"?$/i;

/** The label of each file that a list names; a line is NAME LABEL and more, between spaces, tabs or commas. */
async function readList(path: string): Promise<Map<string, string>> {
  const list = await readFile(path, "utf8");
  const labels = new Map<string, string>();
  for (const [at, text] of list.split(/\r?\n/).entries()) {
    const [name = "", label] = text.trim().split(/[\s,]+/);
    if (name === "" || (at === 0 && heading.test(name))) continue;
    const line = `${path}:${at + 1}`;
    if (label === undefined) return fail(line, "an image's name and its class", text.trim());
    checkOneLabel(line, name, [labels.get(name), label]);
    labels.set(name, label);
  }
  return labels;
}

/** Throws where a list says two things of an image. */
function checkOneLabel(
  where: string,
  name: string,
  [one, other]: readonly [string | undefined, string | undefined],
): void {
  const isOne = one === undefined || other === undefined || one === other;
  check(isOne, where, `one label for '${name}'`, () => `'${one}' and '${other}'`);
}

/** Throws where labels are numbers, but not all of them whole and from 0. */
function checkNumbers(path: string, labels: readonly string[]): void {
  const number = labels.find((label) => /^[+-]?(\d+\.?\d*|\.\d+)$/.test(label));
  const other = labels.find((label) => !/^\d+$/.test(label));
  const isEither = number === undefined || other === undefined;
  check(isEither, path, "labels that are all names, or all whole numbers from 0", () => {
    return number === other ? `'${number}'` : `'${number}' and '${other}'`;
  });
}

/** Classes of a list: names of `classNames` in its order, else numbers from 0 as they are, else names sorted. */
function listedClasses(path: string, labels: readonly string[], options: ClassOptions): readonly string[] {
  const different = [...new Set(labels)].sort(byCodePoints);
  const { classes, classNames } = options;
  if (classNames === undefined) checkNumbers(path, different);
  const areNamed = classNames !== undefined && different.every((label) => classNames.includes(label));
  if (areNamed || !different.every((label) => /^\d+$/.test(label)))
    return classesOf(path, different, { ...options, what: "different labels" });
  const largest = different.reduce((most, label) => Math.max(most, Number(label)), 0);
  const count = classes ?? classNames?.length ?? largest + 1;
  check(largest < count, path, `labels from 0 to ${count - 1}`, () => String(largest));
  return Array.from({ length: count }, (_, i) => String(i));
}

/** A folder of images without classes, whose labels stand in `list`. */
async function inList(path: string, list: string, options: ClassOptions): Promise<FolderLayout> {
  const entries = await entriesOf(path);
  const labels = await readList(list);
  const labelOf = (name: string): string | undefined => {
    const [whole, short] = [labels.get(name), labels.get(parse(name).name)];
    checkOneLabel(list, name, [whole, short]);
    return whole ?? short;
  };
  const images = entries.filter(isImage);
  // Named classes may be some of a list's, if only images of these are there.
  const meant =
    options.classNames === undefined
      ? [...labels.values()]
      : images.flatMap(({ name }) => labelOf(name) ?? []);
  const found = listedClasses(list, meant, options);
  const places = new Map(found.map((name, label) => [name, label]));
  const classes = found.map((): Item[] => []);
  for (const { name, version } of images) {
    const said = labelOf(name);
    const label = said === undefined ? undefined : places.get(said);
    if (label === undefined) fail(join(path, name), `a label in ${list}`, "none");
    else classes[label]?.push({ path: join(path, name), label, version });
  }
  check(images.length > 0, path, "at least one JPEG, PNG or WebP image", () => "none");
  const missing = labels.size - images.length;
  const ignored = entries.filter((entry) => !isImage(entry)).map(({ name }) => join(path, name));
  const { classNames = found } = options;
  if (classNames !== found) checkClassNames(path, classNames, found.length);
  return {
    classNames,
    classes,
    notes: [
      `labels are those of ${list}`,
      ...(missing > 0 ? [`${missing} of the ${labels.size} images in ${list} are not there`] : []),
      ...leftOut(ignored.filter((each) => each !== list)),
    ],
  };
}

/** Throws where there is nothing to tell apart. */
function checkSeveral(path: string, layout: FolderLayout): FolderLayout {
  const { classNames } = layout;
  check(classNames.length > 1, path, "images of at least 2 classes", () => `'${classNames[0] ?? ""}' alone`);
  return layout;
}

/**
 * What lies in the folder at `path`: one sub-folder for each class, with images or (Tiny-ImageNet) with the folder
 * `images` in it; or images alone, also in a folder `images`, and a list of their labels: `val_annotations.txt` in it,
 * `PATH.txt`, `PATH.csv` or ImageNet's `LOC_val_solution.csv` beside it. There are at least two classes. Throws one line
 * that names folder, list or file.
 */
export async function readLayout(path: string, options: ClassOptions): Promise<FolderLayout> {
  const entries = await entriesOf(path);
  const folders = entries.filter(({ isFolder }) => isFolder).map(({ name }) => name);
  const isFlat = folders.length === 0 ? entries.some(isImage) : folders.join("/") === "images";
  const list = isFlat ? await labelList(path) : null;
  const layout =
    list === null
      ? await inSubFolders(path, entries, options)
      : await inList(join(path, folders[0] ?? ""), list, options);
  return checkSeveral(path, layout);
}
