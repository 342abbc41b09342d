// Wilson's interval against published values and its own definition.
import { describe, expect, it } from "vitest";
import { wilsonInterval } from "../../src/evaluation/statistics.js";

describe("wilsonInterval", () => {
  it("equals Newcombe's (1998) printed examples", () => {
    const cases = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [successes, n, low, high] of cases) {
      const got = wilsonInterval(successes, n);
      expect(got[0]).toBeCloseTo(low, 4);
      expect(got[1]).toBeCloseTo(high, 4);
    }
  });

  it("solves (share − p)² = z²·p(1 − p)/n", () => {
    for (const p of wilsonInterval(9151, 10000, 2.5))
      expect((0.9151 - p) ** 2).toBeCloseTo((2.5 ** 2 * p * (1 - p)) / 10000, 12);
  });

  it("stays within [0, 1] at the ends, and knows nothing without images", () => {
    expect(wilsonInterval(10, 10)[1]).toBe(1);
    expect(wilsonInterval(0, 10)[0]).toBe(0);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});
