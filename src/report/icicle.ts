// Figure: a training step as icicles. Width is time; below each scope stands what is inside it.
import type { StepProfile } from "../experiments/records.js";
import { panel, panelWidth, text, textWidth, type Figure, type Panel } from "./figure.js";
import { passesOf, treeOf, type Branch, type Tone } from "./icicle-tree.js";
import { color } from "./palette.js";
import { shareText, timeText } from "./profile-tables.js";
import { escapeMarkup, shorten } from "./text.js";

const fills: Readonly<Record<Tone, { readonly fill: string; readonly opacity: number }>> = {
  forward: { fill: color("method1"), opacity: 0.3 },
  gradient: { fill: color("method2"), opacity: 0.3 },
  optimizer: { fill: color("method3"), opacity: 0.3 },
  other: { fill: color("method6"), opacity: 0.3 },
  mixed: { fill: color("muted"), opacity: 0.14 },
};

const titleHeight = 22;
const labelSize = 12;
const low = 22;
/** Room for an upright label. */
const tall = 84;
/** Narrower boxes get no label; the narrowest are drawn as one. */
const minLabelled = 15;
const minWidth = 2;

interface Box {
  readonly branch: Branch;
  readonly x: number;
  readonly width: number;
}

/** Boxes of one level, and of all levels below it, for a level's boxes. */
function levelsBelow(boxes: readonly Box[], scale: number): Box[][] {
  const next = boxes.flatMap(({ branch, x }) => {
    let at = x;
    return branch.children.map((child) => {
      const width = child.milliseconds * scale;
      const box = { branch: child, x: at, width };
      at += width;
      return box;
    });
  });
  return next.length === 0 ? [] : [next, ...levelsBelow(next, scale)];
}

const fits = ({ branch, width }: Box): boolean => textWidth(branch.name, labelSize) + 6 <= width;

/** The name in its box with its share of the step, where there is room; upright where the box is narrow. */
function label(box: Box, y: number, height: number, total: number): string {
  const { branch, x, width } = box;
  const left = Number((x + 4).toFixed(2));
  if (fits(box)) {
    const share = shareText(branch.milliseconds / total);
    const beside = textWidth(`${branch.name} `, labelSize);
    const [dx, dy] = height < tall ? [beside, 15] : [0, 31];
    const said = dx + textWidth(share, labelSize) + 6 <= width;
    const name = text(left, y + 15, branch.name, { size: labelSize });
    return said ? name + text(Number((left + dx).toFixed(2)), y + dy, share, { size: labelSize }) : name;
  }
  if (width < minLabelled || height < tall) return "";
  const letters = Math.floor((height - 8) / (0.62 * labelSize));
  const [across, along] = [(x + width / 2 + 4).toFixed(2), (y + height - 5).toFixed(2)];
  const turned = `transform="translate(${across} ${along}) rotate(-90)" font-size="${labelSize}"`;
  return `<text ${turned}>${escapeMarkup(shorten(branch.name, letters))}</text>`;
}

function boxMarkup(box: Box, y: number, height: number, total: number): string {
  const { branch, x, width } = box;
  const { fill, opacity } = fills[branch.tone];
  const said = `${branch.path}: ${timeText(branch.milliseconds, total)} ms, ${shareText(branch.milliseconds / total)}`;
  const place = `x="${x.toFixed(2)}" y="${y}" width="${width.toFixed(2)}" height="${height}"`;
  const look = `fill="${fill}" fill-opacity="${opacity}" stroke="${color("paper")}"`;
  return `<rect ${place} ${look}><title>${escapeMarkup(said)}</title></rect>${label(box, y, height, total)}`;
}

/** `levels` from `top` down; a level with narrow boxes is high enough for upright names. */
function rows(
  levels: readonly (readonly Box[])[],
  top: number,
  total: number,
): { svg: string; bottom: number } {
  const parts: string[] = [];
  let y = top;
  for (const level of levels) {
    const visible = level.filter(({ width }) => width >= minWidth);
    const upright = visible.some((box) => box.width >= minLabelled && !fits(box));
    const height = upright ? tall : low;
    parts.push(...visible.map((box) => boxMarkup(box, y, height, total)));
    y += height;
  }
  return { svg: parts.join("\n"), bottom: y };
}

function iciclePanel(root: Branch, title: string, width: number, total: number): Panel {
  const scale = width / root.milliseconds;
  const levels = levelsBelow([{ branch: root, x: 0, width }], scale);
  const { svg, bottom } = rows(levels, titleHeight, total);
  const amount = `${timeText(root.milliseconds, total)} ms, ${shareText(root.milliseconds / total)}`;
  const head =
    text(0, 14, title, { bold: true }) + text(panelWidth, 14, amount, { size: labelSize, anchor: "end" });
  return panel(bottom, head + svg);
}

const legendNames: readonly (readonly [Tone, string])[] = [
  ["forward", "forward"],
  ["gradient", "gradient"],
  ["optimizer", "optimizer"],
  ["other", "batch, outputs, layout"],
];

/** What the colours mean. */
function legendPanel(): Panel {
  let x = 0;
  const parts = legendNames.map(([tone, name]) => {
    const { fill, opacity } = fills[tone];
    const swatch = `<rect x="${x.toFixed(2)}" y="3" width="12" height="12" fill="${fill}" fill-opacity="${opacity}" stroke="${fill}"/>`;
    const words = text(Number((x + 17).toFixed(2)), 14, name, { size: labelSize });
    x += 17 + textWidth(name, labelSize) + 12;
    return swatch + words;
  });
  return { ...panel(20, parts.join("")), shared: true };
}

/** Passes below this share of the step are seen in the first panel only. */
const ownPanel = 0.05;

/** The icicles of a profile: the whole step by pass and layer, then each pass down to its kernels. */
export function icicle(profile: StepProfile): Figure {
  const { kernels, times, method, recipe } = profile;
  const root = treeOf(kernels);
  const step = Math.max(times.step, root.milliseconds, Number.MIN_VALUE);
  const whole = iciclePanel(passesOf(kernels), "all kernels", (panelWidth * root.milliseconds) / step, step);
  const passes = root.children.filter(({ milliseconds }) => milliseconds >= ownPanel * step);
  const zoomed = passes.map((pass) => iciclePanel(pass, pass.name, panelWidth, step));
  const shares = passes.map(({ name, milliseconds }) => `${name} ${shareText(milliseconds / step)}`);
  return {
    name: `profile-${method}`,
    title: `Where a step of ${method} goes`,
    caption: `Width is time: the first icicle is the whole step of ${timeText(step, step)} ms (${recipe}, batch ${profile.batchSize}), white at its right end what lies outside kernels; each further one is a pass drawn to the full width. Levels are the graph's own names, the lowest the operators. Point at a box for its time.`,
    alt: `A training step of ${method} takes ${timeText(step, step)} ms: ${shares.join(", ")}.`,
    panels: [legendPanel(), whole, ...zoomed],
  };
}
