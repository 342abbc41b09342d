// Charts by Observable Plot in a document of jsdom; both are loaded once, when the first chart is drawn.
import type { Markish, PlotOptions } from "@observablehq/plot";
import { fontSize, panel, panelWidth, text, textWidth, type Panel } from "./figure.js";
import { styleOf } from "./palette.js";
import { shorten } from "./text.js";

type PlotModule = typeof import("@observablehq/plot");

export interface Charting {
  readonly Plot: PlotModule;
  /** The chart's SVG as well-formed XML, numbers rounded to 0.01. */
  draw(options: PlotOptions): string;
}

let loading: Promise<Charting> | undefined;

/** Plot with a document to draw in. */
const charting = (): Promise<Charting> => (loading ??= load());

async function load(): Promise<Charting> {
  const [{ JSDOM }, Plot] = await Promise.all([import("jsdom"), import("@observablehq/plot")]);
  const { window } = new JSDOM("");
  const serializer = new window.XMLSerializer();
  const draw = (options: PlotOptions): string => {
    const chart = Plot.plot({ ...options, document: window.document, className: "chart" });
    chart.querySelector("style")?.remove();
    return rounded(serializer.serializeToString(chart)).replaceAll("</g><g", "</g>\n<g");
  };
  return { Plot, draw };
}

/** Coordinates in attributes to two decimals: shorter, and the same on every machine. */
const rounded = (svg: string): string =>
  svg.replace(/ (?:d|transform|x|y|x1|x2|y1|y2|cx|cy|r)="[^"]*"/g, (attribute) =>
    attribute.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (number) => String(Number(Number(number).toFixed(2)))),
  );

/** A line of a chart: what is measured at each x, over one or several seeds. */
export interface Series {
  readonly label: string;
  /** Decides colour and symbol; the same for the same method in every figure. */
  readonly index: number;
  readonly points: readonly Point[];
  /** A thin dashed line without symbols, for what stands beside the matter; default a line with symbols. */
  readonly thin?: boolean;
}

export interface Point {
  readonly x: number;
  /** Not a number where the line has a gap. */
  readonly y: number;
  /** Ends of the band around y; null where there is none. */
  readonly band: readonly [low: number, high: number] | null;
}

/** The point (x, mean) with a band of `spread` to both sides. */
export const around = (x: number, mean: number, spread: number | null): Point => ({
  x,
  y: mean,
  band: spread === null ? null : [mean - spread, mean + spread],
});

export interface Axes {
  /** Above the chart; absent where the figure has but one. */
  readonly title?: string;
  readonly x: {
    readonly label: string;
    readonly domain: readonly [number, number];
    readonly ticks: readonly number[];
    readonly format?: (value: number) => string;
  };
  readonly y: {
    readonly label: string;
    readonly type: "linear" | "log";
    readonly domain: readonly [number, number];
    readonly ticks?: readonly number[];
  };
  /** Draw a symbol at every n-th point only. */
  readonly symbolEvery?: number;
}

const titleHeight = 20;
const chartHeight = 250;
const margins = { marginTop: 30, marginRight: 14, marginBottom: 42, marginLeft: 46 };

function lineMarks({ Plot }: Charting, { index, points, thin = false }: Series, axes: Axes): Markish[] {
  const { color, symbol } = styleOf(index);
  const [low, high] = axes.y.domain;
  const inside = (y: number): number => Math.min(Math.max(y, low), high);
  const banded = points.filter(({ band }) => band !== null);
  const marked = points.filter((_point, i) => i % (axes.symbolEvery ?? 1) === 0 || i === points.length - 1);
  const y = (point: Point): number => inside(point.y);
  if (thin)
    return [Plot.lineY(points, { x: "x", y, stroke: color, strokeWidth: 1.2, strokeDasharray: "5,3" })];
  return [
    Plot.areaY(banded, {
      x: "x",
      y1: (point: Point) => inside(point.band?.[0] ?? NaN),
      y2: (point: Point) => inside(point.band?.[1] ?? NaN),
      fill: color,
      fillOpacity: 0.18,
    }),
    Plot.lineY(points, { x: "x", y, stroke: color, strokeWidth: 2 }),
    Plot.dot(marked, { x: "x", y, fill: color, symbol, r: 4 }),
  ];
}

