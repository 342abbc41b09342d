// What was measured beside what was printed: the difference, and whether it lies within the spread.
import { isSingleStep } from "../../attacks/create.js";
import { isTransfer } from "../../attacks/transfer.js";
import { bootstrapInterval, type BootstrapInterval } from "../../evaluation/statistics/bootstrap.js";
import { summarize, type Summary } from "../../evaluation/statistics/summary.js";
import { read } from "../measures.js";
import type { PublishedCell, PublishedTable } from "../published.js";
import type { ResultRow, RobustRecord } from "../records.js";

/**
 * `agrees`: |measured − printed| ≤ 2·√(s² + s′²), s the sample standard deviation over the seeds, s′ the printed one (0
 * where none is printed); `differs` where it is more; `undecided` where a single seed stands against a figure without
 * spread; `not-run` where there is no row.
 */
export type Agreement = "agrees" | "differs" | "undecided" | "not-run";

/** The attack of several steps that leaves least standing at a radius. */
export interface Iterated {
  readonly record: RobustRecord;
  /** Mean over the seeds, in %. */
  readonly accuracy: number;
}

export interface CellComparison {
  readonly cell: PublishedCell;
  /** Over the seeds, in %; null where it was not run. */
  readonly measured: Summary | null;
  /** Of the mean over seeds; null for fewer than three. */
  readonly interval: BootstrapInterval | null;
  /** Measured – the mean or the median, as the paper took it – less printed, in percentage points. */
  readonly difference: number | null;
  readonly agreement: Agreement;
  /** Epochs that were run where the paper ran more; null where they were as many or are not said. */
  readonly fewerEpochs: number | null;
  /** Beside a single step: what many leave at the same radius; null where none was run. */
  readonly iterated: Iterated | null;
}

/** Rows of the cell's case and method. */
export const rowsOf = (
  rows: readonly ResultRow[],
  { case: of, method }: Pick<PublishedCell, "case" | "method">,
): ResultRow[] => rows.filter((row) => row.case === of && row.method === method);

const samePlace = (record: RobustRecord, cell: PublishedCell): boolean =>
  record.norm === (cell.norm ?? "linf") && Math.abs(record.epsilon - (cell.epsilon ?? NaN)) < 1e-9;

/** What attacks of several steps leave of `rows` where `cell` has a single one. */
function iteratedOf(rows: readonly ResultRow[], cell: PublishedCell): Iterated | null {
  if (cell.attack === undefined || cell.from !== undefined || !isSingleStep(cell.attack)) return null;
  const [first] = rows;
  const rivals = (first?.robust ?? []).flatMap((record, i) => {
    if (!samePlace(record, cell) || isSingleStep(record.attack) || isTransfer(record.attack)) return [];
    const values = rows.flatMap(({ robust }) => robust[i]?.accuracy ?? []);
    return [{ record, accuracy: 100 * summarize(values).mean }];
  });
  const [least] = rivals.sort((a, b) => a.accuracy - b.accuracy);
  return least ?? null;
}

function agreementOf(difference: number, sd: number | null, printed: number | undefined): Agreement {
  if (sd === null && printed === undefined) return "undecided";
  const room = 2 * Math.hypot(sd ?? 0, printed ?? 0);
  // Equal up to the rounding of sums is equal.
  return Math.abs(difference) <= room + 1e-9 ? "agrees" : "differs";
}

function compare(rows: readonly ResultRow[], table: PublishedTable, cell: PublishedCell): CellComparison {
  const own = rowsOf(rows, cell);
  const values = own.flatMap((row) => read(row, cell) ?? []);
  if (values.length === 0) {
    const none = { measured: null, interval: null, difference: null, fewerEpochs: null, iterated: null };
    return { cell, ...none, agreement: "not-run" };
  }
  const measured = summarize(values);
  const difference = measured[table.statistic] - cell.value;
  const epochs = Math.max(...own.map((row) => row.epochs));
  return {
    cell,
    measured,
    difference,
    interval: values.length < 3 ? null : bootstrapInterval(values),
    agreement: agreementOf(difference, measured.sd, cell.spread),
    fewerEpochs: table.epochs === "more" || epochs < (table.epochs ?? 0) ? epochs : null,
    iterated: iteratedOf(own, cell),
  };
}

/** Every cell of a published table beside the rows of its case and method. */
export const besidePublished = (rows: readonly ResultRow[], table: PublishedTable): CellComparison[] =>
  table.cells.map((cell) => compare(rows, table, cell));
