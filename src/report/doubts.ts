// The doubts that diagnostics left in the records, each with what it is about.
import type { AuditFile, ResultsFile } from "../experiments/records.js";
import { methodName } from "../experiments/names.js";
import type { Doubt } from "./document.js";
import { stageNotes } from "./stages.js";
import { singleStepNotes } from "./strength.js";
import { groupBy } from "./table.js";

/** Doubts about a run, by method and seed; one that several models share is told once. */
export function runDoubts({ rows }: ResultsFile): Doubt[] {
  const found = rows.flatMap((row) =>
    (row.flags ?? []).map((flag) => ({ ...flag, model: `${methodName(row)}, seed ${row.seed}` })),
  );
  const equal = groupBy(found, ({ name, message, remedy }) => JSON.stringify([name, message, remedy]));
  return [...equal.values()].flatMap((members) =>
    members.slice(0, 1).map(({ name, message, remedy }) => ({
      subject: `${modelsText(members, rows.length)}: ${name}`,
      message,
      remedy,
    })),
  );
}

/** `… in doubt: too-few-steps: a (0, 2), b (1); …`: which doubts the rows carry, of which models; null where none does. */
export function flagsText(rows: ResultsFile["rows"]): string | null {
  const found = rows.flatMap((row) =>
    (row.flags ?? []).map(({ name }) => ({ name, method: methodName(row), seed: row.seed })),
  );
  if (found.length === 0) return null;
  const kinds = [...groupBy(found, ({ name }) => name)].map(([name, members]) => {
    if (
      new Set(members.map(({ method, seed }) => `${method} ${seed}`)).size === rows.length &&
      rows.length > 1
    )
      return `${name}: every model`;
    const models = [...groupBy(members, ({ method }) => method)].map(
      ([method, own]) => `${method} (${[...new Set(own.map(({ seed }) => seed))].join(", ")})`,
    );
    return `${name}: ${models.join(", ")}`;
  });
  return `Doubts that the diagnostics raised, with the seeds of the models in doubt: ${kinds.join("; ")}.`;
}

const modelsText = (members: readonly { readonly model: string }[], all: number): string =>
  members.length === all && all > 1 ? "every model" : members.map(({ model }) => model).join("; ");

/** Notes that the figures of a run need. */
export function runNotes({ rows }: ResultsFile): string[] {
  const records = rows.flatMap(({ robust }) => robust);
  const flags = rows.flatMap(({ flags = [] }) => flags);
  return [...stageNotes(records, "column"), ...singleStepNotes(records, flags)];
}

/** Doubts about an audited model. */
export const auditDoubts = ({ flags }: AuditFile): Doubt[] =>
  flags.map(({ name, message, remedy }) => ({ subject: name, message, remedy }));
