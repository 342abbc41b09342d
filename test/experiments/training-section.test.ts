// The recipe's `training` section: what it asks of itself, which images it leaves to training, what is measured.
import { describe, expect, it } from "vitest";
import { harden, type HardenOptions } from "../../src/experiments/harden.js";
import { readRecipe } from "../../src/experiments/recipe.js";
import { trainingOutcome } from "../../src/experiments/training-outcome.js";
import { trainingParts } from "../../src/experiments/training-parts.js";
import { readAttack } from "../../src/experiments/attack-plan.js";
import { importClassifier } from "../../src/nn/imported.js";
import { mlp } from "../../src/nn/architectures/index.js";
import { adam } from "../../src/optim/index.js";
import { openPredictor } from "../../src/evaluation/predictor.js";
import { localEngine } from "../../src/runtime/engine.js";
import { toyShape, toySplit } from "../support/toy-data.js";

const recipe = (training: object) =>
  readRecipe({ name: "r", dataset: "mnist", model: "mlp", methods: ["standard"], training });

describe("the training section", () => {
  it("is what it was where none of its later keys are used: trainings keep their identity", () => {
    expect(JSON.stringify(recipe({ epochs: 2, limit: 640 }).training)).toBe(
      '{"optimizer":{"name":"sgd","options":{"momentum":0,"nesterov":false,"weightDecay":0}},"learningRate":0.1,' +
        '"batchSize":128,"epochs":2,"loss":"softmax-cross-entropy","labelSmoothing":0,"limit":640}',
    );
  });

  it("takes the network's own loss, another where one is named", () => {
    const lossOf = (training: object): string =>
      readRecipe({ name: "r", dataset: "mnist", model: "capsnet", methods: ["standard"], training }).training
        .loss;
    expect(lossOf({})).toBe("margin");
    expect(lossOf({ loss: "squared-error" })).toBe("squared-error");
  });

  it("takes the optimizer's own learning rate", () => {
    expect(recipe({ optimizer: "adam" }).training.learningRate).toBe(1e-3);
    expect(recipe({ optimizer: "wame" }).training.learningRate).toBe(1e-3);
    expect(recipe({ optimizer: "adam", learningRate: 0.1 }).training.learningRate).toBe(0.1);
  });

  const needs = (key: string): string =>
    `${key}: expected validation images to look at, got none (allowed: training.validation: { last: N } or { fraction: F })`;
  it.each([
    [{ restoreBest: true }, needs("restoreBest")],
    [{ earlyStopping: {} }, needs("earlyStopping")],
    [{ curves: { splits: ["validation"] } }, needs("curves.splits")],
    [{ curves: { attacks: [{ fgsm: { epsilon: 0.1 } }] } }, needs("curves.attacks")],
    [
      { meanOfLast: 10, curves: { every: 2 } },
      "meanOfLast: expected the test error of every epoch, got none (allowed: training.curves: { splits: [test], every: 1 })",
    ],
    [
      { validation: { first: 3 } },
      "recipe.training.validation: expected { last: IMAGES } or { fraction: SHARE in (0, 1) }",
    ],
    [
      { validation: { last: 9 }, curves: { attacks: ["deepfool"] } },
      "deepfool: expected epsilon, the radius to count at, got none",
    ],
    [
      {
        validation: { last: 9 },
        curves: { attacks: [{ fgsm: { epsilon: 0.1 } }, { fgsm: { epsilon: [0.1, 0.2] } }] },
      },
      "robustAccuracy/fgsm/linf/0.1 comes twice",
    ],
  ])("refuses %j", (training, message) => {
    expect(() => recipe(training)).toThrow(message);
  });
});

describe("images left to training", () => {
  const split = toySplit(40);

  it("are those before the validation images, and the first of them under a limit", () => {
    const parts = trainingParts(split, { validation: { last: 10 }, limit: 5 });
    expect(parts.train.images).toEqual(split.images.subarray(0, 5 * 36));
    expect(parts.validation?.images).toEqual(split.images.subarray(30 * 36));
    expect(trainingParts(split, { validation: { fraction: 0.26 } }).validation?.count).toBe(10);
    expect(trainingParts(split, { limit: 100 })).toEqual({ train: split, validation: null });
  });

  it("must be some, and validation images too", () => {
    for (const [validation, count] of [
      [{ last: 40 }, 40],
      [{ fraction: 0.01 }, 0],
    ] as const)
      expect(() => trainingParts(split, { validation })).toThrow(
        `validation: expected a whole number from 1 to 39, got ${count}`,
      );
  });
});

