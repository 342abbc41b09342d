// The library refuses what the command line refuses.
import { describe, expect, it } from "vitest";
import { harden } from "../../src/experiments/harden.js";
import { mlp } from "../../src/nn/architectures/index.js";
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
});
