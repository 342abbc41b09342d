// How far a run is: time left from made-up measurements; a real run's folder taken back step by step.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scalar } from "../../src/base/tensor.js";
import { saveCheckpoint } from "../../src/defenses/checkpoint.js";
import { openJournal } from "../../src/experiments/journal.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import type { ResultRow, RunFile } from "../../src/experiments/records.js";
import { runRecipe } from "../../src/experiments/run.js";
import { smokeRecipe } from "../../src/experiments/smoke.js";
import { runStatus } from "../../src/experiments/status-facts.js";
import { statusOf, type TrialFacts } from "../../src/experiments/status.js";
import { identityOf } from "../../src/experiments/summary.js";
import { trialsOf } from "../../src/experiments/trials.js";

const text = `
name: tiny
dataset: mnist
model: { mlp: { hidden: [8] } }
training: { learningRate: 0.1, batchSize: 32, epochs: 10, limit: 64 }
seeds: [0, 1]
methods: [standard]
evaluation: { limit: 20, attacks: [fgsm: { epsilon: 0.1 }] }
cases: { small: {}, large: { model: { mlp: { hidden: [16] } } } }
`;
const recipe = parseRecipe(text, "tiny.yaml");
const trials = trialsOf(recipe);

/** Facts of the recipe's trials in its order: two of the case small, two of large. */
const facts = (...given: readonly Partial<TrialFacts>[]): TrialFacts[] =>
  trials.map((trial, i) => ({
    ...{ trial, process: null, reported: 0, saved: null, training: null, strikes: [], result: null },
    ...given[i],
  }));
const about = { name: "tiny", folder: "runs/tiny", process: null, jobs: 2, searches: [] };
const done: Partial<TrialFacts> = {
  training: { epochs: 10, seconds: 50 },
  result: { clean: 0.9, seconds: 8 },
};

describe("the state and the time left", () => {
  it("is unknown where nothing was measured", () => {
    const { left, trials: all } = statusOf({ ...about, trials: facts() });
    expect(left).toEqual({ seconds: null, jobs: 2, unknown: { trainings: 4, evaluations: 4 } });
    expect(all.map(({ stage }) => stage)).toEqual(["waiting", "waiting", "waiting", "waiting"]);
  });

  it("goes by trials alike that are done, and by a trial's own checkpoint before them", () => {
    const saved = { epoch: 4, epochs: 4.5, seconds: 45 };
    const { left, trials: all } = statusOf({ ...about, trials: facts(done, {}, { saved }) });
    expect(all.map(({ stage }) => stage)).toEqual(["done", "waiting", "training", "waiting"]);
    expect(all.map((trial) => trial.left)).toEqual([
      { training: 0, evaluation: 0 },
      { training: 50, evaluation: 8 },
      { training: 55, evaluation: null },
      { training: 100, evaluation: null },
    ]);
    // 58 + 55 + 100 seconds, two at a time.
    expect(left).toEqual({ seconds: 106.5, jobs: 2, unknown: { trainings: 0, evaluations: 2 } });
  });

  it("is not less than that of the longest trial, nor anything where all is done", () => {
    const saved = { epoch: 1, epochs: 1, seconds: 30 };
    expect(statusOf({ ...about, trials: facts(done, done, done, { saved }) }).left.seconds).toBe(278);
    const all = statusOf({ ...about, trials: facts(done, done, done, done) });
    expect(all.left).toEqual({ seconds: 0, jobs: 2, unknown: { trainings: 0, evaluations: 0 } });
  });

  it("counts reported epochs of a trial that runs, those of the checkpoint of one that does not", () => {
    const saved = { epoch: 4, epochs: 4, seconds: 40 };
    const held = { saved, reported: 6 };
    const { trials: all } = statusOf({ ...about, trials: facts({ ...held, process: 7 }, held) });
    expect(all.map(({ epochs }) => epochs.done)).toEqual([6, 4, 0, 0]);
    expect(all.map(({ left }) => left.training)).toEqual([40, 60, null, null]);
  });

  it("takes off an evaluation what its journal holds", () => {
    const strikes = [{ strike: "0 linf fgsm 0.1", images: 10, milliseconds: 3000 }];
    const { trials: all } = statusOf({
      ...about,
      trials: facts(done, { training: { epochs: 10, seconds: 50 }, strikes }),
    });
    expect(all[1]).toMatchObject({ stage: "evaluating", left: { training: 0, evaluation: 5 } });
    expect(all[1]?.strikes).toEqual([{ strike: "0 linf fgsm 0.1", images: 10 }]);
  });
});

