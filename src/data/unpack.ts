// From a downloaded archive to a dataset's files: only the wanted members, each checked, all or none.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable, type Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { TemperError } from "../base/errors.js";
import type { Conversion, DatasetFile } from "./dataset.js";
import { draftFile, type Draft } from "./disk.js";
import { isGzip } from "./idx.js";

/** A file's content, inflated where it is gz. */
async function contentOf(path: string): Promise<readonly [source: Readable, inflate: Transform]> {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  await file.close();
  const inflate = isGzip(buffer) ? createGunzip() : new PassThrough();
  return [createReadStream(path), inflate];
}

async function* only(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** The first file whose md5 is not the expected one, in words. */
function firstWrong(
  drafts: ReadonlyMap<DatasetFile, Draft>,
  files: readonly DatasetFile[],
): string | undefined {
  for (const file of files) {
    const got = drafts.get(file)?.md5;
    if (got === undefined) return `no ${file.name} in it`;
    if (got !== file.md5) return `${file.name} has md5 ${got} in place of ${file.md5}`;
  }
  return undefined;
}

/** Runs `write`, keeps its drafts if all are right, drops them if not. Returns what was wrong, or undefined. */
async function allOrNone(
  files: readonly DatasetFile[],
  write: (drafts: Map<DatasetFile, Draft>) => Promise<void>,
): Promise<string | undefined> {
  const drafts = new Map<DatasetFile, Draft>();
  try {
    await write(drafts);
    const wrong = firstWrong(drafts, files);
    if (wrong === undefined) for (const draft of drafts.values()) await draft.keep();
    return wrong;
  } catch (error) {
    if (error instanceof TemperError) throw error;
    return `a damaged archive (${error instanceof Error ? error.message : String(error)})`;
  } finally {
    for (const draft of drafts.values()) await draft.drop();
  }
}

/** Waits for both ends of a stream; of two failures the disk's comes first, then the reading end's. */
async function bothEnds(reading: Promise<unknown>, storing: Promise<unknown>): Promise<void> {
  const failures = (await Promise.allSettled([reading, storing])).flatMap((end): unknown[] =>
    end.status === "rejected" ? [end.reason] : [],
  );
  if (failures.length > 0) throw failures.find((error) => error instanceof TemperError) ?? failures[0];
}

/** Writes `file` into `folder` from a plain or gz file. Returns what is wrong with that, or undefined. */
export async function unpackFile(
  path: string,
  file: DatasetFile,
  folder: string,
): Promise<string | undefined> {
  return allOrNone([file], async (drafts) => {
    const [source, inflate] = await contentOf(path);
    const store = async (): Promise<void> => {
      drafts.set(file, await draftFile(join(folder, file.name), inflate));
    };
    await bothEnds(pipeline(source, inflate), store());
  });
}

/** Hands each member of a tar or tar.gz to `take`, which must read it to its end or leave it alone. */
async function readArchive(
  path: string,
  take: (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const [source, inflate] = await contentOf(path);
  const archive = extract();
  const store = async (): Promise<void> => {
    for await (const entry of archive) {
      await take(entry.header.name, entry as AsyncIterable<Uint8Array>); // its own types leave the element open
      entry.resume();
    }
  };
  await bothEnds(pipeline(source, inflate, archive), store());
}

/** Writes `files` into `folder` from the members `prefix` + name of a tar or tar.gz; others are passed over. */
export async function unpackArchive(
  path: string,
  prefix: string,
  files: readonly DatasetFile[],
  folder: string,
): Promise<string | undefined> {
  const members = new Map(files.map((file) => [prefix + file.name, file]));
  return allOrNone(files, (drafts) =>
    readArchive(path, async (name, content) => {
      const file = members.get(name);
      if (file !== undefined) drafts.set(file, await draftFile(join(folder, file.name), content));
    }),
  );
}

/** Writes `files` into `folder` as `conversion` makes them of the members `prefix` + name, all of them in memory. */
export async function convertArchive(
  path: string,
  prefix: string,
  conversion: Conversion,
  { files, folder }: { readonly files: readonly DatasetFile[]; readonly folder: string },
): Promise<string | undefined> {
  return allOrNone(files, async (drafts) => {
    const members = new Map<string, Uint8Array>();
    await readArchive(path, async (name, content) => {
      const member = conversion.members.find((each) => prefix + each === name);
      if (member !== undefined) members.set(member, await buffer(content));
    });
    const missing = conversion.members.find((member) => !members.has(member));
    if (missing !== undefined) throw new Error(`no ${missing} in it`);
    for await (const [name, bytes] of conversion.files(members)) {
      const file = files.find((each) => each.name === name);
      if (file !== undefined) drafts.set(file, await draftFile(join(folder, name), only(bytes)));
    }
  });
}
