// The share of images that no attack brought down.
import type { Outcome } from "./records.js";

/** What is left of `outcomes`, which share norm and ε. */
function worstOf(outcomes: readonly Outcome[], { record: { norm, epsilon, n, labels } }: Outcome): Outcome {
  const correct = new Uint8Array(n).map((_, i) => (outcomes.every((o) => o.correct[i] === 1) ? 1 : 0));
  const accuracy = correct.reduce((total, c) => total + c, 0) / n;
  return { record: { attack: "worst-case", norm, epsilon, accuracy, n, labels }, correct };
}

/** For each norm and ε of two attacks and more a record `worst-case`, over all of them; in the order they came in. */
export function worstCases(outcomes: readonly Outcome[]): Outcome[] {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = `${outcome.record.norm} ${outcome.record.epsilon}`;
    groups.set(key, [...(groups.get(key) ?? []), outcome]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    const attacks = new Set(
      group.map(({ record: { attack, suite = attack, options } }) => suite + JSON.stringify(options)),
    );
    return first === undefined || attacks.size < 2 ? [] : [worstOf(group, first)];
  });
}
