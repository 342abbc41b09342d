// Figure: how the stored inputs of methods that move them changed from epoch to epoch (SGM's figure 5).
import type { InputUpdates } from "../experiments/input-updates.js";
import { methodName } from "../experiments/names.js";
import type { RunRecord } from "../experiments/run-record.js";
import { panel, panelWidth, text, type Figure, type Panel } from "./figure.js";
import { color } from "./palette.js";
import {
  changeOf,
  dataUri,
  divergingImage,
  divergingPixels,
  imagePixels,
  pixelImage,
  scaleBar,
} from "./pixels.js";
import { plural } from "./text.js";

const gap = 3;
/** Epochs and images that fit. */
const [mostEpochs, mostImages] = [9, 8];

const largest = (values: Float32Array): number => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

interface Changes {
  /** [epochs, height · width] of one image. */
  readonly updates: readonly Float32Array[];
  readonly totals: readonly Float32Array[];
}

const changesOf = ({ inputs, imageShape }: InputUpdates, at: number): Changes => {
  const [start, ...later] = inputs;
  const kept = later.slice(0, mostEpochs);
  return {
    updates: kept.map((after, i) => changeOf(inputs[i] ?? after, after, at, imageShape)),
    totals: kept.map((after) => changeOf(start ?? after, after, at, imageShape)),
  };
};

const imagesIn = ({ inputs, imageShape }: InputUpdates): number =>
  Math.min(mostImages, (inputs[0]?.length ?? 0) / imageShape.reduce((a, b) => a * b, 1));

/** One row for each image: the image, then `kind` after each epoch, each in the scale of its own largest pixel. */
async function rowsPanel(record: InputUpdates, kind: keyof Changes, title: string): Promise<Panel> {
  const { imageShape, inputs } = record;
  const [, height = 1, width = 1] = imageShape;
  const epochs = Math.min(mostEpochs, inputs.length - 1);
  const tile = (panelWidth - gap * epochs) / (epochs + 1);
  const tall = (tile * height) / width;
  const size = imageShape.reduce((a, b) => a * b, 1);
  const parts = [text(0, 15, `${methodName(record)}: ${title}`, { bold: true })];
  for (let epoch = 1; epoch <= epochs; epoch++)
    parts.push(
      text(epoch * (tile + gap) + tile / 2, 32, String(epoch), {
        size: 12,
        anchor: "middle",
        fill: color("muted"),
      }),
    );
  for (let at = 0; at < imagesIn(record); at++) {
    const y = 38 + at * (tall + gap);
    const original = inputs[0]?.subarray(at * size, (at + 1) * size) ?? new Float32Array();
    parts.push(pixelImage(0, y, tile, tall, await dataUri(imagePixels(original, imageShape))));
    for (const [i, values] of changesOf(record, at)[kind].entries()) {
      const uri = await dataUri(divergingPixels(values, [height, width], largest(values)));
      parts.push(divergingImage((i + 1) * (tile + gap), y, tile, tall, uri));
    }
  }
  return panel(38 + imagesIn(record) * (tall + gap), parts.join(""));
}

const digits = (value: number): string => String(Number(value.toPrecision(2)));

/** The largest change of any pixel within one epoch, and since the start. */
function sizesText(record: InputUpdates): string {
  const all = Array.from({ length: imagesIn(record) }, (_, at) => changesOf(record, at));
  const most = (kind: keyof Changes): string =>
    digits(Math.max(...all.flatMap((changes) => changes[kind].map(largest))));
  return `${methodName(record)}: ${most("updates")} within an epoch, ${most("totals")} since the start`;
}

/** Changes of the first stored inputs of each method's first seed; null where none were kept. */
export async function inputUpdates(record: RunRecord): Promise<Figure | null> {
  const all = record.inputUpdates;
  const firsts = all.filter(
    (each, i) => all.findIndex((other) => methodName(other) === methodName(each)) === i,
  );
  const [first] = firsts;
  if (first === undefined) return null;
  const panels: Panel[] = [];
  for (const each of firsts) {
    panels.push(await rowsPanel(each, "updates", "update in each epoch"));
    panels.push(await rowsPanel(each, "totals", "all updates so far"));
  }
  const bar =
    text(0, 12, "share of the tile's largest change", { size: 12, fill: color("muted") }) +
    scaleBar(0, 20, panelWidth, ["−1", "0", "+1"]);
  const sizes = firsts.map(sizesText).join("; ");
  const epochs = plural(Math.min(mostEpochs, first.inputs.length - 1), "epoch");
  return {
    name: "input-updates",
    title: "Updates of the stored inputs",
    caption: `The first training images and how their stored copies moved in the first ${epochs} (seed ${first.seed}); each tile in the scale of its own largest change: blue darker, red lighter, white unchanged. Largest changes of a pixel, in the units of ε: ${sizes}.`,
    alt: `Changes of ${plural(imagesIn(first), "training image")} after each of ${epochs}. Largest, in the units of ε: ${sizes}.`,
    panels: [...panels, { ...panel(48, bar), shared: true }],
  };
}
