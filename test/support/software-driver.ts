// A graphics card in software, where one is installed, and an engine that runs on it in a process of its own.
import { fork, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TemperError } from "../../src/base/errors.js";
import type { Engine, EngineOptions, Program } from "../../src/runtime/engine.js";

/** Folders in which browsers put their software driver for Vulkan, beside the library that loads it. */
const folders = ["chromium", "chromium-browser"].flatMap((name) => [
  `/usr/lib/${name}`,
  `/usr/lib64/${name}`,
]);
const fileName = "vk_swiftshader_icd.json";

interface Driver {
  /** The environment in which a process finds it. */
  readonly env: NodeJS.ProcessEnv;
  /** Why there is none. */
  readonly reason?: string;
}

function findDriver(): Driver {
  const { env } = process;
  // Somebody chose a driver: theirs is tested.
  if (env["VK_ICD_FILENAMES"] !== undefined || env["VK_DRIVER_FILES"] !== undefined) return { env };
  const folder = folders.find((candidate) => existsSync(join(candidate, fileName)));
  if (folder === undefined)
    return { env, reason: `no ${fileName} in ${folders.join(", ")}, and no VK_ICD_FILENAMES` };
  const libraries = [folder, env["LD_LIBRARY_PATH"]].filter(Boolean).join(delimiter);
  const own = { VK_ICD_FILENAMES: join(folder, fileName), LD_LIBRARY_PATH: libraries };
  // The driver wants a folder that only sessions with a screen have.
  return { env: { XDG_RUNTIME_DIR: tmpdir(), ...env, ...own } };
}

export const driver = findDriver();
if (driver.reason !== undefined) process.stderr.write(`tests on WebGPU are skipped: ${driver.reason}\n`);

type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string };

/** Longer than any answer takes, shorter than a test may. */
const patience = 50_000;

/** The process of an engine: one that dies fails what it was asked, and the next question starts another. */
function childEngine(options: EngineOptions) {
  const pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let child: ChildProcess | null = null;
  let next = 0;
  let silent: TemperError | null = null;
  const start = (): ChildProcess => {
    const file = fileURLToPath(new URL("./engine-child.mjs", import.meta.url));
    // Drivers write what nobody reads.
    const stdio = ["ignore", "ignore", "ignore", "ipc"] as const;
    const started = fork(file, [JSON.stringify(options)], {
      env: driver.env,
      serialization: "advanced",
      stdio: [...stdio],
      execArgv: [],
    });
    started.on("message", ({ id, value, error }: Answer) => {
      const waiting = pending.get(id);
      pending.delete(id);
      if (error === undefined) waiting?.resolve(value as never);
      else waiting?.reject(new TemperError(error));
    });
    // Said to a process that has just died: its end fails the question.
    started.on("error", () => undefined);
    started.on("exit", (code, signal) => {
      if (child === started) child = null;
      for (const { reject } of pending.values())
        reject(silent ?? new TemperError(`engine: its process died (${signal ?? code})`));
      pending.clear();
    });
    return started;
  };
  const ask = <T>(method: string, args: readonly unknown[], program?: number): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      // A driver that hangs would hang again: once is enough.
      if (silent !== null) return void reject(silent);
      const id = next++;
      const timer = setTimeout(() => {
        silent = new TemperError(`engine: no answer to '${method}' within ${patience / 1000} s`);
        child?.kill("SIGKILL");
      }, patience);
      const settled =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          clearTimeout(timer);
          settle(value);
        };
      pending.set(id, { resolve: settled(resolve), reject: settled(reject) });
      child ??= start();
      child.send({ id, method, args, program });
    });
  return { ask, kill: () => void child?.kill() };
}

/** An engine in a process of its own, which sees the driver. */
export function apartEngine(options: EngineOptions): Engine {
  const { ask, kill } = childEngine(options);
  return {
    provider: options.provider ?? "cpu",
    threads: options.threads ?? 1,
    target: () => ask("target", []),
    async load(model, loadOptions) {
      const program = await ask<number>("load", [model, loadOptions]);
      return {
        hold: (values) => ask("hold", [values], program),
        read: (names) => ask("read", [names], program),
        run: (values) => ask("run", [values], program),
        measured: () => ask("measured", [], program),
        release: () => ask("release", [], program),
      } satisfies Program;
    },
    takes: (model) => ask("takes", [model]),
    close: () => Promise.resolve(kill()),
  };
}
