// Where a result comes from: versions, commit, processor, threads.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, platform, release } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunFile } from "./records.js";

/** The folder of Temper's own package.json. */
const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

function versionOf(file: string): string {
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version?: string };
  return version ?? "unknown";
}

export const temperVersion = (): string => versionOf(join(packageRoot, "package.json"));

export const onnxruntimeVersion = (): string =>
  versionOf(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));

/** The commit of Temper's own checkout (with `+` if it has changes), or null where there is none. */
function commitOf(folder: string): string | null {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", folder, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    // A package inside somebody else's repository is not that repository.
    if (git("rev-parse", "--show-prefix") !== "") return null;
    return (
      git("rev-parse", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+")
    );
  } catch {
    return null;
  }
}

export interface EngineSetup {
  readonly provider: string;
  readonly threads: number;
  readonly jobs: number;
}

/** Everything about this machine and these versions that belongs into a record. */
export const environment = ({ provider, threads, jobs }: EngineSetup): RunFile["environment"] => ({
  temper: temperVersion(),
  commit: commitOf(packageRoot),
  node: process.version,
  onnxruntime: onnxruntimeVersion(),
  platform: `${platform()} ${release()} ${process.arch}`,
  processor: `${cpus()[0]?.model.trim() ?? "unknown"} × ${cpus().length}`,
  provider,
  threads,
  jobs,
});

/** The same for one trial, whatever ran beside it. */
export function trialEnvironmentOf(engine: Omit<EngineSetup, "jobs">): Omit<RunFile["environment"], "jobs"> {
  const { jobs: _, ...rest } = environment({ ...engine, jobs: 1 });
  return rest;
}
