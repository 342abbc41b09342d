import { describe, expect, it } from "vitest";
import { isOver, learningRateAt, scheduleSchema } from "../../src/optim/schedule.js";

const rates = (schedule: unknown, epochs: number): number[] =>
  Array.from({ length: epochs }, (_, epoch) => learningRateAt(scheduleSchema.parse(schedule), epoch, []));

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

  it("falls along half a cosine (Loshchilov and Hutter 2017, one period)", () => {
    const falling = rates({ initial: 0.2, cosine: 4 }, 6);
    const half = Math.SQRT1_2;
    [0.2, 0.1 * (1 + half), 0.1, 0.1 * (1 - half), 0, 0].forEach((rate, epoch) =>
      expect(falling[epoch]).toBeCloseTo(rate, 15),
    );
  });

  it("is WAME's of the SGM paper's authors", () => {
    const schedule = { initial: 1e-3, at: { 10: 1e-4, 20: 1e-5 } };
    expect([0, 9, 10, 19, 20, 49].map((epoch) => rates(schedule, 50)[epoch])).toEqual([
      1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5,
    ]);
  });

  it("halves when the training error is not below its running mean, and ends training", () => {
    const schedule = scheduleSchema.parse({ initial: 0.5, whenStalled: { stalls: 2 } });
    // m: 0.75 + 0.1 = 0.85, 0.6375 + 0.1 = 0.7375, 0.553125 + 0.2 = 0.753125 (0.8 is above), then 0.8 above 0.76484375.
    const errors = [0.4, 0.4, 0.8, 0.8];
    const at = (epochs: number): number => learningRateAt(schedule, epochs, errors.slice(0, epochs));
    expect([0, 1, 2, 3, 4].map(at)).toEqual([0.5, 0.5, 0.5, 0.25, 0.125]);
    expect([2, 3, 4].map((epochs) => isOver(schedule, errors.slice(0, epochs)))).toEqual([
      false,
      false,
      true,
    ]);
    const tight = scheduleSchema.parse({ initial: 0.5, whenStalled: { least: 0.76 } });
    expect([1, 2].map((epochs) => isOver(tight, errors.slice(0, epochs)))).toEqual([false, true]);
    expect(isOver(0.1, errors)).toBe(false);
  });

  it("says what it takes", () => {
    const { error } = scheduleSchema.safeParse("fast");
    expect(error?.issues[0]?.message).toBe(
      "expected a number, { initial, at: { epoch: rate } }, { initial, decay, every }, { initial, cosine } or { initial, whenStalled }",
    );
  });
});
