// What a recipe was run to answer, and the answer that its rows give, in words and as a table.
import { besidePublished } from "../experiments/comparison/beside.js";
import { leastPairs, pairedComparisons, type PairedComparison } from "../experiments/comparison/paired.js";
import { summarize } from "../evaluation/statistics/summary.js";
import type { PublishedTable } from "../experiments/published.js";
import type { PairedQuestion, Question, ReadingsQuestion } from "../experiments/questions.js";
import type { ResultRow } from "../experiments/records.js";
import type { KeptTrial } from "../experiments/kept-results.js";
import { read } from "../experiments/measures.js";
import { methodName } from "../experiments/names.js";
import { flagsText } from "./doubts.js";
import { heading, paragraph, type Block, type DataColumn, type DataTable } from "./document.js";
import { figureText, pairedVerdict, placeText, plusMinus, pText, signedText } from "./published.js";
import { costRatio, timesText } from "./training-costs.js";
import { plural } from "./text.js";

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** What each verdict is called, in the order in which they are said; pairs too few to decide come last. */
const said: readonly (readonly [PairedComparison["verdict"], string])[] = [
  ["better", "Better than"],
  ["worse", "Worse than"],
  ["sparser", "Sparser than"],
  ["denser", "Denser than"],
  ["no difference shown", "No difference shown from"],
  [null, "Too few seeds for a verdict against"],
];

/** Places that an answer names one by one. */
const mostNamed = 2;

/** `Better than standard: a (accuracy), b.` for each verdict that any comparison has; a method without places has it at all of them. */
function pairedAnswer(pairs: readonly PairedComparison[], control: string): string {
  const places = unique(pairs.map(({ place }) => placeText(place))).length;
  const parts = said.flatMap(([verdict, words]) => {
    const own = pairs.filter((each) => each.verdict === verdict);
    if (own.length === 0) return [];
    if (verdict === null && own.length === pairs.length) return [`${words} ${control}.`];
    const methods = unique(own.map(({ method }) => method)).map((method) => {
      const at = own.filter((each) => each.method === method).map(({ place }) => placeText(place));
      if (at.length === places) return method;
      return `${method} (${at.length <= mostNamed ? at.join("; ") : `${at.length} of ${places} places`})`;
    });
    return [`${words} ${control}: ${methods.join(", ")}.`];
  });
  return parts.join(" ");
}

const column = (name: string, { group = null, words = false }: Partial<DataColumn> = {}): DataColumn => ({
  group,
  name,
  words,
});

/** The figures of a method's rows at a place, in the order of the rows. */
const figuresAt = (rows: readonly ResultRow[], place: PairedComparison["place"], method: string): number[] =>
  rows
    .filter((row) => row.case === place.case && row.method === method)
    .flatMap((row) => read(row, place) ?? []);

function figureCell(values: readonly number[]): string {
  if (values.length === 0) return "–";
  const { mean, sd } = summarize(values);
  return plusMinus(mean, sd);
}

/** `, of 1,000 test images`, where the attacked places say how many; nothing where none is attacked. */
function imagesOf(rows: readonly ResultRow[], pairs: readonly PairedComparison[]): string {
  const cases = new Set(pairs.map(({ place }) => place.case));
  const counts = unique(
    rows.filter((row) => cases.has(row.case)).flatMap(({ robust }) => robust.map(({ n }) => n)),
  );
  return counts.length === 0 ? "" : `, of ${counts.map((n) => plural(n, "test image")).join(" or ")}`;
}

/** What each method's training took beside the control's, one column a case; none where nothing is known. */
function costColumns(
  kept: readonly KeptTrial[],
  control: string,
  pairs: readonly PairedComparison[],
): { readonly column: DataColumn; readonly cell: (method: string) => string }[] {
  const methods = unique(pairs.map(({ method }) => method));
  return unique(pairs.map(({ place }) => place.case)).flatMap((of) => {
    const ratio = (method: string): number | null =>
      costRatio(kept, methodName({ case: of, method }), methodName({ case: of, method: control }));
    if (methods.every((method) => ratio(method) === null)) return [];
    return [
      {
        column: column(`training, times ${control}'s`, { group: of ?? null }),
        cell: (method) => timesText(ratio(method)),
      },
    ];
  });
}

