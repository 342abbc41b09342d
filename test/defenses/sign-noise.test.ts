// Random-sign noise: which activations its sites mean, by name and by pattern.
import { describe, expect, it } from "vitest";
import * as defenses from "../../src/defenses/index.js";
import { buildTrainStep } from "../../src/defenses/train-step.js";
import * as architectures from "../../src/nn/architectures/index.js";
import * as optimizers from "../../src/optim/index.js";

/** Where noise is drawn in the training step of a residual network of three blocks. */
function sitesOf(sites: string[]): string[] {
  const { noise } = buildTrainStep({
    model: architectures["cifar-resnet"]({ depth: 8, filters: 2 })({ inputShape: [3, 8, 8], classes: 2 }),
    defense: defenses["sign-noise"]({ sites }),
    optimizer: optimizers.sgd({}),
    loss: "softmax-cross-entropy",
    labelSmoothing: 0,
    bounds: [0, 1],
    pixels: "uint8",
  });
  return noise.map(({ input }) => input.name.replace(/^.*sign-noise\./, ""));
}

describe("the sites of sign-noise", () => {
  it("are named one by one, each drawn at once however often it is meant", () => {
    expect(sitesOf(["input", "block2.relu1", "block2.relu*"])).toEqual([
      "input",
      "block2.relu1",
      "block2.relu2",
    ]);
  });

  it("may be patterns, whose * does not reach over a dot", () => {
    expect(sitesOf(["block*.relu2"])).toEqual(["block1.relu2", "block2.relu2", "block3.relu2"]);
    expect(sitesOf(["*"])).toEqual(["input", "relu1"]);
  });

  it("must be there", () => {
    expect(() => sitesOf(["block*.relu3"])).toThrow(
      "sign-noise.sites: unknown site of cifar-resnet 'block*.relu3'",
    );
  });
});
