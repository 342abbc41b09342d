// p-values of several tests held to one level together (Holm 1979, "A simple sequentially rejective …").
import { check } from "../../base/errors.js";

/**
 * Each p-value corrected for all of them: the i-th smallest of m becomes max over j ≤ i of (m − j + 1)·p₍ⱼ₎, at most 1.
 * Rejecting those below α errs anywhere with probability α at most, whatever the tests have to do with one another.
 */
export function holm(pValues: readonly number[]): number[] {
  check(
    pValues.every((p) => p >= 0 && p <= 1),
    "holm",
    "p-values in [0, 1]",
    () => pValues.join(", "),
  );
  const order = pValues.map((_, i) => i).sort((a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0));
  const corrected = new Array<number>(pValues.length).fill(1);
  let most = 0;
  order.forEach((at, rank) => {
    most = Math.max(most, Math.min(1, (pValues.length - rank) * (pValues[at] ?? 1)));
    corrected[at] = most;
  });
  return corrected;
}