/** Mean ± sd over seeds of the control and of each method, one column a place, and what their training took. */
function measuredTable(
  rows: readonly ResultRow[],
  kept: readonly KeptTrial[],
  { control }: PairedQuestion,
  pairs: readonly PairedComparison[],
): DataTable {
  const costs = costColumns(kept, control, pairs);
  const places = [...new Map(pairs.map(({ place }) => [placeText(place), place])).values()];
  const methods = unique([control, ...pairs.map(({ method }) => method)]);
  return {
    caption: `Mean ± standard deviation over seeds, in %${imagesOf(rows, pairs)}`,
    corner: "method",
    columns: [
      ...places.map(({ case: of, ...place }) => column(placeText(place), { group: of ?? null })),
      ...costs.map((each) => each.column),
      column("seeds"),
    ],
    rows: methods.map((method) => {
      const figures = places.map((place) => figuresAt(rows, place, method));
      const seeds = unique(figures.map(({ length }) => length).filter((length) => length > 0));
      return {
        name: method,
        cells: [...figures.map(figureCell), ...costs.map(({ cell }) => cell(method)), seeds.join(", ")],
      };
    }),
  };
}

/** Places of the question at which nothing was run. */
function leftText({ places }: PairedQuestion, pairs: readonly PairedComparison[]): string[] {
  const run = new Set(pairs.map(({ place }) => placeText(place)));
  const left = places.map(placeText).filter((text) => !run.has(text));
  return left.length === 0 ? [] : [`Not run: ${left.join("; ")}.`];
}

/** The pairs that are enough to decide, beside the control. */
const decidedTable = (pairs: readonly PairedComparison[], control: string): DataTable => ({
  caption: `Beside ${control}, percentage points`,
  corner: "method and measure",
  columns: [
    ...["difference", "seeds", "p (Holm)"].map((name) => column(name)),
    column("verdict", { words: true }),
  ],
  rows: pairs.map((pair) => ({
    name: `${pair.method}, ${placeText(pair.place)}`,
    cells: [
      signedText(pair.difference),
      String(pair.test.pairs + pair.test.zeros),
      pText(pair.corrected),
      pairedVerdict(pair),
    ],
  })),
});

/** How the verdicts came about, or why there are none. */
function testText(pairs: readonly PairedComparison[], decided: number): string {
  const test = `Wilcoxon's signed-rank test, exact, two-sided; a pair is one seed; p (Holm) is corrected for ${pairs.length === 1 ? "this one test" : `all ${plural(pairs.length, "test")}`}, and decides at 5 % from ${leastPairs} seeds on`;
  const least = pText(Math.min(...pairs.map((pair) => pair.least)));
  return decided === 0 ? `${test}: with these seeds it cannot go below ${least}.` : `${test}.`;
}

function pairedBlocks(
  rows: readonly ResultRow[],
  kept: readonly KeptTrial[],
  question: PairedQuestion,
): Block[] {
  const { control, places } = question;
  const pairs = pairedComparisons(rows, { control, cells: places });
  if (pairs.length === 0) return [paragraph("Not run.")];
  const decided = pairs.filter(({ verdict }) => verdict !== null);
  const cases = new Set(pairs.map(({ place }) => place.case));
  const doubts = flagsText(rows.filter((row) => cases.has(row.case)));
  return [
    paragraph([pairedAnswer(pairs, control), ...leftText(question, pairs)].join(" ")),
    { kind: "table", table: measuredTable(rows, kept, question, pairs) },
    ...(doubts === null ? [] : [paragraph(doubts)]),
    ...(decided.length === 0 ? [] : [{ kind: "table" as const, table: decidedTable(decided, control) }]),
    paragraph(testText(pairs, decided.length)),
  ];
}

interface ReadingFit {
  readonly name: string;
  /** Behind each of its figures, the fewest. */
  readonly seeds: number;
  /** Cells, those of them that were run, and how many of these agree within spread. */
  readonly all: number;
  readonly run: number;
  readonly agree: number;
  /** Those of them that are of networks at chance, which agree with nothing. */
  readonly guessed: number;
  /** Mean of |measured − printed| over the cells that were run, percentage points. */
  readonly distance: number;
}

