// `space: preprocessed`: methods and attacks see preprocessed images; the model that is kept still takes pixels.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import { runRecipe } from "../../src/experiments/run.js";
import type { RunRecord } from "../../src/experiments/run-record.js";
import { readRun } from "../../src/experiments/store.js";
import { importClassifier } from "../../src/nn/imported.js";
import type { Weights } from "../../src/nn/model.js";
import { runConditions } from "../../src/report/conditions.js";
import { terminalTable } from "../../src/report/index.js";

const root = mkdtempSync(join(tmpdir(), "temper-space-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const text = (keys: string, method: string, evaluation = "attacks: [fgsm: { epsilon: 0.3 }]"): string => `
name: tiny
dataset: mnist
model: { mlp: { hidden: [8] } }
${keys}
training: { batchSize: 32, epochs: 2, limit: 90, validation: { last: 50 }, curves: { splits: [test, validation] } }
methods: [${method}]
evaluation: { limit: 20, ${evaluation} }
`;

async function run(name: string, given: string): Promise<RunRecord> {
  const folder = join(root, name);
  await runRecipe({ recipe: parseRecipe(given, "tiny.yaml"), text: given, folder });
  return readRun(folder);
}

const weightsOf = (name: string): Weights =>
  importClassifier(readFileSync(join(root, name, "models", "abp-seed0.onnx"))).classifier.weights;

const abp = (epsilon: number): string =>
  `{ name: abp, compose: [adversarial-backprop: { epsilon: ${epsilon} }] }`;
const behind = "preprocessing: standardize\nspace: preprocessed";

const pixels = await run("pixels", text("preprocessing: standardize", abp(0.03)));
const deviation = Number(weightsOf("pixels")["preprocessing/1-standardize/deviation"]?.data[0]);
const preprocessed = await run("preprocessed", text(behind, abp(0.03 / deviation)));

describe("space: preprocessed", () => {
  it("trains as pixels do, ε in other units, where preprocessing is one mean and one deviation", () => {
    expect(deviation).toBeGreaterThan(0.2);
    const [one, other] = [weightsOf("pixels"), weightsOf("preprocessed")];
    expect(Object.keys(other).sort()).toEqual(Object.keys(one).sort());
    for (const [name, { data }] of Object.entries(one))
      data.forEach((value, i) => expect(Number(other[name]?.data[i])).toBeCloseTo(Number(value), 4));
    const curves = ({ metrics }: RunRecord) => metrics.map((line) => line.metrics["validationError"]);
    expect(curves(preprocessed)).toEqual(curves(pixels));
    expect(preprocessed.results.rows[0]?.clean).toBe(pixels.results.rows[0]?.clean);
  });

  it("attacks the network behind the preprocessing, within ε of preprocessed images and without bounds", () => {
    const [gallery] = preprocessed.galleries;
    const { originals = new Float32Array(), adversarial = new Float32Array() } = gallery ?? {};
    const changes = originals.map((value, i) => Math.abs((adversarial[i] ?? 0) - value));
    const black = Math.min(...originals);
    expect(black).toBeCloseTo((0 - 0.1307) / deviation, 0);
    expect(Math.max(...changes)).toBeCloseTo(0.3, 5);
    expect(Math.min(...adversarial)).toBeCloseTo(black - 0.3, 5);
    const flags = preprocessed.results.rows[0]?.flags?.map(({ name }) => name);
    expect(flags ?? []).not.toContain("left-ball");
  });

  it("is said of every row and on the page", () => {
    expect(preprocessed.results.rows.map(({ space }) => space)).toEqual(["preprocessed"]);
    expect(pixels.results.rows[0]).not.toHaveProperty("space");
    const conditions = (record: RunRecord) => new Map(runConditions(record).map(([a, b]) => [a, b]));
    expect(conditions(preprocessed).get("Space and unit of ε")).toBe(
      "radius of the L∞ ball, units of preprocessed images, without bounds",
    );
    expect(conditions(pixels).get("Space and unit of ε")).toBe(
      "radius of the L∞ ball, input units, before any normalisation of the model",
    );
    expect(conditions(pixels).get("Preprocessing, fitted to the training images")).toBe(
      "standardize (over set)",
    );
    expect(terminalTable(preprocessed.results).replace(/\s+/g, " ")).toContain(
      "ε in units of preprocessed images, without bounds",
    );
  });

  it("moves stored inputs there, around their originals", async () => {
    const sgm = `{ name: sgm, compose: [sgm: { lambda: 1, gradientScale: per-sample, radius: 0.2 }] }`;
    const given = text(`${behind}\nseeds: [3]`, sgm).replace("limit: 90,", "limit: 90, inputUpdates: {},");
    const { inputUpdates } = await run("moving", given);
    const [start = new Float32Array(), after = new Float32Array()] = inputUpdates[0]?.inputs ?? [];
    const moved = start.map((value, i) => Math.abs((after[i] ?? 0) - value));
    expect(Math.min(...start)).toBeLessThan(-0.3);
    expect(Math.max(...moved)).toBeGreaterThan(1e-4);
    expect(Math.max(...moved)).toBeLessThan(0.2001);
  });

  it.each([
    ["space: preprocessed", "", "recipe.space: expected 'preprocessing' in the recipe, got none"],
    [
      behind,
      "corruptions: [contrast]",
      "recipe.space: expected 'pixels' for corruptions, which disturb pixels, got 'preprocessed'",
    ],
    [
      behind,
      "attacks: [fgsm: { epsilon: 0.1 }], transferFrom: other.onnx",
      "recipe.space: expected 'pixels' for files to craft on, which take pixels, got 'preprocessed'",
    ],
    ["space: whitened", "", 'recipe.space: expected one of "pixels"|"preprocessed"'],
  ])("refuses %s with %s", (keys, evaluation, message) => {
    expect(() => parseRecipe(text(keys, "standard", evaluation), "tiny.yaml")).toThrow(message);
  });
});