describe("the status of a run's folder", () => {
  const root = mkdtempSync(join(tmpdir(), "temper-status-"));
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const folder = join(root, "run");
  const place = join(folder, "trials", "small.standard-seed0");
  const json = (...names: string[]): unknown => JSON.parse(readFileSync(join(...names), "utf8"));
  const first = async () => (await runStatus(folder, { recipe })).trials[0];

  beforeAll(async () => {
    await runRecipe({ recipe, text, folder, jobs: 1, only: ["small.standard-seed0"] });
  });

  it("has what is done and goes by it, with the recipe given or as it was kept; nothing is written", async () => {
    const files = (): unknown =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .sort()
        .map((name) => [name, statSync(join(folder, name)).mtimeMs]);
    const before = files();
    const status = await runStatus(folder);
    expect(await runStatus(folder, { recipe })).toEqual(status);
    expect(files()).toEqual(before);
    const { seconds } = json(place, "training.json") as { seconds: number };
    const { row } = json(place, "row.json") as { row: ResultRow };
    expect(status).toMatchObject({ name: "tiny", folder, process: null });
    expect(status.trials.map(({ stage }) => stage)).toEqual(["done", "waiting", "waiting", "waiting"]);
    expect(status.trials[0]).toMatchObject({ clean: row.clean, epochs: { done: 10, of: 10 } });
    expect(status.trials[1]?.left.training).toBeCloseTo(seconds, 6);
    expect(status.left.unknown).toEqual({ trainings: 2, evaluations: 2 });
  });

  it("takes a recipe that has grown, not one that trains otherwise under the same names", async () => {
    const grown = parseRecipe(text.replace("[0, 1]", "[0, 1, 2]"), "tiny.yaml");
    const { trials: all } = await runStatus(folder, { recipe: grown });
    expect(all.map(({ stage }) => stage)).toEqual(["done", ...Array<string>(5).fill("waiting")]);
    const changed = parseRecipe(text.replace("0.1, batch", "0.2, batch"), "tiny.yaml");
    await expect(runStatus(folder, { recipe: changed })).rejects.toThrow(
      `${folder}: expected trainings of this recipe, got another one of small.standard-seed0`,
    );
  });

  it("knows a smoke run by its identity", async () => {
    const run = json(folder, "run.json") as RunFile;
    const smoke = join(root, "smoke");
    mkdirSync(smoke);
    const identity = identityOf(smokeRecipe(recipe));
    writeFileSync(join(smoke, "run.json"), JSON.stringify({ ...run, identity }));
    const status = await runStatus(smoke, { recipe });
    expect(status.name).toBe("tiny-smoke");
    expect(status.trials.map(({ trial }) => trial)).toEqual(["small.standard-seed0", "large.standard-seed0"]);
  });

  it("has the processes that live, not those that died", async () => {
    writeFileSync(join(place, "run.lock"), "999999999");
    writeFileSync(join(folder, "run.lock"), String(process.pid));
    rmSync(join(place, "row.json"));
    expect((await runStatus(folder)).process).toBe(process.pid);
    expect(await first()).toMatchObject({ stage: "evaluating", process: null, strikes: [] });
    writeFileSync(join(place, "run.lock"), String(process.pid));
    expect(await first()).toMatchObject({ stage: "evaluating", process: process.pid });
  });

  it("has what the journal of an evaluation holds", async () => {
    const journal = await openJournal(join(place, "evaluation.jsonl"), "any");
    const batch = { classes: [3, 4], outside: 0, nonFinite: 0, rounding: { checked: 0, lost: 0 } };
    for (const indices of [
      [0, 1],
      [2, 3],
    ])
      await journal.write("0 linf fgsm 0.1", { ...batch, indices, milliseconds: 5 });
    expect((await first())?.strikes).toEqual([{ strike: "0 linf fgsm 0.1", images: 4 }]);
  });

  it("has the epochs of a checkpoint, of a trial that runs those reported since", async () => {
    const { identity } = json(place, "training.json") as { identity: string };
    rmSync(join(place, "training.json"));
    const state = { stored: null, perSample: {}, snapshots: [], history: [], best: null, sums: {} };
    const tensors = { step: scalar(7) };
    await saveCheckpoint(join(place, "checkpoint"), identity, {
      ...{ ...state, tensors, epoch: 3, batches: 1, seconds: 14, processorSeconds: null },
    });
    expect(await first()).toMatchObject({ stage: "training", epochs: { done: 10, of: 10 } });
    rmSync(join(place, "run.lock"));
    // Seven steps are three and a half epochs of two.
    expect(await first()).toMatchObject({ epochs: { done: 3, of: 10 }, left: { training: 26 } });
  });

  it("is refused where there is no run, or one of another recipe, or of files that lie elsewhere", async () => {
    await expect(runStatus(root)).rejects.toThrow(
      `${root}: expected the folder of a run, got none that has begun (no run.json)`,
    );
    const other = parseRecipe(text.replace("name: tiny", "name: other"), "tiny.yaml");
    expect((await runStatus(folder, { recipe: other })).name).toBe("other");
    const another = parseRecipe(text.replace("name: tiny", "name: other").replace("[8]", "[9]"), "tiny.yaml");
    await expect(runStatus(folder, { recipe: another })).rejects.toThrow(
      `${folder}: expected a run of 'other', got one of 'tiny'`,
    );
    const kept = join(folder, "recipe.yaml");
    writeFileSync(kept, text.replace("limit: 20,", "limit: 20, transferFrom: other.onnx,"));
    await expect(runStatus(folder)).rejects.toThrow(
      `${folder}: expected the recipe's own path, with --out, where it names files, got other.onnx`,
    );
    rmSync(kept);
    await expect(runStatus(folder)).rejects.toThrow(`${kept}: expected the run's recipe, got no such file`);
  });
});