function fitsOf(
  rows: readonly ResultRow[],
  { readings }: ReadingsQuestion,
  table: PublishedTable,
): ReadingFit[] {
  const compared = besidePublished(rows, table);
  const guessing = new Set(
    rows.filter(({ flags }) => flags?.some(({ name }) => name === "at-chance")).map(({ method }) => method),
  );
  return Object.entries(readings).flatMap(([name, methods]) => {
    const cells = compared.filter(({ cell }) => methods.includes(cell.method));
    const own = cells.filter(({ measured }) => measured !== null);
    if (own.length === 0) return [];
    const guessed = own.filter(({ cell }) => guessing.has(cell.method)).length;
    const agree = own.filter(
      ({ agreement, cell }) => agreement === "agrees" && !guessing.has(cell.method),
    ).length;
    const distance = summarize(own.map(({ difference }) => Math.abs(difference ?? 0))).mean;
    const seeds = Math.min(...own.map(({ measured }) => measured?.n ?? 0));
    return [{ name, seeds, all: cells.length, run: own.length, agree, guessed, distance }];
  });
}

/** The readings that are nearest by either measure, of those that were run as a whole. */
function readingsAnswer(fits: readonly ReadingFit[], readings: number): string {
  const whole = fits.filter(({ all, run }) => run === all);
  const left = readings - whole.length;
  const open = left === 0 ? "" : ` Not run as a whole: ${plural(left, "reading")}.`;
  const [most] = whole.toSorted((a, b) => b.agree / b.run - a.agree / a.run || a.distance - b.distance);
  const [near] = whole.toSorted((a, b) => a.distance - b.distance);
  if (most === undefined || near === undefined) return `No reading was run as a whole.`;
  const seeds = Math.min(...whole.map((fit) => fit.seeds));
  const basis = ` This rests on ${plural(seeds, "seed")} and ${plural(most.run, "figure")} a reading.`;
  const off = ({ distance }: ReadingFit): string => `off by ${figureText(distance)} points in the mean`;
  const within = ({ agree, run }: ReadingFit): string =>
    agree === run
      ? "all its figures within spread"
      : `${agree} of its ${plural(run, "figure")} within spread`;
  const none = whole.some(({ agree, run }) => agree === run) ? "" : "None gives all the printed figures. ";
  const answer =
    most === near
      ? `Nearest comes ${most.name}: ${within(most)}, ${off(most)}.`
      : `Undecided: most figures within spread has ${most.name} (${within(most)}, ${off(most)}), the least distance ${near.name} (${within(near)}, ${off(near)}).`;
  return `${none}${answer}${basis}${open}`;
}

function readingsBlocks(
  rows: readonly ResultRow[],
  question: ReadingsQuestion,
  published: readonly PublishedTable[],
): Block[] {
  const table = published.find(({ source }) => source === question.source);
  const fits = table === undefined ? [] : fitsOf(rows, question, table);
  if (fits.length === 0) return [paragraph("Not run.")];
  const doubts = flagsText(rows);
  return [
    paragraph(readingsAnswer(fits, Object.keys(question.readings).length)),
    {
      kind: "table",
      table: {
        caption: `${question.source}: its figures by reading`,
        corner: "reading",
        columns: [
          "figures within spread",
          "figures of networks at chance",
          "mean distance, points",
          "seeds",
        ].map((name) => column(name)),
        rows: fits.map(({ name, run, agree, guessed, distance, seeds }) => ({
          name,
          cells: [`${agree} of ${run}`, String(guessed), figureText(distance), String(seeds)],
        })),
      },
    },
    ...(doubts === null ? [] : [paragraph(doubts)]),
  ];
}

export interface QuestionContext {
  readonly published: readonly PublishedTable[];
  /** Of headings, default 3. */
  readonly level?: 2 | 3;
  /** The trials with their times, where what training took is to be told. */
  readonly kept?: readonly KeptTrial[];
}

/** A recipe's questions, each under a heading of `level`, with the answers that `rows` give. */
export const questionBlocks = (
  rows: readonly ResultRow[],
  questions: readonly Question[],
  { published, level = 3, kept = [] }: QuestionContext,
): Block[] =>
  questions.flatMap((question) => [
    heading(level, question.ask),
    ...("readings" in question
      ? readingsBlocks(rows, question, published)
      : pairedBlocks(rows, kept, question)),
  ]);
