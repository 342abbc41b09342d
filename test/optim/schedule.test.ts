import { describe, expect, it } from "vitest";
import { learningRateAt, scheduleSchema } from "../../src/optim/schedule.js";

const rates = (schedule: unknown, epochs: number): number[] =>
  Array.from({ length: epochs }, (_, epoch) => learningRateAt(scheduleSchema.parse(schedule), epoch));

describe("learning rates by epoch", () => {
  it("a number is constant", () => {
    expect(rates(0.1, 3)).toEqual([0.1, 0.1, 0.1]);
  });

  it("changes at the epochs named", () => {
    expect(rates({ initial: 1, at: { 4: 0.01, 2: 0.1 } }, 6)).toEqual([1, 1, 0.1, 0.1, 0.01, 0.01]);
  });

  it("decays by a factor every so many epochs", () => {
    expect(rates({ initial: 8, decay: 0.5, every: 2 }, 5)).toEqual([8, 8, 4, 4, 2]);
  });

  it("says what it takes", () => {
    const { error } = scheduleSchema.safeParse("fast");
    expect(error?.issues[0]?.message).toBe(
      "expected a number, { initial, at: { epoch: rate } } or { initial, decay, every }",
    );
  });
});
