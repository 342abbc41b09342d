// The program as a process of its own: signals.
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./cli.js";

const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = temporaryFolder();
const at = (...names: string[]): string => join(folder, ...names);

const start = (...args: string[]): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, [program, ...args]);

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const endOf = (child: ChildProcessWithoutNullStreams): Promise<End> =>
  new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal })));

/** Resolves as soon as `child` has said `words` on stderr; `text` is all of it so far. */
function listening(child: ChildProcessWithoutNullStreams) {
  let heard = "";
  child.stderr.on("data", (piece: Buffer) => (heard += piece.toString()));
  const until = (words: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => void (heard.includes(words) && resolve());
      child.stderr.on("data", look);
      look();
    });
  return { until, text: () => heard };
}

describe.each(["SIGINT", "SIGTERM"] as const)("%s twice during training", (signal) => {
  it("ends the process at once and without a word", async () => {
    const out = at(`${signal}.onnx`);
    // One batch is all the images: a thread is inside the engine most of the time.
    const slow = ["--limit", "2048", "--batch-size", "2048", "--epochs", "99", "--dataset", "mnist"];
    const child = start("harden", "convnet", "--defense", "standard", ...slow, "--out", out);
    const stderr = listening(child);
    const ended = endOf(child);
    await stderr.until("epoch 1/");
    child.kill(signal);
    await stderr.until("stopping: ");
    const before = performance.now();
    child.kill(signal);
    expect(await ended).toEqual({ code: null, signal });
    expect(performance.now() - before).toBeLessThan(2000);
    expect(stderr.text().trimEnd().split("\n").at(-1)).toMatch(/^stopping: .* …$/);
    expect(existsSync(out)).toBe(false);
  });
});
