// A run's results as rows of text, for the page, the Markdown file and the terminal alike.
import type { ResultsFile } from "../experiments/records.js";
import type { DataTable } from "./document.js";
import { cellText, tableOf } from "./table.js";
import { epsilonText } from "./text.js";

interface CellStyle {
  /** Between mean and spread. */
  readonly plusMinus?: string;
}

/** Methods × (clean, top-k, attacks × ε). */
export function resultsTable(results: ResultsFile, { plusMinus = " ± " }: CellStyle = {}): DataTable {
  const { tops, groups, rows } = tableOf(results);
  const attacked = groups.flatMap(({ title, epsilons }) =>
    epsilons.map((epsilon) => ({ group: title, name: `ε ${epsilonText(epsilon)}` })),
  );
  return {
    caption: `Accuracy in % on ${results.dataset}, test split, clean and under attack`,
    corner: "method",
    columns: [
      { group: null, name: "clean" },
      ...tops.map((k) => ({ group: null, name: `clean, top-${k}` })),
      ...attacked,
    ],
    rows: rows.map(({ name, clean, top, robust }) => ({
      name,
      cells: [clean, ...top, ...robust.flat()].map((cell) => cellText(cell, plusMinus)),
    })),
  };
}

/** As `resultsTable`, one row for each seed. */
export function seedsTable(results: ResultsFile): DataTable {
  const named = results.rows.map((row) => ({ ...row, method: `${row.method}, seed ${row.seed}` }));
  return { ...resultsTable({ ...results, rows: named }), corner: "method and seed" };
}
