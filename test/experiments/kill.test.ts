// Trials in processes of their own, from the built package: one that is killed takes no other along and is gone on with.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = mkdtempSync(join(tmpdir(), "temper-kill-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

writeFileSync(
  join(root, "two.yaml"),
  `name: two
dataset: mnist
model: { mlp: { hidden: [64] } }
training: { epochs: 40, batchSize: 32, limit: 1280, learningRate: 0.05 }
seeds: [0, 1]
methods: [standard]
evaluation: { limit: 20, attacks: [pgd: { epsilon: 0.1, steps: 2 }] }
`,
);

interface Ended {
  readonly code: number | null;
  readonly err: string;
}

/** `temper run` of the recipe; `onLine` sees each line of stderr, with the process. */
function run(out: string, onLine: (line: string, pid: number) => void = () => undefined): Promise<Ended> {
  const args = ["dist/cli/main.js", "run", join(root, "two.yaml"), "--out", join(root, out), "--jobs", "2"];
  const child = spawn(process.execPath, [...args, "--checkpoint-every", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    for (const line of text.split("\n")) if (line !== "") onLine(line, child.pid ?? 0);
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, err })));
}

const outcome = (out: string): readonly string[] =>
  ["results.json", ...readdirSync(join(root, out, "models")).map((name) => join("models", name))].map(
    (file) => readFileSync(join(root, out, file)).toString("base64"),
  );

const holderOf = (out: string, trial: string): number =>
  Number(readFileSync(join(root, out, "trials", trial, "run.lock"), "utf8"));

describe("a run whose processes are killed", () => {
  it("loses nothing and repeats nothing, be it a trial's process or the parent's", async () => {
    expect((await run("whole")).code).toBe(0);
    const epochs: string[] = [];
    const note = (line: string): void => {
      if (/: epoch \d/.test(line)) epochs.push(line.replace(/,.*/, ""));
    };
    let [hasKilledTrial, hasKilledParent] = [false, false];
    const first = await run("killed", (line) => {
      note(line);
      if (hasKilledTrial || !line.startsWith("standard-seed0: epoch 2/40")) return;
      hasKilledTrial = true;
      process.kill(holderOf("killed", "standard-seed0"), "SIGKILL");
    });
    expect(first.code).toBe(1);
    expect(first.err).toMatch(
      /standard-seed0: failed: its process ended by SIGKILL; the same command goes on/,
    );
    expect(first.err).toMatch(/standard-seed1: done, /);
    await run("killed", (line, pid) => {
      note(line);
      if (hasKilledParent || !line.startsWith("standard-seed0: epoch ")) return;
      hasKilledParent = true;
      process.kill(pid, "SIGKILL");
    });
    expect((await run("killed", note)).code).toBe(0);
    expect(outcome("killed")).toEqual(outcome("whole"));
    // The epoch that was under way may be told twice, where the kill fell between its end and its checkpoint.
    expect(epochs.length).toBeLessThanOrEqual(2 * 40 + 2);
    expect([hasKilledTrial, hasKilledParent]).toEqual([true, true]);
  });
});
