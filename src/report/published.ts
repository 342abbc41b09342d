// What was measured beside what the papers printed, and methods beside their control, with verdicts in words.
import { besidePublished, type Agreement, type CellComparison } from "../experiments/comparison/beside.js";
import {
  leastPairs,
  pairedComparisons,
  pooledComparisons,
  type PairedComparison,
  type PooledComparison,
} from "../experiments/comparison/paired.js";
import { measureOf } from "../experiments/measures.js";
import type { Place, PublishedTable } from "../experiments/published.js";
import type { ResultRow } from "../experiments/records.js";
import { heading, paragraph, type Block, type DataColumn, type DataTable } from "./document.js";
import { attackText, epsilonText, normText, optionsText, plural } from "./text.js";

/** A p-value: two digits, or less than 0.0001. */
export const pText = (p: number): string => (p < 1e-4 ? "< 0.0001" : String(Number(p.toPrecision(2))));

/** `p = 0.031` or `p < 0.0001`. */
const pIs = (p: number): string => (p < 1e-4 ? `p ${pText(p)}` : `p = ${pText(p)}`);

/** A figure in per cent, as papers print them. */
export const figureText = (value: number): string => value.toFixed(2);

export const signedText = (value: number): string =>
  `${value > 0 ? "+" : value < 0 ? "−" : "±"}${figureText(Math.abs(value))}`;

export const plusMinus = (value: number, spread: number | null | undefined): string =>
  spread === null || spread === undefined
    ? figureText(value)
    : `${figureText(value)} ± ${figureText(spread)}`;

/** ` under random-crop, severity 3`, ` under disturbances`. */
const corruptedText = (corruption: string | undefined, severity: number | undefined): string =>
  corruption === undefined
    ? ""
    : ` under ${corruption}${severity === undefined ? "" : `, severity ${severity}`}`;

/** `test error under FGSM L∞ ε 0.1 (2x400)`. */
export function placeText({
  case: of,
  measure,
  top,
  corruption,
  severity,
  attack,
  norm = "linf",
  epsilon,
  from,
  options,
}: Place): string {
  const own = options === undefined ? "" : ` (${optionsText(options)})`;
  const among = top === undefined ? "" : `top-${top} `;
  const under =
    attack === undefined
      ? corruptedText(corruption, severity)
      : ` under ${attackText(attack)} ${normText(norm)} ε ${epsilonText(epsilon ?? 0)}${own}${from === undefined ? "" : ` crafted on ${from}`}`;
  return `${of === undefined ? "" : `${of}: `}${among}${measureOf(measure).title}${under}`;
}

const agreementText = (agreement: Agreement, difference: number | null): string => {
  const by = `differs by ${signedText(difference ?? 0)}`;
  switch (agreement) {
    case "agrees":
      return "agrees within spread";
    case "differs":
      return by;
    case "undecided":
      return `${by}; one seed beside a figure without spread: no verdict`;
    case "not-run":
      return "not run";
  }
};

function verdictText(
  { agreement, difference, fewerEpochs }: CellComparison,
  { epochs }: PublishedTable,
): string {
  const scale =
    fewerEpochs === null
      ? ""
      : `not run at this scale (${epochs === "more" ? `${plural(fewerEpochs, "epoch")}, the paper's were more` : `${fewerEpochs} of ${epochs ?? 0} epochs`}): `;
  return scale + agreementText(agreement, difference);
}

interface Column extends DataColumn {
  readonly of: (compared: CellComparison) => string;
}

const none = "–";

/** Columns of the table; those that would be empty are left out. */
function columnsOf(table: PublishedTable, compared: readonly CellComparison[]): Column[] {
  const column = (name: string, of: Column["of"], words = false): Column => ({
    group: null,
    name,
    words,
    of,
  });
  const all = [
    column("printed", ({ cell }) => plusMinus(cell.value, cell.spread)),
    column("measured", ({ measured }) => (measured ? plusMinus(measured.mean, measured.sd) : none)),
    ...(table.statistic === "median"
      ? [column("median", ({ measured }) => (measured ? figureText(measured.median) : none))]
      : []),
    column("95 % interval", ({ interval }) =>
      interval ? `${figureText(interval.low)} to ${figureText(interval.high)}` : none,
    ),
    column("seeds", ({ measured }) => String(measured?.n ?? 0)),
    column("difference", ({ difference }) => (difference === null ? none : signedText(difference))),
    column("accuracy under many steps", ({ iterated }) =>
      iterated ? `${figureText(iterated.accuracy)} (${attackText(iterated.record.attack)})` : none,
    ),
    column("verdict", (each) => verdictText(each, table), true),
    column("note", ({ cell }) => cell.note ?? none, true),
  ];
  const optional = ["95 % interval", "accuracy under many steps", "note"];
  return all.filter(({ name, of }) => !optional.includes(name) || compared.some((each) => of(each) !== none));
}

function besideTable(table: PublishedTable, compared: readonly CellComparison[]): DataTable {
  const columns = columnsOf(table, compared);
  return {
    caption: `${table.source}: printed and measured, in %`,
    corner: "method and measure",
    columns,
    rows: compared.map((each) => ({
      name: `${each.cell.method}, ${placeText(each.cell)}`,
      cells: columns.map(({ of }) => of(each)),
    })),
  };
}

