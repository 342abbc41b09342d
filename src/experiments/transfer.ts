// Attacks crafted on other models and tried on this one: which of those asked for, and on what.
import { canTransfer, checkTransfer, transferFrom, type TransferSource } from "../attacks/transfer.js";
import type { Attack } from "../attacks/attack.js";
import { attackNames, createAttack } from "../attacks/create.js";
import { check } from "../base/errors.js";
import type { Trial } from "../evaluation/evaluate.js";
import type { Classifier } from "../nn/model.js";
import { findThreat } from "../threat/find.js";

/** Whether points of `attack`, or of some stage of it, can be tried on other models; suites always have such stages. */
const transfers = (attack: Attack): boolean => canTransfer(attack) || attack.stages !== undefined;

/**
 * Throws where none of `attacks` can be crafted on another model; returns the names of those that cannot, since they
 * follow no gradient within a fixed ε.
 */
export function checkCrafting(where: string, attacks: readonly Attack[]): string[] {
  const left = attacks.filter((attack) => !transfers(attack)).map(({ name }) => name);
  const able = attackNames.filter((name) => transfers(createAttack(name))).join(", ");
  check(
    left.length < attacks.length,
    where,
    `an attack that follows gradients within a fixed ε (${able})`,
    () => left.join(", ") || "none",
  );
  return left;
}

/** The parts of `trial`'s attack that can be crafted on `source`, each as an attack that goes on after success. */
function craftedOn(source: TransferSource, { attack, norm }: Trial): Attack[] {
  const target = { classifier: source.classifier, threat: findThreat(norm) };
  const parts = attack.stages?.(target) ?? [attack];
  return parts.filter(canTransfer).map((part) => transferFrom(source, part.unresting?.() ?? part));
}

/** What tells one trial from another. */
const keyOf = ({ attack: { name, options }, norm, epsilons, targeted }: Trial): string =>
  JSON.stringify([name, options, norm, epsilons, targeted]);

/** `trials` crafted on each of `sources` in place of `classifier`, none twice; what cannot be crafted there is left out. */
export function transferTrials(
  classifier: Classifier,
  trials: readonly Trial[],
  sources: readonly TransferSource[],
): Trial[] {
  for (const source of sources) checkTransfer(source, classifier.model);
  const all = sources.flatMap((source) =>
    trials.flatMap((trial) => craftedOn(source, trial).map((attack) => ({ ...trial, attack }))),
  );
  const keys = all.map(keyOf);
  return all.filter((_, i) => keys.indexOf(keys[i] ?? "") === i);
}
