// One process at a time in a run's folder.
import { setTimeout } from "node:timers/promises";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../base/errors.js";
import { errorCode } from "../data/disk.js";

/** Name of the lock inside the folder; it holds the number of the process. */
export const lockName = "run.lock";

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

/** Writes this process's number into a lock that was not there; false where there is one. */
async function take(path: string): Promise<boolean> {
  const file = await open(path, "wx").catch((error: unknown) => {
    if (errorCode(error) === "EEXIST") return null;
    return fail(path, "a place to write to", errorCode(error) ?? String(error));
  });
  if (file === null) return false;
  await file.writeFile(String(process.pid));
  await file.close();
  return true;
}

/** The process that has `folder`; null where none has, or none that still runs. */
export async function lockHolder(folder: string): Promise<number | null> {
  const holder = Number(await readFile(join(folder, lockName), "utf8").catch(() => ""));
  return holder > 0 && isAlive(holder) ? holder : null;
}

/** Milliseconds between looks at a lock that somebody has. */
const pause = 50;

/**
 * Takes the folder for this process; throws where another one that still runs has it for longer than `patience`
 * milliseconds (default 0). Resolves to what gives it back. A lock whose process is gone does not count.
 */
export async function lockFolder(
  folder: string,
  { patience = 0 }: { readonly patience?: number } = {},
): Promise<() => Promise<void>> {
  const path = join(folder, lockName);
  for (let waited = 0; !(await take(path));) {
    const holder = await lockHolder(folder);
    if (holder !== null) {
      if (waited >= patience) fail(folder, "a folder that nobody uses", `one in use by process ${holder}`);
      await setTimeout(pause);
      waited += pause;
    } else await rm(path, { force: true });
  }
  return () => rm(path, { force: true });
}