const dataset = {
  name: "toy",
  imageShape: toyShape,
  classes: 4,
  train: toySplit(80),
  test: toySplit(129, 1),
};
const options: HardenOptions = {
  model: mlp({ hidden: [8], batchNorm: true }),
  dataset,
  defenses: [],
  optimizer: adam(),
  epochs: 4,
  batchSize: 16,
  validation: { last: 30 },
};
const curves = { splits: ["test", "validation"], every: 2, attacks: [], limit: 20 } as const;

/** Errors of a file on test and validation images. */
async function errorsOf(file: Uint8Array): Promise<{ testError: number; validationError: number }> {
  const { classifier } = importClassifier(file);
  const predictor = await openPredictor(classifier, localEngine({ threads: 1 }), 0);
  const error = async ({ images, labels, count }: typeof dataset.test): Promise<number> => {
    const { classes } = await predictor.predict(
      Float32Array.from(images, (x) => x / 255),
      Array.from({ length: count }, (_image, i) => i),
    );
    return classes.filter((read, i) => read !== labels[i]).length / count;
  };
  const validation = trainingParts(dataset.train, options).validation ?? dataset.test;
  return { testError: await error(dataset.test), validationError: await error(validation) };
}

describe("curves", () => {
  it("are errors of the weights after each epoch in inference mode, and change nothing", async () => {
    const plain = await harden({ ...options });
    const attacks = [readAttack({ fgsm: { epsilon: [0, 0.2] } })];
    const measured = await harden({ ...options, curves: { ...curves, attacks } });
    expect(measured.file).toEqual(plain.file);
    expect(measured.history.map(({ metrics }) => "testError" in metrics)).toEqual([false, true, false, true]);
    const { metrics = {} } = measured.history.at(-1) ?? {};
    expect(metrics).toMatchObject(await errorsOf(measured.file));
    const [still = NaN, moved = NaN] = [0, 0.2].map((e) => metrics[`robustAccuracy/fgsm/linf/${e}`]);
    expect(moved).toBeLessThan(still);
    expect(still * 20).toBeCloseTo(Math.round(still * 20), 9);
  });

  it("tell which epoch is restored", async () => {
    const best = await harden({ ...options, learningRate: 0.1, epochs: 6, restoreBest: true });
    const errors = best.history.map(({ metrics }) => metrics["validationError"] ?? NaN);
    expect((await errorsOf(best.file)).validationError).toBe(Math.min(...errors));
    const first = errors.indexOf(Math.min(...errors));
    expect(first).toBeLessThan(5);
    const upToIt = await harden({ ...options, learningRate: 0.1, epochs: first + 1 });
    expect(best.file).toEqual(upToIt.file);
  });

  it("on test images need some", async () => {
    const { test: _, ...rest } = dataset;
    await expect(harden({ ...options, dataset: rest, curves })).rejects.toThrow(
      "harden.curves: expected test images beside the training images, got none",
    );
  });
});

describe("a row", () => {
  const history = [0.4, 0.2, 0.3].map((error, epoch) => ({
    epoch,
    metrics: { testError: error, validationError: error },
  }));

  it("says how many epochs ran, which was best, and the mean of the last", () => {
    expect(trainingOutcome({}, history)).toEqual({ epochs: 3 });
    expect(trainingOutcome({ restoreBest: true, meanOfLast: 2 }, history)).toEqual({
      epochs: 3,
      bestEpoch: 2,
      meanOfLast: { epochs: 2, testError: 0.25 },
    });
    const all = trainingOutcome({ meanOfLast: 10 }, history).meanOfLast;
    expect(all?.epochs).toBe(3);
    expect(all?.testError).toBeCloseTo(0.3, 12);
  });
});