/** One panel of lines. */
export async function lineChart(series: readonly Series[], axes: Axes): Promise<Panel> {
  const chart = await charting();
  const { x, y } = axes;
  const svg = chart.draw({
    ...margins,
    width: panelWidth,
    height: chartHeight,
    style: { fontSize: `${fontSize}px`, fontFamily: "inherit" },
    x: {
      label: x.label,
      labelAnchor: "center",
      labelArrow: "none",
      domain: x.domain,
      ticks: [...x.ticks],
      ...(x.format ? { tickFormat: x.format } : {}),
    },
    y: {
      label: y.label,
      labelArrow: "none",
      type: y.type,
      domain: y.domain,
      grid: true,
      tickFormat: (value: number) => String(Number(value.toPrecision(6))),
      ...(y.ticks ? { ticks: [...y.ticks] } : {}),
    },
    marks: series.flatMap((each) => lineMarks(chart, each, axes)),
  });
  if (axes.title === undefined) return panel(chartHeight, svg);
  const below = svg.replace("<svg ", `<svg y="${titleHeight}" `);
  return panel(titleHeight + chartHeight, text(0, 13, axes.title, { bold: true }) + below);
}

/** A bar of a histogram. */
export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly y: number;
}

export interface HistogramAxes {
  /** Decides the colour. */
  readonly index: number;
  readonly title: string;
  /** Lines under the title. */
  readonly words: readonly string[];
  readonly x: { readonly label: string; readonly domain: readonly [number, number] };
  readonly y: { readonly label: string; readonly domain: readonly [number, number] };
}

/** One panel of bars. */
export async function histogram(
  bars: readonly Bar[],
  { index, title, words, x, y }: HistogramAxes,
): Promise<Panel> {
  const { Plot, ...chart } = await charting();
  const svg = chart.draw({
    ...margins,
    width: panelWidth,
    height: chartHeight,
    style: { fontSize: `${fontSize}px`, fontFamily: "inherit" },
    x: { ...x, labelAnchor: "center", labelArrow: "none" },
    y: { ...y, labelArrow: "none", grid: true, ticks: 5 },
    marks: [
      Plot.rectY(bars, { x1: "from", x2: "to", y: "y", fill: styleOf(index).color, inset: 0.4 }),
      Plot.ruleY([0]),
    ],
  });
  const top = titleHeight + words.length * 17 + 4;
  const lines = words.map((line, i) => text(0, titleHeight + 12 + i * 17, line, { size: 12 }));
  const below = svg.replace("<svg ", `<svg y="${top}" `);
  return panel(top + chartHeight, text(0, 13, title, { bold: true }) + lines.join("") + below);
}

const legendRow = 22;

/** Symbol, colour and name of each series, in as many rows as they need. */
export async function legend(series: readonly Pick<Series, "label" | "index">[]): Promise<Panel> {
  const chart = await charting();
  const placed: { label: string; index: number; x: number; y: number }[] = [];
  let [x, y] = [8, legendRow / 2];
  for (const { label, index } of series) {
    const name = shorten(label, 44);
    const width = 10 + textWidth(name) + 18;
    if (x > 8 && x + width - 18 > panelWidth) [x, y] = [8, y + legendRow];
    placed.push({ label: name, index, x, y });
    x += width;
  }
  const height = y + legendRow / 2;
  const svg = chart.draw({
    width: panelWidth,
    height,
    margin: 0,
    axis: null,
    x: { type: "identity" },
    y: { type: "identity" },
    style: { fontSize: `${fontSize}px`, fontFamily: "inherit" },
    marks: placed.flatMap((each) => [
      chart.Plot.dot([each], { x: "x", y: "y", ...dotStyle(each.index) }),
      chart.Plot.text([each], {
        x: "x",
        y: "y",
        text: "label",
        dx: 10,
        textAnchor: "start",
        fill: "currentColor",
      }),
    ]),
  });
  return { ...panel(height, svg), shared: true };
}

function dotStyle(index: number): { fill: string; symbol: ReturnType<typeof styleOf>["symbol"]; r: number } {
  const { color, symbol } = styleOf(index);
  return { fill: color, symbol, r: 5 };
}
