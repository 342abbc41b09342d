// Whether a training is begun: what it is predicted to take beside what the machine has.
import { describe, expect, it } from "vitest";
import { describeModel } from "../../src/experiments/describe.js";
import { harden } from "../../src/experiments/harden.js";
import { checkMemory, machineMemory, type Need } from "../../src/experiments/machine-memory.js";
import { mlp } from "../../src/nn/architectures/mlp.js";
import { sgd } from "../../src/optim/index.js";
import { toyShape, toySplit } from "../support/toy-data.js";

const need: Need = { bytes: 27.5e9, room: 24e9, whose: "that are free", largestBatch: () => 192 };

describe("what a training takes beside what there is", () => {
  it("is refused in one line, with the batches that would fit", () => {
    expect(() => checkMemory("step", need)).toThrow(
      /^step: expected training within the 24\.0 GB of memory that are free, got one that takes about 27\.5 GB \(allowed: batches of up to 192\)$/,
    );
  });

  it("is refused where no batch would fit", () => {
    expect(() => checkMemory("step", { ...need, largestBatch: () => null })).toThrow(
      "got one that takes about 27.5 GB (allowed: smaller networks)",
    );
  });

  it("is allowed up to all there is", () => {
    expect(() => checkMemory("step", { ...need, bytes: 24e9 })).not.toThrow();
  });

  it("is less than nothing on no machine", () => {
    const { total, free } = machineMemory();
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThanOrEqual(total);
  });
});

describe("a description", () => {
  const described = (room?: number) =>
    describeModel({
      ...{
        model: mlp({ hidden: [50] }),
        inputShape: [1, 28, 28],
        classes: 10,
        defenses: [],
        optimizer: sgd(),
      },
      batchSize: 4096,
      ...(room !== undefined && { room }),
    });

  it("names the largest batch for less room than it needs", () => {
    const { memory, largestBatch } = described(6e7);
    expect(memory.total).toBeGreaterThan(6e7);
    expect(largestBatch).toBeGreaterThan(100);
    expect(largestBatch).toBeLessThan(4096);
    expect(described(1e6).largestBatch).toBeNull();
  });

  it("names none where there is room", () => {
    expect(described(1e12)).not.toHaveProperty("largestBatch");
    expect(described()).not.toHaveProperty("largestBatch");
  });
});

describe("hardening", () => {
  it("is refused before its weights are drawn where the machine has less memory than it takes", async () => {
    const training = harden({
      model: mlp({ hidden: Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 40_000_000 : 50)) }),
      dataset: { name: "toy", imageShape: toyShape, classes: 4, train: toySplit(20) },
      defenses: [],
      name: "wide",
    });
    await expect(training).rejects.toThrow(
      /^wide: expected training within the [\d.]+ [GT]B of memory that this machine has, got one that takes about [\d.]+ TB \(allowed: smaller networks\)$/,
    );
  });
});
