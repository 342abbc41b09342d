// Hidden activations in recipes: measured where they are asked for, on the file that was trained, and in no other row's identity.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import { resultsFile } from "../../src/experiments/records.js";
import { temper } from "../cli/cli.js";
import { runRecipe } from "../../src/experiments/run.js";

const root = mkdtempSync(join(tmpdir(), "temper-activations-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const text = `
name: activations
dataset: mnist
model: { mlp: { hidden: [12, 8] } }
training: { batchSize: 32, epochs: 1, limit: 64, curves: {} }
methods: [standard]
evaluation: { limit: 20, activations: true }
cases:
  relu: {}
  tanh: { model: { mlp: { hidden: [10], activation: tanh } }, evaluation: { limit: 30 } }
  none: { model: { mlp: { hidden: [] } }, evaluation: { activations: false } }
`;
const run = (recipe: string, folder: string) =>
  runRecipe({ recipe: parseRecipe(recipe, "a.yaml"), text: recipe, folder: join(root, folder) });
const without = text
  .replace(", activations: true", "")
  .replace("evaluation: { activations: false }", "seeds: [0]");

describe("evaluation.activations", () => {
  it("adds hidden activations to the rows that ask for them, on the images of the evaluation", async () => {
    const { results } = await run(text, "asked");
    const [relu, tanh, none] = results.rows.map(({ activations }) => activations);
    expect(relu).toMatchObject({ n: 20, all: { units: 20 } });
    expect(relu?.sites.map(({ site, units }) => [site, units])).toEqual([
      ["relu1", 12],
      ["relu2", 8],
    ]);
    expect(relu?.all?.zeros).toBeGreaterThan(0);
    expect(tanh).toMatchObject({ n: 30, all: { units: 10, zeros: 0, above: 0, below: 0 } });
    expect(none).toBeUndefined();
    const file: unknown = JSON.parse(readFileSync(join(root, "asked", "results.json"), "utf8"));
    expect(resultsFile.parse(file)).toEqual(results);
  });

  it("changes nothing else: trainings and rows without it are what they were", async () => {
    const read = (folder: string, name: string) =>
      JSON.parse(readFileSync(join(root, folder, "trials", "relu.standard-seed0", name), "utf8")) as {
        identity: string;
        row: object;
      };
    const { results } = await run(without, "plain");
    const asked = read("asked", "row.json");
    expect(results.rows[0]).toEqual({ ...asked.row, activations: undefined });
    expect(read("plain", "training.json").identity).toBe(read("asked", "training.json").identity);
    expect(read("plain", "row.json").identity).not.toBe(asked.identity);
  });

  it("is part of smoke runs and of the page", async () => {
    const { file, out } = { file: join(root, "a.yaml"), out: join(root, "smoke") };
    writeFileSync(file, text);
    const { code } = await temper(["run", file, "--smoke", "--out", out]);
    expect(code).toBe(0);
    const page = readFileSync(join(out, "report.md"), "utf8").replace(/\s+/g, " ");
    expect(page).toContain(
      "### Hidden activations ![Histograms of the hidden activations; exactly zero are: ",
    );
    expect(page).toContain("![Test error by epoch for relu.standard, tanh.standard, none.standard.]");
    expect(page).toContain(
      "![Weights of the first layer as images for relu.standard, tanh.standard, none.standard.]",
    );
  });
});
