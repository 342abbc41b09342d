// Finished trials collected from a run's folder, kept when it is gone, dropped when the recipe changes.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect, type Collected } from "../../src/experiments/collect.js";
import { readAllKept, readKept, writeKept } from "../../src/experiments/kept-store.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import { runRecipe } from "../../src/experiments/run.js";
import { readRun } from "../../src/experiments/store.js";
import { markdown } from "../../src/report/markdown.js";
import { resultsPage } from "../../src/report/kept-results.js";
import { runReport } from "../../src/report/run-report.js";

const root = mkdtempSync(join(tmpdir(), "temper-kept-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const text = `
name: paper
description: Two tiny nets
dataset: mnist
model: { mlp: { hidden: [8] } }
training: { learningRate: 0.1, batchSize: 32, epochs: 2, limit: 64 }
seeds: [0, 1]
methods: [standard, adversarial-backprop: { epsilon: 0.08 }]
evaluation:
  limit: 40
  attacks:
    - fgsm: { epsilon: 0.1 }
    - pgd: { epsilon: 0.1, steps: 2 }
published:
  source: A. Author 2020, Table 1
  epochs: 50
  cells:
    - { method: standard, measure: accuracy, attack: fgsm, epsilon: 0.1, value: 61.1 }
    - { method: adversarial-backprop, measure: accuracy, attack: fgsm, epsilon: 0.1, value: 66.9, spread: 80 }
`;
const recipeOf = (yaml: string) => parseRecipe(yaml, "paper.yaml");
const folder = join(root, "run");
const kept = join(root, "kept");
const path = "recipes/papers/paper.yaml";
let found: Collected;

beforeAll(async () => {
  await runRecipe({ recipe: recipeOf(text), text, folder, jobs: 1, only: ["*seed0"] });
  found = await collect({ recipe: recipeOf(text), path, folder, before: null });
  await writeKept(kept, found);
});

describe("collect", () => {
  it("keeps what is finished, with where it comes from", async () => {
    const { results, images, taken, dropped } = found;
    expect([taken, dropped]).toEqual([["standard-seed0", "adversarial-backprop-seed0"], []]);
    expect(results.trials).toHaveLength(4);
    const [first] = results.kept;
    expect(first).toMatchObject({ trial: "standard-seed0", split: "test", n: 40, row: { seed: 0 } });
    expect(first?.model).toMatch(/^[0-9a-f]{64}$/);
    expect(first?.curves["error"]).toHaveLength(2);
    expect(first?.environment.training?.threads).toBe(1);
    expect(Object.keys(images.trials)).toEqual(taken);
    expect(await readKept(kept, "paper")).toEqual({ results, images });
    expect(await readKept(kept, "other")).toBeNull();
  });

  it("keeps it when the run's folder is gone, one line a trial", async () => {
    const before = await readKept(kept, "paper");
    const again = await collect({ recipe: recipeOf(text), path, folder: join(root, "none"), before });
    expect(again).toEqual({ ...found, taken: [] });
    expect(
      readFileSync(join(kept, "paper.json"), "utf8")
        .split("\n")
        .filter((line) => line.includes('"row"')),
    ).toHaveLength(2);
  });

  it("drops what is of another recipe", async () => {
    const before = await readKept(kept, "paper");
    const changed = recipeOf(text.replace("learningRate: 0.1", "learningRate: 0.2"));
    const again = await collect({ recipe: changed, path, folder, before });
    expect(again.results.kept).toEqual([]);
    expect(again.dropped).toEqual(["standard-seed0", "adversarial-backprop-seed0"]);
  });
});

describe("RESULTS.md", () => {
  it("has printed beside measured, the state of the trials and a command for each", async () => {
    const page = resultsPage(await readAllKept(kept));
    expect(page).toBe(resultsPage([found]));
    const lines = page.split("\n");
    const has = (part: string): string => lines.find((line) => line.includes(part)) ?? "";
    expect(has("Recipe: recipes/papers/paper")).toBe(
      "Two tiny nets. Recipe: recipes/papers/paper.yaml. 2 of its 4 trials are done. Not run, with their seeds: standard (1); adversarial-backprop (1).",
    );
    expect(has("| 66.90 ± 80.00")).toMatch(
      /^\| adversarial-backprop, accuracy under FGSM L∞ ε 0\.1 \| 66\.90 ± 80\.00 \| [\d.]+ \| 1 \| [+−±][\d.]+ \| [\d.]+ \(PGD\) \| not run at this scale \(2 of 50 epochs\): agrees within spread \|$/,
    );
    expect(has("| 61.10 |")).toMatch(/one seed beside a figure without spread: no verdict \|$/);
    expect(page).toContain("no verdict below 6 pairs: with 1 p cannot go below 1");
    expect(page).toContain("What stands after FGSM, a single step, is no robust accuracy");
    expect(has("--only standard-seed0")).toMatch(
      /^temper run recipes\/papers\/paper\.yaml --only standard-seed0 {2}# [\d.]+ % of 40 test images, 2 epochs, .* commit .*, model [0-9a-f]{16}$/,
    );
    expect(page).toContain("McNemar's exact test, two-sided, on 40 images");
    expect(page).toContain("PGD-2 L∞");
  });

  it("says where nothing was run", () => {
    const none = { ...found.results, kept: [] };
    expect(resultsPage([{ ...found, results: none }])).toContain("Not run: none of its 4 trials is done.");
    expect(resultsPage([])).toContain("Nothing is kept yet.");
  });

  it("is what the records in results/ give", async () => {
    const own = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
    expect(readFileSync(own("docs/RESULTS.md"), "utf8")).toBe(resultsPage(await readAllKept(own("results"))));
  });
});

describe("a run's report", () => {
  it("has the same tables, and the images under a fold", async () => {
    const page = markdown(await runReport(await readRun(folder), []));
    expect(page).toContain("## Beside the published figures");
    expect(page).toContain("### A. Author 2020, Table 1");
    expect(page).toContain("### Image by image");
  });
});
