// Recipes with augmented images and a record of how the stored inputs moved: from the words to the figure.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readInputUpdates } from "../../src/experiments/input-updates.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import { readRecipe, type Recipe } from "../../src/experiments/recipe.js";
import { runRecipe } from "../../src/experiments/run.js";
import { paths, readRun } from "../../src/experiments/store.js";
import { inputUpdates } from "../../src/report/input-updates.js";

const root = mkdtempSync(join(tmpdir(), "temper-updates-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const text = `
name: moving
dataset: mnist
model: { mlp: { hidden: [20] } }
training:
  epochs: 3
  limit: 128
  augmentation: [{ elastic: { alpha: 20 } }, horizontal-flip]
  inputUpdates: { images: 4, epochs: 2 }
methods:
  - standard
  - sgm: { lambda: 1, gradientScale: per-sample }
evaluation: { limit: 20 }
`;

const trainingOf = (recipe: string): Recipe["training"] => readRecipe(parse(recipe)).training;

describe("a recipe with augmentation and inputUpdates", () => {
  it("names its transforms with all their options, in order", () => {
    expect(trainingOf(text).augmentation).toEqual([
      { name: "elastic", options: { alpha: 20, sigma: 4, edge: "zero" } },
      { name: "horizontal-flip", options: { p: 0.5 } },
    ]);
  });

  it("without them is what it was", () => {
    const plain = text.replace(/^ {2}(augmentation|inputUpdates).*\n/gm, "");
    expect(Object.keys(trainingOf(plain))).toEqual([
      "optimizer",
      "learningRate",
      "batchSize",
      "epochs",
      "loss",
      "labelSmoothing",
      "limit",
    ]);
  });

  it.each([
    ["horizontal-flip]", "flip]", "unknown augmentation 'flip'"],
    ["alpha: 20", "alpha: -1", "elastic.alpha: expected a number of at least 0"],
    [
      "horizontal-flip]",
      "random-erasing: { fill: [1, 2] }]",
      "moving.yaml:8:46: random-erasing.fill: expected 1 value",
    ],
    [
      "horizontal-flip]",
      "pad-and-crop: { pixels: 28 }]",
      "pad-and-crop.pixels: expected fewer than the image's side, 28",
    ],
    ["images: 4", "images: 0", "recipe.training.inputUpdates.images: "],
  ])("%s → %s is refused", (from, to, message) => {
    expect(() => parseRecipe(text.replace(from, to), "moving.yaml")).toThrow(message);
  });

  it("leaves the inputs as they were and after each epoch, of methods that move them, and a figure of them", async () => {
    await runRecipe({ recipe: parseRecipe(text, "moving.yaml"), text, folder: root });
    expect(await readInputUpdates(join(root, paths.inputUpdates("standard-seed0")))).toBeNull();
    const record = await readRun(root);
    const [updates] = record.inputUpdates;
    expect(record.inputUpdates).toHaveLength(1);
    expect(updates).toMatchObject({ trial: "sgm-seed0", method: "sgm", seed: 0, imageShape: [1, 28, 28] });
    const [before, first, second] = updates?.inputs ?? [];
    expect(updates?.inputs.map(({ length }) => length)).toEqual([4 * 784, 4 * 784, 4 * 784]);
    expect(first).not.toEqual(before);
    expect(second).not.toEqual(first);
    const figure = await inputUpdates(record);
    const largest = Math.max(...(second ?? []).map((v, i) => Math.abs(v - (before?.[i] ?? NaN))));
    expect(figure?.caption).toContain(`${Number(largest.toPrecision(2))} since the start`);
    expect(figure?.panels.map(({ svg }) => svg.split("<image").length - 1)).toEqual([12, 12, 0]);
    expect(await inputUpdates({ ...record, inputUpdates: [] })).toBeNull();
  });
});
