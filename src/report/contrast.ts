// Figure: attacked images that another model misreads and the method's reads, radius by radius (SGM's figure 3).
import type { Contrast, ContrastAt } from "../experiments/contrast.js";
import { methodName } from "../experiments/names.js";
import type { RunRecord } from "../experiments/run-record.js";
import { panel, panelWidth, text, type Figure, type Panel } from "./figure.js";
import { verdict } from "./gallery.js";
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
import { attackText, epsilonText, normText, plural } from "./text.js";

const shown = 8;
const gap = 6;
const side = (panelWidth - gap * (shown - 1)) / shown;

/** The first seed's of each method that found any. */
const firstsOf = (contrasts: readonly Contrast[]): Contrast[] => {
  const some = contrasts.filter(({ labels }) => labels.length > 0);
  return some.filter((each, i) => some.findIndex((other) => methodName(other) === methodName(each)) === i);
};

/** Attacked copies at one radius over what both models read there, then the perturbations; returns the height. */
async function drawAt(
  { originals, labels, imageShape, source, ...contrast }: Contrast,
  { epsilon, adversarial, sourceReads, reads }: ContrastAt,
  from: number,
): Promise<{ readonly svg: string; readonly height: number }> {
  const size = imageShape.reduce((product, d) => product * d, 1);
  const changes = labels.subarray(0, shown).keys();
  const pixels = Array.from(changes, (at) => changeOf(originals, adversarial, at, imageShape));
  const largest = Math.max(...pixels.map((each) => each.reduce((most, v) => Math.max(most, Math.abs(v)), 0)));
  const title = `ε ${epsilonText(epsilon)}: read by ${source}, then by ${methodName(contrast)}`;
  const parts = [text(0, from + 12, title, { size: 12, fill: color("muted") })];
  const y = from + 18;
  for (const [at, change] of pixels.entries()) {
    const x = at * (side + gap);
    const label = labels[at] ?? -1;
    const copy = imagePixels(adversarial.subarray(at * size, (at + 1) * size), imageShape);
    parts.push(
      pixelImage(x, y, side, side, await dataUri(copy)),
      verdict(x + side / 2, y + side + 15, sourceReads[at] ?? -1, label),
      verdict(x + side / 2, y + side + 30, reads[at] ?? -1, label),
    );
    const uri = await dataUri(divergingPixels(change, imageShape.slice(1), largest));
    parts.push(divergingImage(x, y + side + 38, side, side, uri));
  }
  return { svg: parts.join(""), height: 18 + side + 38 + side + 8 };
}

async function methodPanel(contrast: Contrast): Promise<Panel> {
  const { originals, labels, imageShape, at } = contrast;
  const size = imageShape.reduce((product, d) => product * d, 1);
  const parts = [text(0, 15, methodName(contrast), { bold: true })];
  let y = 24;
  parts.push(text(0, y + 12, "original and its class", { size: 12, fill: color("muted") }));
  y += 18;
  for (const [i, label] of labels.subarray(0, shown).entries()) {
    const original = imagePixels(originals.subarray(i * size, (i + 1) * size), imageShape);
    parts.push(pixelImage(i * (side + gap), y, side, side, await dataUri(original)));
    parts.push(
      text(i * (side + gap) + side / 2, y + side + 15, String(label), { anchor: "middle", size: 12 }),
    );
  }
  y += side + 24;
  for (const each of at) {
    const { svg, height } = await drawAt(contrast, each, y);
    parts.push(svg);
    y += height;
  }
  return panel(y, parts.join(""));
}

/** What each method's model reads where the model the points were crafted on misreads; null where nothing was found. */
export async function contrast({ contrasts }: RunRecord): Promise<Figure | null> {
  const firsts = firstsOf(contrasts);
  const [first] = firsts;
  if (first === undefined) return null;
  const panels: Panel[] = [];
  for (const each of firsts) panels.push(await methodPanel(each));
  const { attack, norm } = first.attack;
  const threat = `${attackText(attack)} (${normText(norm)})`;
  const largest = epsilonText(Math.max(...first.at.map(({ epsilon }) => epsilon)));
  const seeds = firsts.map((each) => `${methodName(each)}: seed ${each.seed}`).join("; ");
  const bar =
    text(0, 12, "perturbation, share of the largest at its ε", { size: 12, fill: color("muted") }) +
    scaleBar(0, 20, panelWidth, ["−1", "0", "+1"]);
  return {
    name: "contrast",
    title: "Misread by one model, read by the other",
    caption: `The first test images that both models read rightly and whose copies by ${threat}, crafted on the first model at ε ${largest}, it misreads while the method's model reads them (${seeds}). Below each copy: the class read by the first model, then by the method's; ✗ marks a wrong one. Any other network reads some of them: accuracy under transfer says how many.`,
    alt: firsts
      .map(
        (each) =>
          `${methodName(each)}: ${plural(Math.min(shown, each.labels.length), "image")} that ${each.source} misreads and it reads.`,
      )
      .join(" "),
    panels: [...panels, { ...panel(48, bar), shared: true }],
  };
}
