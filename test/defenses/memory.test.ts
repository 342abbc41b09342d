// The prediction of what training takes: its parts on a step small enough to count.
import { describe, expect, it } from "vitest";
import { largestBatch, trainingMemory } from "../../src/defenses/memory.js";
import { sgm } from "../../src/defenses/sgm.js";
import { standard } from "../../src/defenses/standard.js";
import { adam, sgd } from "../../src/optim/index.js";
import { toyModel, toyStep } from "../support/toy-training.js";
import { count } from "../../src/base/shape.js";

const sizeOf = (values: readonly { readonly shape: readonly number[] }[]): number =>
  values.reduce((total, { shape }) => total + count(shape), 0);

describe("the memory of training", () => {
  const { parameters, buffers } = toyModel();
  const [weights, statistics, counter] = [sizeOf(parameters), sizeOf(buffers), 1];

  it("holds weights, statistics, slots and the counter in its state", () => {
    const plain = trainingMemory(toyStep(standard(), { optimizer: sgd() }), 16);
    expect(plain.state).toBe(4 * (weights + statistics + counter));
    const moments = trainingMemory(toyStep(standard(), { optimizer: adam() }), 16);
    expect(moments.state).toBe(4 * (3 * weights + statistics + counter));
  });

  it("grows with the batch, and is the sum of engine and host", () => {
    const [small, large] = [16, 512].map((batch) => trainingMemory(toyStep(standard()), batch));
    expect(large?.activations).toBeGreaterThan(small?.activations ?? Infinity);
    expect(large?.state).toBe(small?.state);
    for (const memory of [small, large])
      expect(memory?.total).toBe((memory?.engine ?? NaN) + (memory?.host ?? NaN));
  });

  it("is held to room by the largest batch that fits", () => {
    const memoryAt = (batch: number): number => 100 + 10 * batch;
    const within = (room: number): number | null => largestBatch(memoryAt, { most: 64, room });
    expect([99, 119, 120, 345, 739, 740, 1e6].map(within)).toEqual([null, null, 2, 24, 63, 64, 64]);
  });

  it("counts moving inputs", () => {
    const step = toyStep(sgm());
    const [without, moved] = [trainingMemory(step, 16), trainingMemory(step, 16, { moved: 1e6 })];
    expect(moved.total - without.total).toBe(1e6);
  });
});
