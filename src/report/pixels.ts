// Arrays as PNG data URIs: images as they are, signed values from blue over white to red.
import { Buffer } from "node:buffer";
import { color } from "./palette.js";

/** Pixels with `channels` bytes each, row by row. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** `data:image/png;base64,…`. */
export async function dataUri(pixels: Pixels): Promise<string> {
  const { encode } = await import("fast-png");
  return `data:image/png;base64,${Buffer.from(encode({ ...pixels, depth: 8 })).toString("base64")}`;
}

const byte = (value: number): number => Math.round(Math.min(Math.max(value, 0), 1) * 255);

/** What is black and what is white: 0 and 1, or the least and the most of values that are no pixels. */
function rangeOf(values: Float32Array): readonly [black: number, white: number] {
  const [least, most] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  return least < 0 || most > 1 ? [least, most] : [0, 1];
}

/** [channels, height, width]; one channel is grey, three are colours, of others the first is shown. */
export function imagePixels(
  values: Float32Array,
  [planes = 1, height = 1, width = 1]: readonly number[],
): Pixels {
  const channels = planes === 3 ? 3 : 1;
  const area = height * width;
  const [black, white] = rangeOf(values);
  const data = Uint8Array.from({ length: channels * area }, (_, i) =>
    byte(((values[(i % channels) * area + Math.floor(i / channels)] ?? 0) - black) / (white - black)),
  );
  return { width, height, channels, data };
}

/** Ends of the diverging scale: the blue and the red that people of all colour vision tell apart. */
const ends = { negative: [5, 80, 160], positive: [178, 24, 43] } as const;

/** Steps on either side of white: enough for the eye, few enough to compress. */
const shades = 24;

/** Colour of `value` between −scale (blue), 0 (white) and scale (red); beyond the scale it saturates. */
export function diverging(value: number, scale: number): readonly [number, number, number] {
  const share = scale > 0 ? Math.round(Math.min(Math.abs(value) / scale, 1) * shades) / shades : 0;
  const end = value < 0 ? ends.negative : ends.positive;
  const mix = (i: 0 | 1 | 2): number => Math.round(255 + (end[i] - 255) * share);
  return [mix(0), mix(1), mix(2)];
}

/** after − before of image `at` of [images, channels, height, width], the mean over its channels: [height, width]. */
export function changeOf(
  before: Float32Array,
  after: Float32Array,
  at: number,
  [channels = 1, height = 1, width = 1]: readonly number[],
): Float32Array {
  const area = height * width;
  return Float32Array.from({ length: area }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const from = (at * channels + c) * area + i;
      sum += (after[from] ?? 0) - (before[from] ?? 0);
    }
    return sum / channels;
  });
}

/** [height, width] of signed values in the diverging colours. */
export function divergingPixels(
  values: Float32Array,
  [height = 1, width = 1]: readonly number[],
  scale: number,
): Pixels {
  const data = new Uint8Array(height * width * 3);
  values.forEach((value, i) => {
    data.set(diverging(value, scale), i * 3);
  });
  return { width, height, channels: 3, data };
}

/** An SVG image of crisp pixels; `optimizeSpeed` says so to renderers that do not know `pixelated`. */
export const pixelImage = (x: number, y: number, width: number, height: number, uri: string): string =>
  `<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none" ` +
  `image-rendering="optimizeSpeed" style="image-rendering:pixelated" href="${uri}"/>`;

/** `pixelImage` of signed values: white at its edges, so with a thin outline. */
export const divergingImage = (x: number, y: number, width: number, height: number, uri: string): string =>
  pixelImage(x, y, width, height, uri) +
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="none" stroke="${color("rule")}"/>`;

/** A bar of the diverging colours from (x, y), with its ends named. */
export function scaleBar(
  x: number,
  y: number,
  width: number,
  names: readonly [string, string, string],
): string {
  const steps = 2 * shades + 1;
  const step = width / steps;
  const cells = Array.from({ length: steps }, (_, i) => {
    const [r, g, b] = diverging(i - shades, shades);
    return `<rect x="${(x + i * step).toFixed(2)}" y="${y}" width="${(step + 0.3).toFixed(2)}" height="10" fill="rgb(${r},${g},${b})"/>`;
  });
  const label = (at: number, anchor: string, name: string): string =>
    `<text x="${at}" y="${y + 24}" font-size="12" text-anchor="${anchor}">${name}</text>`;
  const [low, middle, high] = names;
  return [
    ...cells,
    label(x, "start", low),
    label(x + width / 2, "middle", middle),
    label(x + width, "end", high),
  ].join("");
}
