// Searches from data to report: the same whatever ran beside what and wherever it was stopped; no test image is seen.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { statusText } from "../../src/cli/status-text.js";
import { loadDataset, datasets, type Split } from "../../src/data/index.js";
import { candidateRecipe, searchesOf } from "../../src/experiments/candidates.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import type { RunFile, SearchRecord } from "../../src/experiments/records.js";
import type { RunEvent, RunOptions } from "../../src/experiments/run-options.js";
import { runRecipe } from "../../src/experiments/run.js";
import { smokeImages } from "../../src/experiments/smoke.js";
import { runStatus } from "../../src/experiments/status-facts.js";
import { trainUntil } from "../../src/experiments/train-until.js";
import { trainedModel } from "../../src/experiments/trained-model.js";
import { trialsOf, type Trial } from "../../src/experiments/trials.js";
import { workerEngine } from "../../src/runtime/worker-engine.js";

const root = mkdtempSync(join(tmpdir(), "temper-search-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const text = `
name: tiny
dataset: mnist
model: { mlp: { hidden: [8] } }
training: { learningRate: 0.1, batchSize: 32, epochs: 2, limit: 128, validation: { last: 100 } }
methods: [standard, sign-noise]
search:
  methods: { sign-noise: { epsilon: [0.1, 0.9, 0.4] } }
  rungs: [1, 2]
  eta: 2
evaluation: { limit: 20 }
`;
const run = (name: string, more: Partial<RunOptions> = {}, recipe = text) =>
  runRecipe({
    ...{ recipe: parseRecipe(recipe, "tiny.yaml"), text: recipe, folder: join(root, name) },
    ...{ only: ["sign-noise*"], jobs: 1, ...more },
  });
const recordIn = (name: string): SearchRecord => {
  const file = JSON.parse(readFileSync(join(root, name, "run.json"), "utf8")) as RunFile;
  const [record] = file.searches ?? [];
  if (record === undefined) throw new Error("no search");
  return record;
};
const outcome = (name: string): unknown => ({
  record: { ...recordIn(name), seconds: 0 },
  results: readFileSync(join(root, name, "results.json"), "utf8"),
  models: readdirSync(join(root, name, "models")).map((file) => [
    file,
    readFileSync(join(root, name, "models", file)).toString("base64"),
  ]),
});
const candidate = (epsilon: number): string => `sign-noise@epsilon=${epsilon}-seed0`;

describe("a search", () => {
  const events: RunEvent[] = [];
  beforeAll(async () => {
    await run("whole", { onEvent: (event) => void events.push(event) });
  });

  it("trains all to the first rung, the best of them on to the next, and the method with what it found", () => {
    const { candidates, found } = recordIn("whole");
    const first = candidates.map(({ scores }) => scores[0] ?? NaN);
    expect(found).toBe(first.indexOf(Math.max(...first)));
    expect(candidates.map((each) => [each.scores.length, each.pruned])).toEqual(
      candidates.map((_, i) => (i === found ? [2, null] : [1, 1])),
    );
    expect(recordIn("whole")).toMatchObject({
      ...{ method: "sign-noise", objective: "clean", images: 100, seeds: [0], draws: null },
      ...{ rungs: [1, 2], eta: 2 },
    });
    const { rows } = JSON.parse(readFileSync(join(root, "whole", "results.json"), "utf8")) as {
      rows: unknown[];
    };
    expect(rows).toMatchObject([{ method: "sign-noise", options: candidates[found]?.values }]);
  });

  it("continues from a rung in place of beginning anew, and keeps the state of what it prunes", () => {
    const epochs = events.flatMap((event) =>
      event.kind === "epoch" ? [`${event.trial} ${event.line.epoch}`] : [],
    );
    expect(new Set(epochs).size).toBe(epochs.length);
    // Three candidates to the first rung, one to the second, then the trial.
    expect(epochs).toHaveLength(3 + 1 + 2);
    const kept = [0.1, 0.9, 0.4].map((epsilon) =>
      existsSync(join(root, "whole", "trials", candidate(epsilon), "checkpoint")),
    );
    expect(kept).toEqual(recordIn("whole").candidates.map(({ pruned }) => pruned === 1));
    const told = events.filter(({ kind }) => ["search", "measured", "found", "start"].includes(kind));
    expect(told.map(({ kind }) => kind)).toEqual(
      "search measured measured measured measured found start".split(" "),
    );
  });

  it("is done where it was done", async () => {
    const again: string[] = [];
    expect((await run("whole", { onEvent: ({ kind }) => void again.push(kind) })).alreadyDone).toBe(true);
    expect(again).toEqual(["start"]);
  });

  it("finds the same with two at a time, stopped after each epoch and gone on with", async () => {
    for (let stops = 0; stops < 2; stops++) {
      const stop = new AbortController();
      const onEvent = ({ kind }: RunEvent): void => void (kind === "epoch" && stop.abort());
      await expect(run("stopped", { jobs: 2, signal: stop.signal, onEvent })).rejects.toMatchObject({
        name: "Interrupted",
      });
    }
    await run("stopped", { jobs: 2 });
    expect(outcome("stopped")).toEqual(outcome("whole"));
  });

  it("shows how far it is", async () => {
    const stop = new AbortController();
    const onEvent = ({ kind }: RunEvent): void => void (kind === "measured" && stop.abort());
    await expect(run("begun", { signal: stop.signal, onEvent })).rejects.toThrow();
    const status = await runStatus(join(root, "begun"));
    expect(status.searches).toMatchObject([
      { search: "sign-noise", rung: 1, rungs: [1, 2], waiting: 2, record: null },
    ]);
    expect(status.searches[0]?.candidates.map(({ stage }) => stage)).toEqual([
      "measured",
      "waiting",
      "waiting",
    ]);
    // Two to the first rung and one to the second, as long as the first took.
    expect(status.searches[0]?.left).toBeGreaterThan(0);
    const lines = statusText(status, 80).split("\n");
    expect(lines).toContain("search of sign-noise: rung 1 of 2 (1 epoch), 2 trainings to go");
    expect(lines.some((line) => /^ {2}epsilon 0\.1, seed 0 +done +\d\d\.\d+ %$/.test(line))).toBe(true);
    expect(lines.some((line) => /^ {2}epsilon 0\.9, seed 0 +waiting$/.test(line))).toBe(true);
    const over = await runStatus(join(root, "whole"));
    expect(statusText(over, 80)).toMatch(
      /search of sign-noise: epsilon 0\.\d found, \d+\.\d % accuracy on 100\s+validation\s+images\n/,
    );
    expect(over.trials.map(({ stage }) => stage)).toEqual(["waiting", "done"]);
  });

  it("goes on where its values have grown, and keeps what it had trained", async () => {
    const epochs: string[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.kind === "epoch") epochs.push(event.trial);
    };
    const { found } = recordIn("whole");
    // One that learns nothing beside those that are there, of which one in four goes on: the same as before.
    const grown = text.replace("[0.1, 0.9, 0.4]", "[0.1, 0.9, 0.4, 1e6]").replace("eta: 2", "eta: 4");
    expect((await run("whole", { onEvent }, grown)).alreadyDone).toBe(false);
    expect(epochs).toEqual([candidate(1e6)]);
    expect(recordIn("whole")).toMatchObject({ found, candidates: [{}, {}, {}, { pruned: 1 }] });
  });

  it("is left alone by trials that do not wait for it", async () => {
    const kinds = new Set<string>();
    await run("other", { only: ["standard*"], onEvent: ({ kind }) => void kinds.add(kind) });
    expect(kinds).not.toContain("search");
    expect((await runStatus(join(root, "other"))).trials.map(({ stage }) => stage)).toEqual([
      "done",
      "waiting",
    ]);
  });

  it("counts out what diverges, and ends where all does", async () => {
    const rates = (list: string): string =>
      text.replace("{ epsilon: [0.1, 0.9, 0.4] }", `{ training.learningRate: ${list} }`);
    await run("diverged", {}, rates("[1e+30, 0.1]"));
    expect(recordIn("diverged")).toMatchObject({ found: 1, candidates: [{ scores: [null], pruned: 1 }, {}] });
    await expect(run("lost", {}, rates("[1e+30]"))).rejects.toThrow(
      "the search of sign-noise: expected a candidate whose training stays finite, got none",
    );
  });
});

describe("test images", () => {
  /** A split that cannot be looked at. */
  const hidden: Split = {
    count: 10,
    get images(): Uint8Array {
      throw new Error("a test image was seen");
    },
    get labels(): Uint8Array {
      throw new Error("a test label was seen");
    },
  };

  it("are not seen by a candidate's training, whatever curves the recipe asks for", async () => {
    const curves = text.replace("epochs: 2,", "epochs: 1, curves: { splits: [test, validation] },");
    const [recipe] = parseRecipe(curves.replace("[1, 2]", "[1]"), "tiny.yaml").cases;
    const [search] = recipe ? searchesOf(recipe) : [];
    if (!recipe || !search) throw new Error("no search");
    const whole = smokeImages(await loadDataset(datasets.mnist));
    const engine = workerEngine({ threads: 1 });
    const ignore = (): void => undefined;
    const context = {
      ...{ engine, folder: join(root, "hidden"), signal: new AbortController().signal, saveEvery: 15 },
      ...{ sourceFiles: [], fitted: null, onEpoch: ignore, onProgress: ignore, onEvaluation: ignore },
      dataset: { ...whole, test: hidden },
    };
    const cut = (trial: Trial): Trial => ({
      ...trial,
      recipe: {
        ...trial.recipe,
        training: { ...trial.recipe.training, limit: 32, validation: { last: 16 } },
      },
    });
    const [of] = trialsOf({ cases: [candidateRecipe(search)] });
    const [plain] = trialsOf({ cases: [recipe] });
    if (!of || !plain) throw new Error("no trial");
    try {
      await trainUntil(context, cut(of), 1);
      await expect(trainedModel(context, cut(plain))).rejects.toThrow("a test image was seen");
    } finally {
      await engine.close();
    }
  });
});
