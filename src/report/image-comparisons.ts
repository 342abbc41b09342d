// Two models image by image: how many images each alone reads rightly, brought together over the seeds.
import { imageComparisons, imageRows, type ImageComparison } from "../experiments/comparison/images.js";
import { controlOf } from "../experiments/comparison/paired.js";
import type { CorrectFile } from "../experiments/correctness.js";
import type { PublishedTable } from "../experiments/published.js";
import type { ResultRow } from "../experiments/records.js";
import { paragraph, type Block, type DataTable } from "./document.js";
import { pText } from "./published.js";
import { attackGroups, groupBy } from "./table.js";
import { epsilonText, integer, plural } from "./text.js";

/** `PGD-40 L∞ ε 0.1`, `clean`. */
function conditionText({ record }: ImageComparison): string {
  if (record === null) return "clean";
  const [group] = attackGroups([record]);
  return `${group?.title ?? record.attack} ε ${epsilonText(record.epsilon)}`;
}

const nameOf = (each: ImageComparison): string =>
  `${each.case === undefined ? "" : `${each.case}: `}${each.method} – ${each.control}, ${conditionText(each)}`;

const mean = (values: readonly number[]): string =>
  integer(Math.round(values.reduce((total, value) => total + value, 0) / values.length));

/** Seeds whose models differ at 5 % after the correction, the method's on the better side. */
const decided = (seeds: readonly ImageComparison[], better: boolean): number =>
  seeds.filter(({ test, corrected }) => corrected < 0.05 && test.firstOnly > test.secondOnly === better)
    .length;

function tableOf(compared: readonly ImageComparison[]): DataTable {
  const columns = ["method alone", "control alone", "seeds", "better", "worse", "p (Holm), least"];
  return {
    caption:
      "Images that one model alone reads rightly, mean over seeds, and seeds in which that decides at 5 %",
    corner: "pair and images",
    columns: columns.map((name) => ({ group: null, name })),
    rows: [...groupBy(compared, nameOf)].map(([name, seeds]) => ({
      name,
      cells: [
        mean(seeds.map(({ test }) => test.firstOnly)),
        mean(seeds.map(({ test }) => test.secondOnly)),
        String(seeds.length),
        String(decided(seeds, true)),
        String(decided(seeds, false)),
        pText(Math.min(...seeds.map(({ corrected }) => corrected))),
      ],
    })),
  };
}

/** The method that the others are held against: that of the first table which has one, or `standard`. */
function controlIn(rows: readonly ResultRow[], tables: readonly PublishedTable[]): string | null {
  const methods = rows.map(({ method }) => method);
  const [first] = tables.flatMap((table) => controlOf(table, methods) ?? []);
  return first ?? controlOf({}, methods);
}

/** Every method's models against their control's, image by image; nothing where images were not kept. */
export function imageBlocks(
  rows: readonly ResultRow[],
  correct: Readonly<Record<string, CorrectFile>>,
  tables: readonly PublishedTable[],
): Block[] {
  const control = controlIn(rows, tables);
  const compared = control === null ? [] : imageComparisons(imageRows(rows, correct), control);
  if (compared.length === 0) return [];
  const sizes = [...new Set(compared.map(({ test }) => test.n))].map(integer).join(" or ");
  return [
    { kind: "table", table: tableOf(compared) },
    paragraph(
      `McNemar's exact test, two-sided, on ${sizes} images, for each method and seed against the control's model of the same seed; p (Holm) is corrected for all ${plural(compared.length, "test")}. It says whether these two networks differ, not whether the methods do: that is for the seeds to say.`,
    ),
  ];
}
