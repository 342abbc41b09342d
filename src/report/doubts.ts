// The doubts that diagnostics left in the records, each with what it is about.
import type { AuditFile, ResultsFile } from "../experiments/records.js";
import type { Doubt } from "./document.js";

/** Doubts about a run, by method and seed. */
export const runDoubts = ({ rows }: ResultsFile): Doubt[] =>
  rows.flatMap(({ method, seed, flags = [] }) =>
    flags.map(({ name, message, remedy }) => ({
      subject: `${method}, seed ${seed}: ${name}`,
      message,
      remedy,
    })),
  );

/** Doubts about an audited model. */
export const auditDoubts = ({ flags }: AuditFile): Doubt[] =>
  flags.map(({ name, message, remedy }) => ({ subject: name, message, remedy }));
