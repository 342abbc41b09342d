// Attacks after which what stands proves nothing: those of a single step, and points crafted on other models.
import { isSingleStep } from "../attacks/create.js";
import { isTransfer } from "../attacks/transfer.js";
import type { FlagRecord, RobustRecord } from "../experiments/records.js";
import { attackText } from "./text.js";

export { isSingleStep };

/** Whether an attack of this name tries often on the model itself, so that what withstands it says something. */
export const isTelling = (attack: string): boolean =>
  attack !== "worst-case" && !isSingleStep(attack) && !isTransfer(attack);

/** What `attacks`, none of them telling, are: `single steps and points crafted on other models`. */
export function weakKinds(attacks: readonly string[]): string {
  const kinds = [
    ...(attacks.some(isSingleStep) ? ["single steps"] : []),
    ...(attacks.some(isTransfer) ? ["points crafted on other models"] : []),
  ];
  return kinds.join(" and ");
}

/** What must stand under figures of single steps, unless there are none or a doubt says it already. */
export function singleStepNotes(records: readonly RobustRecord[], flags: readonly FlagRecord[]): string[] {
  const names = new Set(records.map(({ attack }) => attack).filter(isSingleStep));
  if (names.size === 0 || flags.some(({ name }) => name === "single-step-alone")) return [];
  return [
    `High accuracy under a single step (${[...names].map(attackText).join(", ")}) proves nothing: a network that hides its gradient withstands one step and falls to many.`,
  ];
}
