// Losses against their formulas, and their derivatives against finite differences.
import { describe, expect, it } from "vitest";
import { checkDerivatives } from "../../src/autodiff/check.js";
import { floats } from "../../src/base/tensor.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input } from "../../src/graph/node.js";
import { lossNames } from "../../src/nn/loss-names.js";
import { losses } from "../../src/nn/losses.js";

const [z, t] = [input("z", [2, 3]), input("t", [2, 3])];
const logits = [0.95, 0.4, 0.05, -1, 0.2, 0.7];
const targets = [1, 0, 0, 0, 0, 1];
const values = {
  z: toArray64(floats([2, 3], Float32Array.from(logits))),
  t: toArray64(floats([2, 3], Float32Array.from(targets))),
};

/** Each row's sum of terms (z, t), or of terms over the whole row. */
const rows = (term: (z: number, t: number, row: readonly number[]) => number): number[] =>
  [0, 3].map((from) => {
    const row = logits.slice(from, from + 3);
    return row.reduce((sum, one, i) => sum + term(one, targets[from + i] ?? 0, row), 0);
  });

const formulas: Record<(typeof lossNames)[number], number[]> = {
  "softmax-cross-entropy": rows(
    (one, target, row) => -target * (one - Math.log(row.reduce((sum, other) => sum + Math.exp(other), 0))),
  ),
  "logistic-cross-entropy": rows(
    (one, target) =>
      -target * Math.log(1 / (1 + Math.exp(-one))) - (1 - target) * Math.log(1 - 1 / (1 + Math.exp(-one))),
  ),
  "squared-error": rows((one, target) => (one - target) ** 2 / 2),
  margin: rows(
    (one, target) => target * Math.max(0, 0.9 - one) ** 2 + 0.5 * (1 - target) * Math.max(0, one - 0.1) ** 2,
  ),
};

describe.each(lossNames)("%s", (name) => {
  const loss = losses[name](z, t);

  it("is its formula, for each row", () => {
    const [result] = interpret([loss], { batch: 1, values });
    formulas[name].forEach((expected, row) => expect(result?.data[row]).toBeCloseTo(expected, 6));
  });

  it("has derivatives that equal finite differences", () => {
    for (const { error } of checkDerivatives(loss, [z], { batch: 1, values }))
      expect(error).toBeLessThan(1e-6);
  });
});
