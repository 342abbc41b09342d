// What ONNX Runtime's profiler leaves behind, as times of kernels by run.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail } from "../base/errors.js";

/** One kernel, under the name of its ONNX node. */
export interface KernelTimes {
  readonly name: string;
  /** ONNX operator: `Conv`. */
  readonly kind: string;
  /** How often it ran in all runs. */
  readonly calls: number;
  /** By run. */
  readonly milliseconds: readonly number[];
}

/** Times of runs, in order. */
export interface ProfiledRuns {
  /** Each run inside ONNX Runtime: kernels and what lies between them. */
  readonly inside: readonly number[];
  readonly kernels: readonly KernelTimes[];
}

interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args: { readonly op_name?: string };
}

/** Kernels whose time is that of the kernels within them. */
const containers: readonly string[] = ["Loop", "If", "Scan"];

const suffix = "_kernel_time";

function eventsIn(text: string): readonly Event[] {
  try {
    const events: unknown = JSON.parse(text);
    if (Array.isArray(events)) return events as Event[];
  } catch {
    // Said below.
  }
  return fail("profile", "a JSON array of ONNX Runtime's events", `'${text.slice(0, 40)}'`);
}

interface Sums {
  readonly kind: string;
  calls: number;
  readonly byRun: number[];
}

/** Kernels by run. An event is written when it ends, so a run's own comes behind those of its kernels. */
export function readProfile(text: string): ProfiledRuns {
  const inside: number[] = [];
  const kernels = new Map<string, Sums>();
  for (const { cat, name, dur, args } of eventsIn(text)) {
    if (name === "model_run") inside.push(dur / 1000);
    const kind = args.op_name ?? "";
    if (cat !== "Node" || !name.endsWith(suffix) || containers.includes(kind)) continue;
    const key = name.slice(0, -suffix.length);
    const sums = kernels.get(key) ?? { kind, calls: 0, byRun: [] };
    kernels.set(key, sums);
    sums.calls++;
    sums.byRun[inside.length] = (sums.byRun[inside.length] ?? 0) + dur / 1000;
  }
  return {
    inside,
    kernels: [...kernels].map(([name, { kind, calls, byRun }]) => ({
      name,
      kind,
      calls,
      milliseconds: inside.map((_, run) => byRun[run] ?? 0),
    })),
  };
}

/** A folder for one session's profile, which ONNX Runtime names by the time of day. */
export interface ProfileFile {
  readonly prefix: string;
  /** What the profiler wrote; removes it. */
  take(): Promise<ProfiledRuns>;
  remove(): Promise<void>;
}

export async function profileFile(): Promise<ProfileFile> {
  const folder = await mkdtemp(join(tmpdir(), "temper-profile-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  return {
    prefix: join(folder, "session"),
    remove,
    async take() {
      const [name] = await readdir(folder);
      if (name === undefined) return fail("profile", "a file of ONNX Runtime's profiler", "none");
      const text = await readFile(join(folder, name), "utf8");
      await remove();
      return readProfile(text);
    },
  };
}
