// Losses that attacks climb: their values by hand, their ascent against finite differences.
import { describe, expect, it } from "vitest";
import { attackLosses, attackLossNames } from "../../src/attacks/losses.js";
import { input } from "../../src/graph/node.js";
import { interpret } from "../../src/graph/interpret.js";

type Name = (typeof attackLossNames)[number];

const z = [0.5, -1, 2, 0.25, 3, 1, 1.5, -2, 0.1, 0.3, -0.7, 1.2];
const labels = [2, 0, 1];

function evaluate(name: Name, what: "value" | "ascent", logits: readonly number[]): number[] {
  const node = attackLosses[name][what](input("logits", [3, 4]), input("labels", [3], "int32"));
  const [result] = interpret([node], {
    batch: 3,
    values: {
      logits: { shape: [3, 4], data: Float64Array.from(logits) },
      labels: { shape: [3], data: Float64Array.from(labels) },
    },
  });
  return [...(result?.data ?? [])];
}

const logSumExp = (row: readonly number[]): number =>
  Math.log(row.reduce((total, v) => total + Math.exp(v), 0));
const rows = labels.map((label, i) => ({ label, row: z.slice(4 * i, 4 * i + 4) }));
const byHand: Record<Name, readonly number[]> = {
  "cross-entropy": rows.map(({ label, row }) => logSumExp(row) - (row[label] ?? NaN)),
  margin: [0.5 - 2, 1.5 - 3, 1.2 - 0.3],
  dlr: [(0.5 - 2) / (2 - 0.25), (1.5 - 3) / (3 - 1), (1.2 - 0.3) / (1.2 - 0.1)],
};

describe.each(attackLossNames)("%s", (name) => {
  it("has the value of its formula", () => {
    evaluate(name, "value", z).forEach((v, i) => expect(v).toBeCloseTo(byHand[name][i] ?? NaN, 10));
  });

  it("rises along its ascent, which is a positive multiple of its gradient", () => {
    const ascent = evaluate(name, "ascent", z);
    const slopes = z.map((_, at) => {
      const [up, down] = [1e-6, -1e-6].map((h) =>
        evaluate(
          name,
          "value",
          z.map((v, i) => (i === at ? v + h : v)),
        ),
      );
      const row = Math.floor(at / 4);
      return ((up?.[row] ?? NaN) - (down?.[row] ?? NaN)) / 2e-6;
    });
    for (const [row, { label }] of rows.entries()) {
      const scale = (slopes[4 * row + label] ?? NaN) / (ascent[4 * row + label] ?? NaN);
      expect(scale).toBeGreaterThan(0);
      for (let i = 4 * row; i < 4 * row + 4; i++)
        expect(slopes[i]).toBeCloseTo(scale * (ascent[i] ?? NaN), 6);
    }
  });
});
