// Figure: the first layer's filters as images, per method, all on one scale.
import type { Gallery, RunRecord } from "../experiments/run-record.js";
import { methodName } from "../experiments/names.js";
import { panel, panelWidth, text, type Figure, type Panel } from "./figure.js";
import { color } from "./palette.js";
import { dataUri, divergingImage, divergingPixels, scaleBar } from "./pixels.js";
import { integer, plural } from "./text.js";

const columns = 8;
const rows = 4;
const gap = 4;

interface Filters {
  /** Of the method, with its case. */
  readonly name: string;
  /** Filters of the layer; null where the record does not say. */
  readonly total: number | null;
  readonly height: number;
  readonly width: number;
  /** [shown, height, width]. */
  readonly values: Float32Array;
  readonly shown: number;
}

/** The first filters of each method's first seed. */
function filtersOf(galleries: readonly Gallery[]): Filters[] {
  const seen = new Set<string>();
  return galleries.flatMap((each) => {
    const [name, { features }] = [methodName(each), each];
    if (features === null || seen.has(name)) return [];
    seen.add(name);
    const [count = 0, height = 0, width = 0] = features.shape;
    const shown = Math.min(count, columns * rows);
    const values = features.values.subarray(0, shown * height * width);
    return [{ name, total: features.total, height, width, shown, values }];
  });
}

/** The size that 99.5 % of the shown weights stay within, to two digits: a few outliers must not pale the rest. */
function scaleOf(filters: readonly Filters[]): number {
  const sizes = filters.flatMap(({ values }) => Array.from(values, Math.abs)).sort((a, b) => a - b);
  const bound = sizes[Math.ceil(sizes.length * 0.995) - 1] ?? 0;
  return Number(bound.toPrecision(2)) || Number.MIN_VALUE;
}

async function methodPanel(
  { name, height, width, values, shown }: Filters,
  note: string | null,
  scale: number,
): Promise<Panel> {
  const tile = (panelWidth - gap * (columns - 1)) / columns;
  const tall = (tile * height) / width;
  const parts = [text(0, 15, name, { bold: true })];
  if (note !== null) parts.push(text(0, 32, note, { size: 12, fill: color("muted") }));
  const top = note === null ? 24 : 41;
  for (let at = 0; at < shown; at++) {
    const filter = values.subarray(at * height * width, (at + 1) * height * width);
    const uri = await dataUri(divergingPixels(filter, [height, width], scale));
    const [x, y] = [(at % columns) * (tile + gap), top + Math.floor(at / columns) * (tall + gap)];
    parts.push(divergingImage(x, y, tile, tall, uri));
  }
  return panel(top + Math.ceil(shown / columns) * (tall + gap), parts.join(""));
}

/** `32 of 400 filters (28×28)`. */
const countText = ({ shown, total, height, width }: Filters): string => {
  const filters =
    total === null ? plural(shown, "filter") : `${integer(shown)} of ${plural(total, "filter")}`;
  return `${filters} (${height}×${width})`;
};

/** First-layer filters of every method; null where the first layer has no images. */
export async function features(record: RunRecord): Promise<Figure | null> {
  const filters = filtersOf(record.galleries).filter(({ shown }) => shown > 0);
  const counts = [...new Set(filters.map(countText))];
  const [first] = counts;
  if (first === undefined) return null;
  const isOne = counts.length === 1;
  const scale = scaleOf(filters);
  const panels: Panel[] = [];
  for (const each of filters) panels.push(await methodPanel(each, isOne ? null : countText(each), scale));
  const bar =
    text(0, 12, "weight", { size: 12, fill: color("muted") }) +
    scaleBar(0, 20, panelWidth, [`−${scale}`, "0", `+${scale}`]);
  const which = isOne ? `The first ${first} of each method.` : "The first filters of each method.";
  return {
    name: "features",
    title: "First-layer features",
    caption: `${which} One scale for all: blue −${scale}, white 0, red +${scale}; the 0.5 % of weights beyond it are shown at its ends.`,
    alt: `Weights of the first layer as images for ${filters.map(({ name }) => name).join(", ")}.`,
    panels: [...panels, { ...panel(48, bar), shared: true }],
  };
}
