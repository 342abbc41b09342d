// Which epoch is best, and when training without a gain ends.
import { describe, expect, it } from "vitest";
import { bestEpoch, hasStopped } from "../../src/defenses/selection.js";

const history = (errors: readonly number[]) =>
  errors.map((validationError, epoch) => ({ epoch, metrics: { validationError } }));

describe("the best epoch", () => {
  it("has the lowest validation error, the first of equal ones", () => {
    expect(bestEpoch(history([0.5, 0.2, 0.3, 0.2]))).toBe(1);
    expect(bestEpoch(history([NaN, 0.2]))).toBe(1);
    expect(bestEpoch([])).toBe(-1);
  });
});

describe("early stopping", () => {
  const stopsAfter = (errors: readonly number[], patience: number, minDelta = 1e-4): number =>
    errors.findIndex((_, i) => hasStopped(history(errors.slice(0, i + 1)), { patience, minDelta })) + 1;

  it("waits for so many epochs without a gain, counted anew after each gain", () => {
    expect(stopsAfter([0.5, 0.6, 0.4, 0.4, 0.4, 0.4], 3)).toBe(6);
    expect(stopsAfter([0.5, 0.4, 0.3, 0.2, 0.1], 1)).toBe(0);
  });

  it("measures gains from the accuracy of the last gain", () => {
    // Four steps of 0.00004: the third is more than 0.0001 above the first.
    const creeping = [0.5, 0.49996, 0.49992, 0.49988, 0.49984];
    expect(stopsAfter(creeping, 3)).toBe(0);
    expect(stopsAfter(creeping, 2)).toBe(3);
  });
});
