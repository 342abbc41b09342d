// Figure: histograms of the hidden activations by method, with the share of exact zeros in words.
import { methodName } from "../experiments/names.js";
import type { ActivationRecord, ResultRow } from "../experiments/records.js";
import type { RunRecord } from "../experiments/run-record.js";
import { histogram, type Bar } from "./chart.js";
import type { Figure, Panel } from "./figure.js";
import { caseTitle, casesOf, methodsOf } from "./methods.js";
import { groupBy, meanAndSpread } from "./table.js";
import { integer, plural, shorten } from "./text.js";

type Counts = NonNullable<ActivationRecord["all"]>;

/** A bin is drawn where some method has this share of its activations there. */
const drawnFrom = 0.0005;

interface Histogram {
  /** Of the method, with its case. */
  readonly name: string;
  readonly case: string | undefined;
  readonly method: string;
  readonly bins: ActivationRecord["bins"];
  readonly n: number;
  readonly units: number;
  /** Exact zeros of each seed, shares. */
  readonly zeros: readonly number[];
  /** By bin: mean over the seeds, shares of all activations. */
  readonly shares: readonly number[];
  /** As it is said under the title. */
  readonly words: readonly string[];
}

const percent = (share: number): string => (share * 100).toFixed(1);

/** `39.2 %`, or `39.2 % (38.9 to 39.6)` where seeds differ. */
function rangeText(shares: readonly number[]): string {
  const [low, high] = [percent(Math.min(...shares)), percent(Math.max(...shares))];
  const mean = `${percent(meanAndSpread(shares).mean)} %`;
  return low === high ? mean : `${mean} (${low} to ${high})`;
}

function wordsOf(records: readonly ActivationRecord[], all: readonly Counts[]): string[] {
  const means = all.flatMap(({ mean }) => mean ?? []);
  const mean =
    means.length < all.length ? "mean not a number" : `mean ${meanAndSpread(means).mean.toFixed(3)}`;
  const sites = records[0]?.sites ?? [];
  const bySite = sites.map(({ site }, i) => {
    const zeros = records.flatMap((record) => record.sites[i]?.zeros ?? []);
    return `${site} ${percent(meanAndSpread(zeros).mean)} %`;
  });
  return [
    `exactly zero: ${rangeText(all.map(({ zeros }) => zeros))}; ${mean}`,
    ...(sites.length > 1 ? [shorten(bySite.join(", "), 54)] : []),
  ];
}

/** The histogram of a method, all of its seeds together; none where it has no hidden units. */
function histogramOf(name: string, rows: readonly ResultRow[]): Histogram[] {
  const records = rows.flatMap(({ activations }) => activations ?? []);
  const all = records.flatMap((record) => record.all ?? []);
  const [row, record, first] = [rows[0], records[0], all[0]];
  if (row === undefined || record === undefined || first === undefined) return [];
  const shares = first.counts.map(
    (_, i) => meanAndSpread(all.map(({ counts, units }) => (counts[i] ?? 0) / (record.n * units))).mean,
  );
  const { n, bins } = record;
  const zeros = all.map((each) => each.zeros);
  const about = { name, case: row.case, method: row.method, n, bins, units: first.units };
  return [{ ...about, zeros, shares, words: wordsOf(records, all) }];
}

/** The bins that are drawn, for all methods of a case: those around zero, and all that some method fills. */
function drawnBins(histograms: readonly Histogram[]): readonly [first: number, last: number] {
  const [{ bins, shares } = { bins: { low: 0, high: 0, width: 1 }, shares: [] }] = histograms;
  const zero = Math.round(-bins.low / bins.width);
  const filled = shares.flatMap((_, i) =>
    histograms.some((each) => (each.shares[i] ?? 0) >= drawnFrom) ? [i] : [],
  );
  return [Math.min(...filled, zero), Math.max(...filled, zero)];
}

async function panelOf(
  { case: of, method, bins, shares, words }: Histogram,
  index: number,
  [first, last]: readonly [number, number],
  top: number,
): Promise<Panel> {
  const at = (i: number): number => Number((bins.low + i * bins.width).toFixed(6));
  const bars = shares
    .slice(first, last + 1)
    .map((share, i): Bar => ({ from: at(first + i), to: at(first + i + 1), y: share * 100 }));
  return histogram(bars, {
    index,
    title: caseTitle(of, method),
    words,
    x: { label: "activation (zeros left out)", domain: [at(first), at(last + 1)] },
    y: { label: "of all activations, %", domain: [0, top * 105] },
  });
}

/** The methods of one case on one scale. */
function panelsOf(histograms: readonly Histogram[], methods: readonly string[]): Promise<Panel>[] {
  const drawn = drawnBins(histograms);
  const top = Math.max(...histograms.flatMap(({ shares }) => shares), 1e-9);
  return histograms.map((each) => panelOf(each, methods.indexOf(each.method), drawn, top));
}

/** Activations that no bin of the figure holds, the largest share. */
const beyond = (histograms: readonly Histogram[]): number => {
  const [first, last] = drawnBins(histograms);
  return Math.max(
    ...histograms.map(({ shares, zeros }) => {
      const inside = shares.slice(first, last + 1).reduce((a, b) => a + b, 0);
      return 1 - meanAndSpread(zeros).mean - inside;
    }),
  );
};

function captionOf(groups: readonly (readonly Histogram[])[]): string {
  const all = groups.flat();
  const [{ n, bins } = { n: 0, bins: { low: 0, high: 0, width: 0 } }] = all;
  const sizes = [...new Set(all.map(({ units }) => units))].sort((a, b) => a - b).map(integer);
  const outside = percent(Math.max(...groups.map(beyond), 0));
  const rest = outside === "0.0" ? "" : ` Up to ${outside} % lie beyond the axes.`;
  const seeds = all.some(({ zeros }) => zeros.length > 1)
    ? " Bars and shares are means over seeds; in brackets, the lowest and the highest seed."
    : "";
  return `All hidden units (${sizes.join(", ")}) on ${plural(n, "test image")}, bins of ${bins.width}, one scale for the methods of a case. Exact zeros are no part of the bars: their share stands above them.${rest}${seeds}`;
}

/** Histograms of the hidden activations of every method; null where none were measured. */
export async function hiddenActivations(record: RunRecord): Promise<Figure | null> {
  const all = [...groupBy(record.results.rows, methodName)].flatMap(([name, rows]) =>
    histogramOf(name, rows),
  );
  if (all.length === 0) return null;
  const groups = casesOf(record)
    .map((of) => all.filter((each) => each.case === of))
    .filter((group) => group.length > 0);
  const methods = methodsOf(record);
  const shares = all.map(({ name, zeros }) => `${name} ${rangeText(zeros)}`);
  return {
    name: "hidden-activations",
    title: "Hidden activations",
    caption: captionOf(groups),
    alt: `Histograms of the hidden activations; exactly zero are: ${shares.join(", ")}.`,
    panels: await Promise.all(groups.flatMap((group) => panelsOf(group, methods))),
  };
}
