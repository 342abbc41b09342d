// Losses that attacks climb: their values by hand, their ascent against finite differences.
import { describe, expect, it } from "vitest";
import { attackLosses, attackLossNames, targetedDlr } from "../../src/attacks/losses.js";
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

describe("the targeted difference of logits ratio", () => {
  const targets = [3, 2, 0];
  const evaluateAt = (what: "value" | "ascent", logits: readonly number[]): number[] => {
    const loss = targetedDlr(input("targets", [3], "int32"));
    const node = loss[what](input("logits", [3, 4]), input("labels", [3], "int32"));
    const vector = (data: readonly number[], shape: readonly number[]) => ({
      shape,
      data: Float64Array.from(data),
    });
    const values = {
      logits: vector(logits, [3, 4]),
      labels: vector(labels, [3]),
      targets: vector(targets, [3]),
    };
    return [...(interpret([node], { batch: 3, values })[0]?.data ?? [])];
  };

  it("has the value of its formula, by three of four logits", () => {
    const byFormula = rows.map(({ label, row }, i) => {
      const [first = 0, , third = 0, fourth = 0] = [...row].sort((a, b) => b - a);
      return ((row[targets[i] ?? 0] ?? 0) - (row[label] ?? 0)) / (first - (third + fourth) / 2);
    });
    evaluateAt("value", z).forEach((v, i) => expect(v).toBeCloseTo(byFormula[i] ?? NaN, 10));
    expect(targetedDlr(input("targets", [3], "int32")).classes).toBe(4);
  });

  it("rises along its ascent", () => {
    const ascent = evaluateAt("ascent", z);
    const before = evaluateAt("value", z);
    const along = z.map((v, i) => v + 1e-6 * (ascent[i] ?? 0));
    evaluateAt("value", along).forEach((v, i) => expect(v).toBeGreaterThan(before[i] ?? NaN));
  });
});

it("cross-entropies beyond float32 are told apart by their levels", () => {
  const logits = [60, 0, 1, 0, 61, 0, 1, 0];
  const at = (what: "value" | "level"): number[] => {
    const node = attackLosses["cross-entropy"][what](input("logits", [2, 4]), input("labels", [2], "int32"));
    const values = {
      logits: { shape: [2, 4], data: Float64Array.from(logits) },
      labels: { shape: [2], data: Float64Array.from([0, 0]) },
    };
    return [...(interpret([node], { batch: 2, values })[0]?.data ?? [])];
  };
  const levels = at("level");
  const others = Math.log(2 + Math.E);
  expect(levels[0]).toBeCloseTo(others - 60, 6);
  expect(levels[1]).toBeCloseTo(others - 61, 6);
  at("value").forEach((v, i) => expect(v).toBeCloseTo(Math.log1p(Math.exp(levels[i] ?? NaN)), 10));
});
