// Writing to the user's disk: whole files or none, and one clear line where there is no room or no right.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { appendFile, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { fail } from "../base/errors.js";

/** The `code` of a system error ("ENOSPC", "ECONNREFUSED"), where there is one. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Turns an error of the file system into one line about `path`. */
function failToWrite(path: string, error: unknown): never {
  const code = errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") return fail(path, "room on the disk", `a full disk (${code})`);
  return fail(path, "a place to write to", code ?? String(error));
}

/**
 * Makes the folder `path` and those above it. One level at a time: Node's recursive mkdir never returns where a file
 * system says of a folder that exists that it does not (as /proc does).
 */
export async function makeFolder(path: string): Promise<void> {
  // Others may make the same folders meanwhile, so that a parent comes to be there between two looks.
  for (let attempt = 1; ; attempt++) {
    const error: unknown = await mkdir(path).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error === null || (await isFolder(path))) return;
    const parent = dirname(path);
    const parentIsThere = await isFolder(parent);
    if (errorCode(error) !== "ENOENT" || (parentIsThere && attempt >= 3)) failToWrite(path, error);
    if (!parentIsThere) await makeFolder(parent);
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isDirectory() ?? false;

/** Size of the file at `path` in bytes, 0 where there is none. */
export const sizeOnDisk = async (path: string): Promise<number> =>
  (await stat(path).catch(() => null))?.size ?? 0;

/**
 * Opens `path` for writing (`"w"` from scratch, `"a"` at its end), hands it to `use`, brings it to the disk and closes
 * it. Where the disk fails, the file is removed.
 */
export async function writing(
  path: string,
  flags: "w" | "a",
  use: (append: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags).catch((error: unknown) => failToWrite(path, error));
  const orRemove = async (work: Promise<void>): Promise<void> => {
    await work.catch(async (error: unknown) => {
      await rm(path, { force: true });
      failToWrite(path, error);
    });
  };
  try {
    await use((bytes) => orRemove(file.appendFile(bytes)));
    await orRemove(file.sync());
  } finally {
    await file.close();
  }
}

/** A hash of a file's content, read piece by piece. */
export async function hashFile(path: string, algorithm: string, encoding: "hex" | "base64"): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash).catch((error: unknown) =>
    fail(path, "a file that can be read", errorCode(error) ?? String(error)),
  );
  return hash.digest(encoding);
}

/** A file that is written whole under another name and waits for `keep` (its real name) or `drop`. */
export interface Draft {
  readonly md5: string;
  keep(): Promise<void>;
  drop(): Promise<void>;
}

/** Writes `chunks` to a temporary file beside `path`; nothing is left of it where that fails. */
export async function draftFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<Draft> {
  const temporary = `${path}.${process.pid}.tmp`;
  const drop = (): Promise<void> => rm(temporary, { force: true });
  const keep = (): Promise<void> =>
    rename(temporary, path).catch((error: unknown) => failToWrite(path, error));
  const hash = createHash("md5");
  try {
    await writing(temporary, "w", async (append) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        await append(chunk);
      }
    });
  } catch (error) {
    await drop();
    throw error;
  }
  return { md5: hash.digest("hex"), keep, drop };
}

let writes = 0;

/** Writes `content` to `path` whole or not at all: a temporary file beside it, brought to the disk, then renamed. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  // Writes of one process must not meet either.
  const temporary = `${path}.${process.pid}.${writes++}.tmp`;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await makeFolder(dirname(path));
  await writing(temporary, "w", (append) => append(bytes));
  await rename(temporary, path).catch(async (error: unknown) => {
    await rm(temporary, { force: true });
    failToWrite(path, error);
  });
}

/** Adds `content` to the end of `path`; what stood there before stays where that fails. */
export async function appendTo(path: string, content: string): Promise<void> {
  await appendFile(path, content).catch((error: unknown) => failToWrite(path, error));
}
