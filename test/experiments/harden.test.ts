// The library refuses what the command line refuses.
import { describe, expect, it } from "vitest";
import { harden } from "../../src/experiments/harden.js";
import { openPredictor } from "../../src/evaluation/predictor.js";
import { capsnet, condensenet, mlp } from "../../src/nn/architectures/index.js";
import type { LossName } from "../../src/nn/loss-names.js";
import { importClassifier } from "../../src/nn/imported.js";
import { localEngine } from "../../src/runtime/engine.js";
import { toyShape, toySplit } from "../support/toy-data.js";

const dataset = { name: "toy", imageShape: toyShape, classes: 4, train: toySplit(20), test: toySplit(4) };
const options = { model: mlp({ hidden: [4] }), dataset, defenses: [] };

describe("harden", () => {
  it.each([
    [{ epochs: -1 }, "harden.epochs: expected number to be >=1, got -1"],
    [{ epochs: NaN }, "harden.epochs: "],
    [{ batchSize: 1 }, "harden.batchSize: expected number to be >=2, got 1"],
    [{ learningRate: -0.1 }, "harden.learningRate: "],
    [{ learningRate: NaN }, "harden.learningRate: "],
    [{ labelSmoothing: 2 }, "harden.labelSmoothing: expected number to be <=1, got 2"],
    [{ epoks: 3 }, "harden: unknown option 'epoks' – did you mean 'epochs'?"],
  ])("refuses %j", async (wrong, message) => {
    await expect(harden({ ...options, ...wrong })).rejects.toThrow(message);
  });

  it("trains one epoch and gives a file", async () => {
    const { file, history } = await harden({ ...options, epochs: 1, batchSize: 8 });
    expect(history).toHaveLength(1);
    expect(file.length).toBeGreaterThan(100);
  });

  it("trains a network with its own loss where none is named", async () => {
    const model = capsnet({ filters: 2, kernel: 3, primary: 1, dimension: 3 });
    const trained = async (loss?: LossName) =>
      (await harden({ ...options, model, epochs: 1, batchSize: 8, ...(loss && { loss }) })).history;
    expect(await trained()).toEqual(await trained("margin"));
    expect(await trained()).not.toEqual(await trained("softmax-cross-entropy"));
  });

  it("trains what only training needs, and leaves it out of the file", async () => {
    const model = capsnet({
      filters: 2,
      kernel: 3,
      primary: 1,
      dimension: 3,
      reconstruction: 0.01,
      decoder: [5],
    });
    const { file, history } = await harden({ ...options, model, epochs: 1, batchSize: 8 });
    expect(importClassifier(file).classifier.model.loss).toBe("margin");
    expect(history[0]?.metrics["reconstruction"]).toBeGreaterThan(0);
    const names = importClassifier(file).classifier.model.parameters.map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("conv"))).toHaveLength(4);
    expect(names.filter((name) => name.startsWith("decoder"))).toEqual([]);
  });

  it("condenses while it trains: the file errs as often as the network that was measured last", async () => {
    const model = condensenet({ stages: [1], growth: [3], bottleneck: 2, groups: 3 });
    const curves = { splits: ["test" as const], every: 1, attacks: [], limit: 10 };
    const { file, history } = await harden({ ...options, model, epochs: 2, batchSize: 8, curves });
    const { classifier } = importClassifier(file);
    const { parameters } = classifier.model;
    // 6 channels, of which each group keeps a third.
    expect(parameters.find(({ name }) => name.endsWith("grouped"))?.shape).toEqual([6, 2, 1, 1]);
    const engine = localEngine({ threads: 1 });
    const { images, labels, count } = dataset.test;
    const predictor = await openPredictor(classifier, engine, 0);
    const points = Float32Array.from(images, (pixel) => pixel / 255);
    const { classes } = await predictor.predict(points, [...labels.keys()]);
    await predictor.release();
    const wrong = Array.from(classes).filter((found, i) => found !== labels[i]).length;
    expect(history.at(-1)?.metrics["testError"]).toBe(wrong / count);
  });
});
