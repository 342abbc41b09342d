// The program as a process of its own: signals, silence, and readers that have had enough.
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
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

writeFileSync(
  at("small.yaml"),
  `name: small
dataset: mnist
model: { mlp: { hidden: [16] } }
training: { epochs: 3, batchSize: 32, limit: 512 }
methods: [standard, sgm]
evaluation: { limit: 20 }
`,
);

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

const hasCuda = spawnSync(process.execPath, [program, "doctor", "--provider", "cuda"]).status === 0;

describe.skipIf(hasCuda)("a provider that does not work", () => {
  const model = fileURLToPath(new URL("../../examples/foreign-mnist.onnx", import.meta.url));

  it.each([
    ["run", at("small.yaml"), "--out", at("never")],
    ["harden", "mlp", "--defense", "standard", "--dataset", "mnist", "--out", at("never")],
    ["audit", model, "--epsilon", "0.1", "--dataset", "mnist", "--out", at("never")],
  ])("%s says so in one line before anything is written", async (...args) => {
    const child = start(...args, "--provider", "cuda");
    const stderr = listening(child);
    expect(await endOf(child)).toEqual({ code: 1, signal: null });
    expect(stderr.text()).toMatch(/^temper: the engine does not work on cuda: .*; see: temper doctor\n$/);
    expect(existsSync(at("never"))).toBe(false);
  });
});

describe("a reader that has had enough", () => {
  it("of stderr and stdout: the run goes on to its end", async () => {
    const child = start("run", at("small.yaml"), "--out", at("unheard"), "--jobs", "1");
    const ended = endOf(child);
    child.stdout.destroy();
    child.stderr.once("data", () => child.stderr.destroy());
    expect(await ended).toEqual({ code: 0, signal: null });
    for (const file of ["results.json", "report.html", "models/sgm-seed0.onnx"])
      expect(existsSync(at("unheard", file)), file).toBe(true);
  });

  it("of a list: nothing is said about it", async () => {
    const child = start("list", "methods", "--json");
    const stderr = listening(child);
    const ended = endOf(child);
    child.stdout.destroy();
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(stderr.text()).toBe("");
  });
});
