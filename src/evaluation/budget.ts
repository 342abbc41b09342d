// What attacks asked of the model, brought together over their images.
import type { Passes } from "../attacks/passes.js";
import type { BudgetRecord, PassRecord } from "./records.js";
import type { Strike } from "./strike.js";

function passRecord(counts: readonly number[]): PassRecord {
  const total = counts.reduce((a, b) => a + b, 0);
  return {
    mean: counts.length === 0 ? 0 : total / counts.length,
    most: counts.reduce((a, b) => Math.max(a, b), 0),
    total,
  };
}

/** Passes of `struck`, strikes one after another on some of the same images. */
export function budgetOf(
  about: Omit<BudgetRecord, "n" | "forward" | "gradient">,
  struck: readonly Pick<Strike, "passes">[],
): BudgetRecord {
  const byImage = new Map<number, Passes>();
  for (const { passes } of struck)
    for (const [index, { forward, gradient }] of passes) {
      const before = byImage.get(index) ?? { forward: 0, gradient: 0 };
      byImage.set(index, { forward: before.forward + forward, gradient: before.gradient + gradient });
    }
  const all = [...byImage.values()];
  return {
    ...about,
    n: all.length,
    forward: passRecord(all.map(({ forward }) => forward)),
    gradient: passRecord(all.map(({ gradient }) => gradient)),
  };
}
