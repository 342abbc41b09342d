// The results as rows of text, for the page, the Markdown file and the terminal alike.
import type { AuditFile, ResultsFile } from "../experiments/records.js";
import type { DataTable } from "./document.js";
import { attackGroups, cellText, recordsAt, tableOf } from "./table.js";
import { attackText, duration, epsilonText, integer, normText, percent, valueText } from "./text.js";

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
    rows: rows.map(({ name, clean, robust }) => ({
      name,
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

const quantileNames = [
  ["least", "nearest"],
  ["lower", "quarter"],
  ["median", "median"],
  ["upper", "three quarters"],
  ["most", "farthest"],
] as const;

/** How far the nearest adversarial points lie; null where no attack looked for them. */
export function distancesTable({ distances }: Pick<AuditFile, "distances">): DataTable | null {
  if (distances.length === 0) return null;
  return {
    caption: "Distances of the nearest adversarial points, input units",
    corner: "attack",
    columns: [...quantileNames.map(([, name]) => name), "found", "of"].map((name) => ({ group: null, name })),
    rows: distances.map(({ attack, norm, quantiles, found, n }) => ({
      name: `${attackText(attack)} ${normText(norm)}`,
      cells: [...quantileNames.map(([key]) => distanceText(quantiles[key])), integer(found), integer(n)],
    })),
  };
}

const distanceText = (distance: number | null | undefined): string =>
  distance === null || distance === undefined ? "–" : String(Number(distance.toPrecision(3)));

/** What each attack cost. */
export const timesTable = ({ times, environment }: Pick<AuditFile, "times" | "environment">): DataTable => ({
  caption: `Time by attack, on engines side by side: ${valueText(environment["jobs"])}`,
  corner: "attack",
  columns: ["ε", "time"].map((name) => ({ group: null, name })),
  rows: times.map(({ attack, suite, norm, epsilon, seconds }) => ({
    name: `${suite === undefined ? "" : `${attackText(suite)}: `}${attackText(attack)} ${normText(norm)}`,
    cells: [epsilon === null ? "nearest" : epsilonText(epsilon), duration(seconds)],
  })),
});
