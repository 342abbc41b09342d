// Figure: the first test images, what an attack made of them, and the difference, per method.
import { methodName } from "../experiments/names.js";
import type { AuditFile } from "../experiments/records.js";
import type { Gallery, RunRecord } from "../experiments/run-record.js";
import { panel, panelWidth, text, type Figure, type Panel } from "./figure.js";
import { color } from "./palette.js";
import { attackGroups } from "./table.js";
import {
  changeOf,
  dataUri,
  divergingImage,
  divergingPixels,
  imagePixels,
  pixelImage,
  scaleBar,
} from "./pixels.js";
import { attackText, epsilonText, normText, plural } from "./text.js";

const shown = 8;
const gap = 6;

/** The first seed's gallery of each method. */
const firstGalleries = (galleries: readonly Gallery[]): Gallery[] =>
  galleries.filter((each, i) => galleries.findIndex((other) => methodName(other) === methodName(each)) === i);

const imageSizeOf = ({ imageShape }: Gallery): number => imageShape.reduce((size, each) => size * each, 1);

/** Adversarial minus original of one image: [height, width]. */
const perturbation = ({ originals, adversarial, imageShape }: Gallery, at: number): Float32Array =>
  changeOf(originals, adversarial, at, imageShape);

/** ε for the L∞ norm; else the largest change of any shown pixel. */
function scaleOf(galleries: readonly Gallery[]): number {
  const largest = (gallery: Gallery): number => {
    if (gallery.attack.norm === "linf") return gallery.attack.epsilon;
    const changes = gallery.labels.slice(0, shown).keys();
    return Math.max(...Array.from(changes, (at) => Math.max(...perturbation(gallery, at).map(Math.abs))));
  };
  return Math.max(...galleries.map(largest));
}

/** A predicted class; a wrong one is struck by a cross, framed and in bold, and says so in its shape. */
export function verdict(x: number, y: number, predicted: number, label: number): string {
  const right = predicted === label;
  const style = right ? ({ fill: color("muted") } as const) : ({ bold: true } as const);
  return text(x, y, `${predicted} ${right ? "✓" : "✗"}`, { anchor: "middle", size: 12, ...style });
}

interface Row {
  readonly title: string;
  readonly uri: (at: number) => Promise<string>;
  readonly predictions?: Int32Array;
}

function rowsOf(gallery: Gallery, scale: number): Row[] {
  const { imageShape, originals, adversarial, predictions, adversarialPredictions } = gallery;
  const size = imageSizeOf(gallery);
  const image = (values: Float32Array) => (at: number) =>
    dataUri(imagePixels(values.subarray(at * size, (at + 1) * size), imageShape));
  return [
    { title: "original", uri: image(originals), predictions },
    { title: "adversarial", uri: image(adversarial), predictions: adversarialPredictions },
    {
      title: "perturbation",
      uri: (at) => dataUri(divergingPixels(perturbation(gallery, at), imageShape.slice(1), scale)),
    },
  ];
}

async function methodPanel(gallery: Gallery, scale: number): Promise<Panel> {
  const count = Math.min(shown, gallery.labels.length);
  const side = (panelWidth - gap * (shown - 1)) / shown;
  const parts = [text(0, 15, methodName(gallery), { bold: true })];
  let y = 24;
  for (const { title, uri, predictions } of rowsOf(gallery, scale)) {
    parts.push(text(0, y + 12, title, { size: 12, fill: color("muted") }));
    y += 18;
    for (let at = 0; at < count; at++) {
      const x = at * (side + gap);
      const [predicted, label] = [predictions?.[at] ?? -1, gallery.labels[at] ?? -1];
      parts.push((predictions ? pixelImage : divergingImage)(x, y, side, side, await uri(at)));
      if (!predictions) continue;
      if (predicted !== label) parts.push(frame(x, y, side));
      parts.push(verdict(x + side / 2, y + side + 15, predicted, label));
    }
    y += side + (predictions ? 24 : 8);
  }
  return panel(y, parts.join(""));
}

/** A frame around the image of a wrong prediction. */
const frame = (x: number, y: number, side: number): string =>
  `<rect x="${x}" y="${y}" width="${side}" height="${side}" fill="none" stroke="${color("doubt")}" stroke-width="3"/>`;

const scalePanel = (scale: string): Panel => ({
  ...panel(
    48,
    text(0, 12, "perturbation, in the units of ε", { size: 12, fill: color("muted") }) +
      scaleBar(0, 20, panelWidth, [`−${scale}`, "0", `+${scale}`]),
  ),
  shared: true,
});

/** Images that fell worst, out of all that were attacked. */
export async function worstImages(
  gallery: Gallery,
  { dataset, robust }: Pick<AuditFile, "dataset" | "robust">,
): Promise<Figure> {
  const { attack, norm, epsilon } = gallery.attack;
  const scale = scaleOf([gallery]);
  const group = attackGroups(robust).find(
    (each) => each.attack === attack && each.suite === null && each.norm === norm,
  );
  const title = group?.title ?? attackText(attack);
  const isNearest = !robust.some((each) => each.attack === attack && each.epsilon === epsilon);
  const which = isNearest
    ? `those that ${title} brings down by the smallest changes (${normText(norm)}, up to ${epsilonText(epsilon)})`
    : `those that the strongest attack, ${title}, turns into another class by the widest lead at ε ${epsilonText(epsilon)}, the smallest radius at which any fell`;
  return {
    name: "worst-images",
    title: "Worst images",
    caption: `Of all ${plural(dataset.n, "image")} ${which}. Below: the predicted class; ✗ and a frame mark a wrong one.`,
    alt: altOf(gallery),
    panels: [await methodPanel(gallery, scale), scalePanel(epsilonText(scale))],
  };
}

/** Originals, adversarial images and perturbations of every method; null without galleries. */
export async function gallery(record: RunRecord): Promise<Figure | null> {
  const galleries = firstGalleries(record.galleries).filter(({ labels }) => labels.length > 0);
  const [first] = galleries;
  if (first === undefined) return null;
  const { attack, norm, epsilon } = first.attack;
  const threat = `${attackText(attack)}, ${normText(norm)}, ε ${epsilonText(epsilon)}`;
  const scale = scaleOf(galleries);
  const panels: Panel[] = [];
  for (const each of galleries) panels.push(await methodPanel(each, scale));
  const channels = (first.imageShape[0] ?? 1) > 1 ? " (mean over the colour channels)" : "";
  return {
    name: "gallery",
    title: "Images, attacked images, perturbations",
    caption: `The first test images and what ${threat} makes of them (seed ${first.seed}). Below: the predicted class; ✗ and a frame mark a wrong one. Perturbation${channels}: blue darker, red lighter, white unchanged.`,
    alt: `${galleries.map(altOf).join(" ")} Attack: ${threat}.`,
    panels: [...panels, scalePanel(epsilonText(scale))],
  };
}

function altOf(gallery: Gallery): string {
  const { labels, predictions, adversarialPredictions } = gallery;
  const count = Math.min(shown, labels.length);
  const right = (given: Int32Array): number =>
    given.subarray(0, count).filter((predicted, i) => predicted === labels[i]).length;
  return `${methodName(gallery)}: ${right(predictions)} of ${count} originals and ${right(adversarialPredictions)} of ${count} adversarial images are classified rightly.`;
}