/** How the figures of the table came about, and when they agree. */
function besideNotes(table: PublishedTable, compared: readonly CellComparison[]): string[] {
  const { statistic, seeds, epochs, leftOut } = table;
  const runs = seeds === undefined ? "" : ` of ${plural(seeds, "run")}`;
  const trained =
    epochs === undefined
      ? ""
      : ` after ${epochs === "more" ? "more epochs, it is not said how many" : plural(epochs, "epoch")}`;
  const intervals = compared.flatMap(({ interval, measured }) =>
    interval && measured ? [{ ...interval, seeds: measured.n }] : [],
  );
  const few = Math.min(...intervals.map((each) => each.seeds)) < leastPairs;
  const interval = intervals[0];
  const steps = compared.filter(
    ({ cell, measured }) => cell.attack === "fgsm" && cell.from === undefined && measured !== null,
  );
  const alone = steps.filter(({ iterated }) => iterated === null);
  return [
    `Printed: ${statistic}${runs}${trained}. Measured: mean ± sample standard deviation over seeds${interval ? `; 95 % interval of the mean: ${interval.method}${few ? ", which of so few seeds is too narrow" : ""}` : ""}. A figure agrees where its ${statistic} lies within 2·√(s² + s′²) of the printed one: s is the standard deviation over the seeds, s′ the printed one, 0 where none is printed.`,
    ...(steps.length === 0
      ? []
      : [
          `What stands after FGSM, a single step, is no robust accuracy${alone.length === steps.length ? "; no attack of many steps was run at these radii" : ": beside it stands what the strongest attack of many steps leaves at the same radius"}.`,
        ]),
    ...(leftOut === undefined ? [] : [`Left out, or other than in print: ${leftOut}`]),
  ];
}

/** Whether the method is better, or why that cannot be said. */
export function pairedVerdict({ verdict, test, least, method, control }: PairedComparison): string {
  if (verdict === null) {
    const pairs = test.pairs + test.zeros;
    return pairs < leastPairs
      ? `no verdict below ${leastPairs} pairs: with ${pairs} p cannot go below ${2 ** (1 - pairs)}`
      : `no verdict: with ${pairs} pairs p (Holm) cannot go below ${pText(least)}`;
  }
  return verdict === "no difference shown" ? verdict : `${method} is ${verdict} than ${control}`;
}

function pairedTable({ source }: PublishedTable, pairs: readonly PairedComparison[]): DataTable {
  const column = (name: string, words = false): DataColumn => ({ group: null, name, words });
  return {
    caption: `${source}: methods against their control, seed by seed`,
    corner: "pair and measure",
    columns: [
      ...["difference", "p", "p (Holm)"].map((name) => column(name)),
      column("test", true),
      column("verdict", true),
    ],
    rows: pairs.map((each) => ({
      name: `${each.method} – ${each.control}, ${placeText(each.place)}`,
      cells: [
        signedText(each.difference),
        pText(each.test.p),
        pText(each.corrected),
        each.test.method,
        pairedVerdict(each),
      ],
    })),
  };
}

function pairedBlocks(table: PublishedTable, pairs: readonly PairedComparison[]): Block[] {
  if (pairs.length === 0) return [];
  return [
    { kind: "table", table: pairedTable(table, pairs) },
    paragraph(
      `A pair is one seed: both networks start from the same weights and see the same batches. Differences are of means, in percentage points; p (Holm) is corrected for the ${plural(pairs.length, "test")} of this table, and decides at 5 %.`,
    ),
  ];
}

const pooledText = ({ method, control, of, test, oneSided }: PooledComparison): string =>
  `${method} against ${control}, ${of === "printed" ? "printed figures" : "medians over seeds"}: ${test.method}: ${pIs(test.p)}; one-sided, that ${method} is better: ${pIs(oneSided.p)}.`;

function pooledBlocks(pooled: readonly PooledComparison[]): Block[] {
  if (pooled.length === 0) return [];
  const about =
    "All places of the table in one test, a pair for each: they share networks and test images, so the pairs are not independent and p is smaller than it should be.";
  return [paragraph([about, ...pooled.map(pooledText)].join(" "))];
}

/** One published table beside `rows`. */
export function publishedTableBlocks(rows: readonly ResultRow[], table: PublishedTable): Block[] {
  const compared = besidePublished(rows, table);
  return [
    heading(3, table.source),
    { kind: "table", table: besideTable(table, compared) },
    ...besideNotes(table, compared).map(paragraph),
    ...pairedBlocks(table, pairedComparisons(rows, table)),
    ...pooledBlocks(pooledComparisons(rows, table)),
  ];
}

/** All published tables beside `rows`, under a heading; nothing where there are none. */
export const publishedBlocks = (rows: readonly ResultRow[], tables: readonly PublishedTable[]): Block[] =>
  tables.length === 0
    ? []
    : [
        heading(2, "Beside the published figures"),
        ...tables.flatMap((table) => publishedTableBlocks(rows, table)),
      ];
