// The results as rows of text, for the page, the Markdown file and the terminal alike.
import type { AuditFile, ResultsFile } from "../experiments/records.js";
import type { DataTable } from "./document.js";
import { attackGroups, cellText, recordsAt, tableOf } from "./table.js";
import { epsilonText, integer, percent } from "./text.js";

interface CellStyle {
  /** Between mean and spread. */
  readonly plusMinus?: string;
}

/** Methods × (clean, attacks × ε). */
export function resultsTable(results: ResultsFile, { plusMinus = " ± " }: CellStyle = {}): DataTable {
  const { groups, rows } = tableOf(results);
  const attacked = groups.flatMap(({ title, epsilons }) =>
    epsilons.map((epsilon) => ({ group: title, name: `ε ${epsilonText(epsilon)}` })),
  );
  return {
    caption: `Accuracy in % on ${results.dataset}, test split, clean and under attack`,
    corner: "method",
    columns: [{ group: null, name: "clean" }, ...attacked],
    rows: rows.map(({ method, clean, robust }) => ({
      name: method,
      cells: [clean, ...robust.flat()].map((cell) => cellText(cell, plusMinus)),
    })),
  };
}

/** As `resultsTable`, one row for each seed. */
export function seedsTable(results: ResultsFile): DataTable {
  const named = results.rows.map((row) => ({ ...row, method: `${row.method}, seed ${row.seed}` }));
  return { ...resultsTable({ ...results, rows: named }), corner: "method and seed" };
}

const numbers = ["ε", "accuracy", "images"].map((name) => ({ group: null, name }));
const words = ["labels", "targeted"].map((name) => ({ group: null, name, words: true }));

/** One row for each attack and radius. */
export function auditTable({ clean, robust, dataset, model }: AuditFile): DataTable {
  const attacked = attackGroups(robust).flatMap((group) =>
    group.epsilons.flatMap((epsilon) =>
      recordsAt(robust, group, epsilon).map(({ accuracy, n, labels, targeted }) => ({
        name: group.title,
        cells: [
          epsilonText(epsilon),
          percent(accuracy, n),
          integer(n),
          labels,
          targeted === true ? "yes" : "no",
        ],
      })),
    ),
  );
  return {
    caption: `Accuracy in % of ${model.file} on ${dataset.name}, ${dataset.split} split`,
    corner: "attack",
    columns: [...numbers, ...words],
    rows: [
      { name: "none (clean)", cells: ["0", percent(clean, dataset.n), integer(dataset.n), "–", "–"] },
      ...attacked,
    ],
  };
}
