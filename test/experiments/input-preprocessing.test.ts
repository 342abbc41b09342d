// `preprocessing` in recipes: what it takes, what it is fitted to, where the values are kept, and a run with it.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { datasetNamed, limit, loadDataset } from "../../src/data/index.js";
import { fitPreprocessing } from "../../src/experiments/input-preprocessing.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import type { Recipe } from "../../src/experiments/recipe.js";
import { runRecipe } from "../../src/experiments/run.js";
import { rowIdentity } from "../../src/experiments/trial.js";
import { trialsOf } from "../../src/experiments/trials.js";
import { importClassifier } from "../../src/nn/imported.js";

const root = mkdtempSync(join(tmpdir(), "temper-preprocessing-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const text = (preprocessing: string): string => `
name: tiny
dataset: mnist
model: { mlp: { hidden: [8] } }
${preprocessing}
training: { batchSize: 32, epochs: 1, limit: 90, validation: { last: 50 } }
methods: [standard, adversarial-backprop: { epsilon: 0.08 }]
evaluation: { limit: 20, attacks: [fgsm: { epsilon: 0.1 }] }
`;
const parse = (preprocessing: string) => parseRecipe(text(preprocessing), "tiny.yaml");
const recipeOf = (preprocessing: string): Recipe => parse(preprocessing).cases[0] as Recipe;
const whole = await loadDataset(datasetNamed("mnist"));
const dataset = { ...whole, train: limit(whole.train, 140) };

describe("preprocessing in a recipe", () => {
  it("is one preprocessor or a list of them, with their options", () => {
    expect(recipeOf("preprocessing: standardize").preprocessing).toEqual([
      { name: "standardize", options: { over: "set" } },
    ]);
    const listed = recipeOf("preprocessing: [gcn, { zca: { regularization: 1e-5, divisor: n-1 } }]");
    expect(listed.preprocessing?.map(({ name }) => name)).toEqual(["gcn", "zca"]);
    expect(listed.preprocessing?.[1]?.options).toEqual({ regularization: 1e-5, divisor: "n-1" });
  });

  it.each([
    ["preprocessing: [gcn, zac]", "tiny.yaml:5:22: unknown preprocessor 'zac' – did you mean 'zca'?"],
    [
      "preprocessing: { zca: { regularization: 0 } }",
      "tiny.yaml:5:25: zca.regularization: expected a number of at least 1e-8",
    ],
    [
      "preprocessing: 3",
      "tiny.yaml:5:1: recipe.preprocessing: expected a preprocessor or a list of them, got 3",
    ],
    ["preprocessing: []", "tiny.yaml:5:1: recipe.preprocessing: expected at least one preprocessor, got []"],
  ])("refuses %s", (given, message) => {
    expect(() => parse(given)).toThrow(message);
  });

  it("is refused where a matrix between all pixels would not go into a file, before anything is read", () => {
    const large = `name: large
dataset: { folder: { train: none, test: none, classes: 2, resize: [224, 224] } }
model: mlp
preprocessing: [gcn, zca]
methods: [standard]
`;
    expect(() => parseRecipe(large, "large.yaml")).toThrow(
      "large.yaml:4:22: zca: expected images of at most 22805 numbers, whose matrix of 2.1 GB still goes into a model's file, got 150528 (3×224×224), with one of 90.6 GB",
    );
  });

  it("is not fitted where that takes more memory than there is", async () => {
    vi.spyOn(process, "constrainedMemory").mockReturnValue(1e6);
    const fitting = fitPreprocessing(recipeOf("preprocessing: [gcn, zca]"), dataset, {
      cacheDir: join(root, "none"),
    });
    await expect(fitting).rejects.toThrow(
      "zca: expected fitting within the 1.0 MB of memory that this machine has, got one that takes about",
    );
    vi.restoreAllMocks();
  });

  it("decides what a training is; without it the training is what it was before there was such a key", () => {
    const identity = (given: string): string => {
      const [trial] = trialsOf(parse(given));
      return trial ? rowIdentity(trial, []) : "";
    };
    expect(identity("")).toBe("59a057463fc1e80b144f55b67a86aa7a5dd3ef343fdadacd7b007ea24ecf784b");
    expect(identity("preprocessing: gcn")).not.toBe(identity(""));
    expect(identity("preprocessing: gcn")).not.toBe(identity("preprocessing: { gcn: { scale: 1 } }"));
  });

  it("is fitted to the training images alone, once, and kept", async () => {
    const cacheDir = join(root, "cache");
    const recipe = recipeOf("preprocessing: [pixel-mean, standardize]");
    let fits = 0;
    const fit = (given: Recipe) => fitPreprocessing(given, dataset, { cacheDir, onFit: () => void fits++ });
    const [found, again] = [await fit(recipe), await fit(recipe)];
    expect(again).toEqual(found);
    expect(fits).toBe(1);
    const pixel = 14 * 28 + 14;
    const total = Array.from({ length: 90 }, (_, i) => dataset.train.images[i * 784 + pixel] ?? 0);
    const mean = total.reduce((a, b) => a + b, 0) / 90 / 255;
    expect(found?.["preprocessing/1-pixel-mean/mean"]?.data[pixel]).toBeCloseTo(mean, 6);
    await fit({ ...recipe, training: { ...recipe.training, limit: 80 } });
    expect(fits).toBe(2);
    expect(readdirSync(join(cacheDir, "preprocessing"))).toHaveLength(2);
    expect(await fit(recipeOf(""))).toBeNull();
  });

  it("is not taken from a file that is damaged", async () => {
    const cacheDir = join(root, "damaged");
    const fit = () => fitPreprocessing(recipeOf("preprocessing: standardize"), dataset, { cacheDir });
    await fit();
    const [file = ""] = readdirSync(join(cacheDir, "preprocessing"));
    const path = join(cacheDir, "preprocessing", file);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 4));
    await expect(fit()).rejects.toThrow(path);
  });

  it("becomes part of the models of a run, in front of the network", async () => {
    const given = "preprocessing: [gcn, zca]";
    const folder = join(root, "run");
    const { results } = await runRecipe({
      recipe: parse(given),
      text: text(given),
      folder,
      only: ["standard-*"],
    });
    expect(results.rows).toHaveLength(1);
    const file = readFileSync(join(folder, "models", "standard-seed0.onnx"));
    const { model } = importClassifier(file).classifier;
    expect(model.inputShape).toEqual([1, 28, 28]);
    expect(model.parameters.map(({ name }) => name)).toContain("preprocessing/2-zca/matrix");
  });
});
