// Resizing with antialiasing, in the fixed-point arithmetic of Pillow (and so of torchvision on its images): the
// kernel is stretched by the reduction, weights are rounded to 22 bits, each of two passes to bytes.
import type { Pixels } from "./pixels.js";

interface Filter {
  /** Half its width. */
  readonly support: number;
  weight(x: number): number;
}

/** Cubic convolution with a = −1/2 (Keys 1981, "Cubic convolution interpolation for digital image processing"). */
function cubic(x: number): number {
  const t = Math.abs(x);
  const a = -0.5;
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
}

const filters = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: cubic },
} as const satisfies Record<string, Filter>;

export type Interpolation = keyof typeof filters;
export const interpolations = Object.keys(filters) as [Interpolation, ...Interpolation[]];

const precision = 22;

/** The source pixels of one result pixel and their weights, in units of 2⁻²². */
interface Window {
  readonly first: number;
  readonly weights: Int32Array;
}

/** Windows of all `to` results on a line of `from` pixels. */
function windowsOf(from: number, to: number, filter: Filter): Window[] {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const reach = filter.support * stretch;
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), from);
    const exact = Array.from({ length: end - first }, (_, k) =>
      filter.weight((k + first - center + 0.5) * (1 / stretch)),
    );
    const total = exact.reduce((sum, w) => sum + w, 0);
    const fixed = exact.map((w) => {
      const share = (total === 0 ? w : w / total) * 2 ** precision;
      return Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    });
    return { first, weights: Int32Array.from(fixed) };
  });
}

const half = 2 ** (precision - 1);
const byteOf = (sum: number): number => Math.min(Math.max(sum >> precision, 0), 255);

/** Rows of `width` results. */
function horizontally(pixels: Pixels, width: number, filter: Filter): Pixels {
  const { height, channels, data } = pixels;
  if (width === pixels.width) return pixels;
  const windows = windowsOf(pixels.width, width, filter);
  const out = new Uint8Array(width * height * channels);
  for (let y = 0, to = 0; y < height; y++)
    for (const { first, weights } of windows) {
      const from = (y * pixels.width + first) * channels;
      for (let c = 0; c < channels; c++, to++) {
        let sum = half;
        for (let k = 0, at = from + c; k < weights.length; k++, at += channels)
          sum += (weights[k] ?? 0) * (data[at] ?? 0);
        out[to] = byteOf(sum);
      }
    }
  return { width, height, channels, data: out };
}

/** Columns of `height` results, a whole row of sums at a time. */
function vertically(pixels: Pixels, height: number, filter: Filter): Pixels {
  const { width, channels, data } = pixels;
  if (height === pixels.height) return pixels;
  const row = width * channels;
  const out = new Uint8Array(height * row);
  const sums = new Int32Array(row);
  windowsOf(pixels.height, height, filter).forEach(({ first, weights }, y) => {
    sums.fill(half);
    weights.forEach((weight, k) => {
      const from = (first + k) * row;
      for (let x = 0; x < row; x++) sums[x] = (sums[x] ?? 0) + weight * (data[from + x] ?? 0);
    });
    for (let x = 0; x < row; x++) out[y * row + x] = byteOf(sums[x] ?? 0);
  });
  return { width, height, channels, data: out };
}

/**
 * `pixels` at `height` × `width`, both at least 1: equal to `resize` of Pillow 13 byte for byte. Columns are made first, or
 * rows where more than twice as many of them go as of columns; Pillow up to 12.3 always began with the columns.
 */
export function resample(
  pixels: Pixels,
  { height, width }: { readonly height: number; readonly width: number },
  interpolation: Interpolation,
): Pixels {
  const filter = filters[interpolation];
  const lost = pixels.height - height;
  return lost > 0 && lost > 2 * (pixels.width - width)
    ? horizontally(vertically(pixels, height, filter), width, filter)
    : vertically(horizontally(pixels, width, filter), height, filter);
}
