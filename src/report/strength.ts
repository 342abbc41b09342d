// Which attacks take a single step: what stands after them alone proves nothing.
import { isSingleStep } from "../attacks/create.js";
import type { FlagRecord, RobustRecord } from "../experiments/records.js";
import { attackText } from "./text.js";

export { isSingleStep };

/** What must stand under figures of single steps, unless there are none or a doubt says it already. */
export function singleStepNotes(records: readonly RobustRecord[], flags: readonly FlagRecord[]): string[] {
  const names = new Set(records.map(({ attack }) => attack).filter(isSingleStep));
  if (names.size === 0 || flags.some(({ name }) => name === "single-step-alone")) return [];
  return [
    `High accuracy under a single step (${[...names].map(attackText).join(", ")}) proves nothing: a network that hides its gradient withstands one step and falls to many.`,
  ];
}
