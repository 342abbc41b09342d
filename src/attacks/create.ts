// Attacks by the word a user writes.
import { failUnknown } from "../base/errors.js";
import type { Attack, AttackFactory } from "./attack.js";
import * as attacks from "./index.js";

const known: Readonly<Record<string, AttackFactory>> = attacks;

/** Names of all attacks. */
export const attackNames: readonly string[] = Object.keys(known).sort();

/** The attack called `name` with `options`; throws with a did-you-mean when there is none. */
export function createAttack(name: string, options: unknown = {}, where = "attack"): Attack {
  const factory = Object.hasOwn(known, name) ? known[name] : undefined;
  // The factory checks its options itself, whatever their type.
  return (factory ?? failUnknown(where, "attack", name, attackNames))(options as never);
}

/** Whether `attack` is known to take one step only. */
export const isSingleStep = (attack: string): boolean =>
  attackNames.includes(attack) && createAttack(attack).kind === "single-step";
