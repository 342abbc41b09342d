// Figure: training error by epoch, one line per method; for the cases in which nothing else was measured.
import { methodName } from "../experiments/names.js";
import type { MetricsLine } from "../experiments/records.js";
import type { RunRecord } from "../experiments/run-record.js";
import { around, legend, lineChart, type Point, type Series } from "./chart.js";
import { epochAxis, splitsOf } from "./epochs.js";
import type { Figure } from "./figure.js";
import { casesOf, methodsOf } from "./methods.js";
import { groupBy, meanAndSpread } from "./table.js";

/** What is drawn: the first of these that was recorded. */
const measures = {
  error: { title: "Training error", label: "misread, %", scale: 100 },
  loss: { title: "Training loss", label: "loss", scale: 1 },
} as const;
type Measure = keyof typeof measures;

function pointsOf(lines: readonly MetricsLine[], measure: Measure): Point[] {
  const { scale } = measures[measure];
  const epochs = [...groupBy(lines, ({ epoch }) => epoch)].sort(([a], [b]) => a - b);
  return epochs.flatMap(([epoch, trials]) => {
    const values = trials.flatMap(({ metrics }) => metrics[measure] ?? []).filter(Number.isFinite);
    if (values.length === 0) return [];
    const { mean, spread } = meanAndSpread(values.map((value) => value * scale));
    return [around(epoch, mean, spread)];
  });
}

/** Powers of ten within the domain, with 2 and 5 between where they are few. */
function logTicks([low, high]: readonly [number, number]): number[] {
  const ticks: number[] = [];
  const digits = high > 500 * low ? [1] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    ticks.push(...digits.map((digit) => Number(`${digit}e${power}`)));
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** Logarithmic where the positive values span more than a factor of eight. */
function verticalAxis(points: readonly Point[]): {
  type: "linear" | "log";
  domain: readonly [number, number];
} {
  const positive = points.map(({ y }) => y).filter((y) => y > 0);
  const top = Math.max(...positive, 0);
  const bottom = Math.min(...positive, top);
  if (top > 8 * bottom) return { type: "log", domain: [bottom / 1.3, top * 1.2] };
  const ends = points.flatMap(({ y, band }) => band ?? [y]);
  return { type: "linear", domain: [Math.min(0, ...ends), Math.max(...ends, 1e-9) * 1.05] };
}

/** The record without the epochs of cases that have measured errors: those are drawn with them. */
function unmeasured(record: RunRecord): RunRecord {
  const cases = groupBy(record.metrics, (line) => line.case);
  const isMeasured = (of: string | undefined): boolean => splitsOf(cases.get(of) ?? []).length > 0;
  return { ...record, metrics: record.metrics.filter((line) => !isMeasured(line.case)) };
}

/** The training error (or loss) of every method; null where nothing was recorded, or other errors were measured. */
export async function errorCurves(whole: RunRecord): Promise<Figure | null> {
  const record = unmeasured(whole);
  const recorded = (measure: Measure): boolean => record.metrics.some(({ metrics }) => measure in metrics);
  const measure = recorded("error") ? "error" : "loss";
  const curves = casesOf(record)
    .map((of) => ({ case: of, series: seriesOf(record, of, measure) }))
    .filter(({ series }) => series.length > 0);
  if (curves.length === 0) return null;
  const { title, label } = measures[measure];
  const all = curves.flatMap(({ series }) => series.flatMap(({ points }) => points));
  const y = verticalAxis(all);
  const last = Math.max(...all.map(({ x }) => x));
  const charts = curves.map(({ case: of, series }) =>
    lineChart(series, {
      ...(of !== undefined && { title: of }),
      x: epochAxis(last),
      y: { label, ...y, ...(y.type === "log" ? { ticks: logTicks(y.domain) } : {}) },
      symbolEvery: Math.ceil(last / 12),
    }),
  );
  const drawn = methodsOf(record).filter((_, i) =>
    curves.some(({ series }) => series.some(({ index }) => index === i)),
  );
  const named = curves.flatMap(({ case: of, series }) =>
    series.map((each) => methodName({ case: of, method: each.label })),
  );
  return {
    name: "error-curves",
    title: `${title} by epoch`,
    caption: captionOf(measure, y.type === "log", all),
    alt: `${title} by epoch for ${named.join(", ")}.`,
    panels: [
      await legend(drawn.map((each) => ({ label: each, index: methodsOf(record).indexOf(each) }))),
      ...(await Promise.all(charts)),
    ],
  };
}

/** One line for each method of a case. */
const seriesOf = (record: RunRecord, of: string | undefined, measure: Measure): Series[] =>
  methodsOf(record)
    .map((label, index) => {
      const lines = record.metrics.filter((line) => line.case === of && line.method === label);
      return { label, index, points: pointsOf(lines, measure) };
    })
    .filter(({ points }) => points.length > 0);

function captionOf(measure: Measure, logarithmic: boolean, points: readonly Point[]): string {
  const what =
    measure === "error"
      ? "Share of training images misread, as each method saw them (perturbed where it perturbs)"
      : "Mean training loss, as each method computes it";
  const band = points.some(({ band }) => band !== null) ? " Mean and standard deviation over seeds." : "";
  const zeros = points.some(({ y }) => y <= 0) ? "; zeros lie on the lower edge" : "";
  return `${what}; mean over the batches of an epoch.${logarithmic ? ` Logarithmic scale${zeros}.` : ""}${band}`;
}
