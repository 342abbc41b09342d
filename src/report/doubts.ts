// The doubts that diagnostics left in the records, each with what it is about.
import type { AuditFile, ResultsFile } from "../experiments/records.js";
import { methodName } from "../experiments/names.js";
import type { Doubt } from "./document.js";
import { stageNotes } from "./stages.js";
import { singleStepNotes } from "./strength.js";
import { groupBy } from "./table.js";

interface Found extends Omit<Doubt, "subject"> {
  /** The diagnostic's. */
  readonly name: string;
  readonly method: string;
  readonly seed: number;
  /** How many of its name the row has before it. */
  readonly nth: number;
}

const foundIn = (rows: ResultsFile["rows"]): Found[] =>
  rows.flatMap((row) =>
    (row.flags ?? []).map((flag, i, flags) => ({
      ...flag,
      ...{ method: methodName(row), seed: row.seed },
      nth: flags.slice(0, i).filter(({ name }) => name === flag.name).length,
    })),
  );

/** `every model`, or `a, seed 0; b, seeds 1, 2`. */
function modelsText(members: readonly Found[], all: number): string {
  if (members.length === all && all > 1) return "every model";
  const methods = [...groupBy(members, ({ method }) => method)].map(([method, own]) => {
    const seeds = own.map(({ seed }) => seed);
    return `${method}, ${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`;
  });
  return methods.join("; ");
}

/** Doubts about a run: what several models share is told once, and what the seeds of a method differ in by its first. */
export function runDoubts({ rows }: ResultsFile): Doubt[] {
  const equal = [
    ...groupBy(foundIn(rows), ({ name, message, remedy }) => JSON.stringify([name, message, remedy])),
  ];
  const shared = equal.map(([, members]) => members).filter(({ length }) => length > 1);
  const single = equal.flatMap(([, members]) => (members.length > 1 ? [] : members));
  const alike = groupBy(single, ({ method, name, nth }) => JSON.stringify([method, name, nth]));
  const doubts = [...shared, ...alike.values()];
  return doubts.flatMap((members) =>
    members.slice(0, 1).map(({ name, message, remedy, seed }) => ({
      subject: `${modelsText(members, rows.length)}: ${name}`,
      message: members.every((each) => each.message === message) ? message : `in seed ${seed}: ${message}`,
      remedy,
    })),
  );
}

/** `… in doubt: too-few-steps: a (0, 2), b (1); …`: which doubts the rows carry, of which models; null where none does. */
export function flagsText(rows: readonly ResultsFile["rows"][number][]): string | null {
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
  return `Doubts that the diagnostics raised, each about the whole model or some of its radii, with the seeds of the models in doubt: ${kinds.join("; ")}.`;
}

/** Notes that the figures of a run need. */
export function runNotes({ rows }: ResultsFile): string[] {
  const records = rows.flatMap(({ robust }) => robust);
  const flags = rows.flatMap(({ flags = [] }) => flags);
  return [...stageNotes(records, "column"), ...singleStepNotes(records, flags)];
}

/** Doubts about an audited model. */
export const auditDoubts = ({ flags }: AuditFile): Doubt[] =>
  flags.map(({ name, message, remedy }) => ({ subject: name, message, remedy }));
