// What training took: pairs of one seed on one machine, whatever ran where.
import { describe, expect, it } from "vitest";
import type { KeptTrial } from "../../src/experiments/kept-results.js";
import { costRatio, costTable, timesText } from "../../src/report/training-costs.js";

const environment = (platform: string): KeptTrial["environment"] => ({
  training: {
    ...{ temper: "0.1.0", commit: null, node: "v24", onnxruntime: "1.30.0", platform },
    ...{ processor: "p", provider: "cpu", threads: 1 },
  },
  evaluation: null,
});

const trial = (method: string, seed: number, processor: number | null, platform: string): KeptTrial => ({
  ...{ trial: `${method}-seed${seed}`, identity: "i", split: "test", n: null, model: "m", curves: {} },
  row: { ...{ case: "c", method, seed, options: {}, epochs: 20 + seed, clean: 1, robust: [] } },
  seconds: { training: 0, evaluation: 0, processor },
  environment: environment(platform),
});

// Seed 0 of the control ran on a machine twice as fast; dear is 1.5 times as dear on either.
const kept = [
  trial("standard", 0, 10, "fast"),
  trial("standard", 1, 20, "slow"),
  trial("standard", 2, 20, "slow"),
  trial("slow-only", 0, 26, "slow"),
  trial("slow-only", 1, 26, "slow"),
  trial("dear", 0, 15, "fast"),
  trial("dear", 1, 30, "slow"),
  trial("elsewhere", 0, 5, "slow"),
  trial("untimed", 0, null, "fast"),
];

describe("what training took", () => {
  it("is a multiple of the control's with the same seed on the same machine", () => {
    expect(costRatio(kept, "c.slow-only", "c.standard")).toBeCloseTo(1.3, 12);
    expect(costRatio(kept, "c.dear", "c.standard")).toBeCloseTo(1.5, 12);
    expect(costRatio(kept, "c.elsewhere", "c.standard")).toBeNull();
    expect(costRatio(kept, "c.untimed", "c.standard")).toBeNull();
    expect(timesText(null)).toBe("–");
  });

  it("is a table of all methods that are timed, and none of a single one", () => {
    expect(costTable(kept)?.rows).toEqual([
      { name: "c.standard", cells: ["16.7 s", "1.00×", "20 to 22", "3"] },
      { name: "c.slow-only", cells: ["26.0 s", "1.30×", "20 to 21", "2"] },
      { name: "c.dear", cells: ["22.5 s", "1.50×", "20 to 21", "2"] },
      { name: "c.elsewhere", cells: ["5.0 s", "–", "20", "1"] },
    ]);
    expect(costTable(kept.slice(0, 3))).toBeNull();
  });
});
