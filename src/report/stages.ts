// Stages of suites: what their accuracies are, which each table that shows them must say.
import type { RobustRecord } from "../experiments/records.js";
import { attackText } from "./text.js";

/** One sentence for each suite of `records`, whose stages have a `place` each in the table; nothing where there are none. */
export function stageNotes(records: readonly RobustRecord[], place: "row" | "column"): string[] {
  const suites = [...new Set(records.flatMap(({ suite }) => suite ?? []))].map(attackText);
  return suites.map(
    (suite) =>
      `${suite}'s stages run one after another: a ${place} has what its stage and those before it leave.`,
  );
}
