// A figure: panels under one another, each readable at the width of a phone; for a page or as a file of its own.
import { color, inLight } from "./palette.js";
import { escapeMarkup } from "./text.js";

/** Width of every panel in its own units; at 343 px, a phone's column, 13 units of type are 11 px. */
export const panelWidth = 400;
export const fontSize = 13;

/** A complete `<svg>` of `panelWidth` units, coloured by `var(--name)`. */
export interface Panel {
  readonly svg: string;
  readonly height: number;
  /** Legends and scales serve all other panels: on a page they have a row of their own. */
  readonly shared?: boolean;
}

export interface Figure {
  /** Name of its file, without ending. */
  readonly name: string;
  readonly title: string;
  /** What is drawn, in which unit and scale. */
  readonly caption: string;
  /** What a reader who does not see it should know. */
  readonly alt: string;
  readonly panels: readonly Panel[];
}

/** Wraps drawn elements as a panel. */
export function panel(height: number, body: string): Panel {
  const size = `width="${panelWidth}" height="${height}" viewBox="0 0 ${panelWidth} ${height}"`;
  const type = `font-family="DejaVu Sans, Verdana, system-ui, sans-serif" font-size="${fontSize}"`;
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${type} fill="${color("ink")}" color="${color("ink")}">${body}</svg>`,
    height,
  };
}

interface TextStyle {
  readonly size?: number;
  readonly bold?: boolean;
  readonly anchor?: "start" | "middle" | "end";
  readonly fill?: string;
}

/** A line of text whose base line begins at (x, y). */
export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size, bold, anchor, fill } = style;
  const attributes = [
    size === undefined ? "" : ` font-size="${size}"`,
    bold === true ? ' font-weight="bold"' : "",
    anchor === undefined ? "" : ` text-anchor="${anchor}"`,
    fill === undefined ? "" : ` fill="${fill}"`,
  ];
  return `<text x="${x}" y="${y}"${attributes.join("")}>${escapeMarkup(content)}</text>`;
}

/** Advance of a character of DejaVu Sans, the widest face in use, in units of the type's size. */
function advance(letter: string): number {
  if (/[ijl.,:;'|! ]/.test(letter)) return 0.32;
  if (/[-ftrI()[\]/]/.test(letter)) return 0.4;
  if (/[mwMW%@]/.test(letter)) return 0.98;
  return /[A-Z∞±✓✗]/.test(letter) ? 0.74 : 0.63;
}

/** Width of `content`, a little on the safe side. */
export const textWidth = (content: string, size = fontSize): number =>
  Array.from(content).reduce((width, letter) => width + advance(letter) * size, 0);

/** `content` broken into lines of at most `width` units. */
function wrap(content: string, width: number, size = fontSize): string[] {
  const lines: string[] = [];
  for (const word of content.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, size) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const margin = 16;
const lead = 18;

/** The figure as one SVG file: title, panels, caption, on a ground of its own, in light colours. */
export function standalone({ title, caption, alt, panels }: Figure): string {
  const width = panelWidth + 2 * margin;
  const parts = [text(margin, margin + 14, title, { size: 16, bold: true })];
  let y = margin + 30;
  for (const { svg, height } of panels) {
    parts.push(svg.replace("<svg ", `<svg x="${margin}" y="${y}" `));
    y += height + 12;
  }
  for (const line of wrap(caption, panelWidth, 12)) {
    parts.push(text(margin, y + 12, line, { size: 12, fill: color("muted") }));
    y += lead;
  }
  const height = y + margin;
  const frame = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const type = `font-family="DejaVu Sans, Verdana, system-ui, sans-serif" font-size="${fontSize}"`;
  return inLight(
    `<svg xmlns="http://www.w3.org/2000/svg" ${frame} ${type} fill="${color("ink")}" role="img">` +
      `<title>${escapeMarkup(title)}</title><desc>${escapeMarkup(alt)}</desc>` +
      `<rect width="${width}" height="${height}" fill="${color("paper")}"/>\n${parts.join("\n")}\n</svg>\n`,
  );
}

/** The panels for a page that defines the colours; one image to a screen reader. */
export const inline = ({ alt, panels }: Figure): string =>
  panels
    .map(({ svg, shared }, i) => {
      const spoken = i === 0 ? `role="img" aria-label="${escapeMarkup(alt)}"` : 'aria-hidden="true"';
      return svg.replace("<svg ", `<svg ${shared === true ? 'class="shared" ' : ""}${spoken} `);
    })
    .join("\n");
