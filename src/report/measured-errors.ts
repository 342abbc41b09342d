// Figure: test and validation errors by epoch where they were measured, the training error beside them.
import { methodName } from "../experiments/names.js";
import type { MetricsLine } from "../experiments/records.js";
import type { RunRecord } from "../experiments/run-record.js";
import { legend, lineChart, type Point, type Series } from "./chart.js";
import { epochAxis, splitErrors, splitsOf, type MeasuredSplit } from "./epochs.js";
import type { Figure, Panel } from "./figure.js";
import { caseTitle, casesOf, methodsOf } from "./methods.js";
import { groupBy, meanAndSpread } from "./table.js";

const titles: Readonly<Record<MeasuredSplit, string>> = {
  test: "Test error",
  validation: "Validation error",
};

/** The share of the epochs whose errors need not fit. */
const beginning = 0.1;

/** The mean over seeds of a share at each epoch, in %, with the band from the lowest to the highest seed. */
function pointsOf(lines: readonly MetricsLine[], metric: string): Point[] {
  const epochs = [...groupBy(lines, ({ epoch }) => epoch)].sort(([a], [b]) => a - b);
  return epochs.flatMap(([x, trials]) => {
    const values = trials
      .flatMap(({ metrics }) => metrics[metric] ?? [])
      .filter(Number.isFinite)
      .map((share) => share * 100);
    if (values.length === 0) return [];
    const band = values.length > 1 ? ([Math.min(...values), Math.max(...values)] as const) : null;
    return [{ x, y: meanAndSpread(values).mean, band }];
  });
}

/** What lies at or below `top`, with the points where lines cross it; other points are gaps. */
function cut(points: readonly Point[], top: number): Point[] {
  return points.flatMap((point, i): Point[] => {
    const before = points[i - 1];
    const isIn = point.y <= top;
    const own: Point = isIn ? point : { x: point.x, y: NaN, band: null };
    if (before === undefined || before.y <= top === isIn) return [own];
    const x = before.x + ((top - before.y) / (point.y - before.y)) * (point.x - before.x);
    const crossing: Point = { x, y: top, band: null };
    return [crossing, own];
  });
}

interface Curves {
  readonly case: string | undefined;
  readonly split: MeasuredSplit;
  /** Errors on the split's images. */
  readonly measured: readonly Series[];
  /** Errors in training. */
  readonly training: readonly Series[];
}

function curvesOf(record: RunRecord, of: string | undefined): Curves[] {
  const lines = record.metrics.filter((line) => line.case === of);
  const seriesOf = (metric: string): Series[] =>
    methodsOf(record)
      .map((label, index) => {
        const own = lines.filter(({ method }) => method === label);
        return { label, index, points: pointsOf(own, metric) };
      })
      .filter(({ points }) => points.length > 0);
  return splitsOf(lines).map((split) => ({
    case: of,
    split,
    measured: seriesOf(splitErrors[split]),
    training: seriesOf("error"),
  }));
}

const pointsIn = (series: readonly Series[]): Point[] => series.flatMap(({ points }) => points);

/** The epoch of the last measurement, and a tenth above the largest error measured once the beginning is over. */
function endsOf(curves: readonly Curves[]): { readonly last: number; readonly top: number } {
  const points = curves.flatMap(({ measured }) => pointsIn(measured));
  const last = Math.max(...points.map(({ x }) => x));
  const late = points.filter(({ x }) => x >= Math.ceil(last * beginning));
  const errors = late.map(({ y, band }) => band?.[1] ?? y);
  return { last, top: Math.max(...errors, 1e-9) * 1.1 };
}

/** The panels of one case: one for each split, on one scale. */
function panelsOf(curves: readonly Curves[]): Promise<Panel>[] {
  const { last, top } = endsOf(curves);
  const inside = (series: readonly Series[]): Series[] =>
    series.map((each) => ({ ...each, points: cut(each.points, top) }));
  return curves.map(({ case: of, split, measured, training }) =>
    lineChart([...inside(training).map((each) => ({ ...each, thin: true })), ...inside(measured)], {
      title: of === undefined ? titles[split] : caseTitle(of, titles[split].toLowerCase()),
      x: epochAxis(last),
      y: { label: "misread, %", type: "linear", domain: [0, top] },
      symbolEvery: Math.ceil(Math.max(...measured.map(({ points }) => points.length)) / 12),
    }),
  );
}

function captionOf(cases: readonly (readonly Curves[])[]): string {
  const curves = cases.flat();
  const isBanded = curves.some(({ measured }) => pointsIn(measured).some(({ band }) => band !== null));
  const isTraining = curves.some(({ training }) => training.length > 0);
  const isCut = cases.some((each) => {
    const { top } = endsOf(each);
    return each.some(({ measured, training }) =>
      pointsIn([...measured, ...training]).some(({ y }) => y > top),
    );
  });
  return [
    "Share of images misread by the weights after each epoch, in evaluation mode.",
    isBanded ? "Lines: mean over seeds; bands: from the lowest seed to the highest." : "",
    isTraining
      ? "Thin dashes: the training error as each method saw its images (perturbed where it perturbs), mean over the batches of an epoch."
      : "",
    isCut
      ? "The axis ends a tenth above the largest measured error after the first tenth of the epochs; lines are cut there."
      : "",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

/** Test and validation errors of every method; null where none were measured. */
export async function measuredErrors(record: RunRecord): Promise<Figure | null> {
  const cases = casesOf(record)
    .map((of) => curvesOf(record, of))
    .filter((each) => each.length > 0);
  const curves = cases.flat();
  if (curves.length === 0) return null;
  const methods = methodsOf(record);
  const drawn = methods.filter((_, i) =>
    curves.some(({ measured }) => measured.some(({ index }) => index === i)),
  );
  const names = curves.flatMap(({ case: of, measured }) =>
    measured.map(({ label }) => methodName({ case: of, method: label })),
  );
  const splits = [...new Set(curves.map(({ split }) => titles[split]))].join(" and ");
  const panels = cases.flatMap(panelsOf);
  return {
    name: "measured-errors",
    title: `${splits} by epoch`,
    caption: captionOf(cases),
    alt: `${splits} by epoch for ${[...new Set(names)].join(", ")}.`,
    panels: [
      await legend(drawn.map((label) => ({ label, index: methods.indexOf(label) }))),
      ...(await Promise.all(panels)),
    ],
  };
}
