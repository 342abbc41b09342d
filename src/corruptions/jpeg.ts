// What JPEG loses (ITU-T T.81, with libjpeg's choices): cosine transform, quantisation, colour at half resolution.
// Bytes in, bytes out; the coding between loses nothing and is left out.
import type { Plane } from "./filter.js";

/** Tables K.1 and K.2 of T.81: steps for brightness and colour at quality 50, row by row. */
const luminanceSteps = [
  ...[16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56],
  ...[14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92],
  ...[49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99],
];
const chrominanceSteps = [
  ...[17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99],
  ...[47, 66, 99, 99, 99, 99, 99, 99],
  ...new Array<number>(32).fill(99),
];

/** Steps at `quality` 1 to 100, as libjpeg scales them. */
function stepsAt(quality: number, steps: readonly number[]): number[] {
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return steps.map((step) => Math.min(255, Math.max(1, Math.floor((step * percent + 50) / 100))));
}

/**
 * cosines[8k + x] ≈ 2¹³·√2·cos((2x + 1)kπ/16) (2¹³ for k = 0) in the whole numbers that come of libjpeg's integer
 * transform, after Loeffler, Ligtenberg & Moschytz 1989; the right half of a row mirrors the left, odd ones negated.
 */
const cosines = [
  [8192, 8192, 8192, 8192],
  [11363, 9633, 6437, 2260],
  [10703, 4433, -4433, -10703],
  [9633, -2259, -11362, -6436],
  [8192, -8192, -8192, 8192],
  [6437, -11362, 2261, 9633],
  [4433, -10704, 10704, -4433],
  [2260, -6436, 9633, -11363],
].flatMap((left, k) => [...left, ...left.map((c) => (k % 2 === 0 ? c : -c)).reverse()]);

const transposed = cosines.map((_, i) => cosines[8 * (i & 7) + (i >> 3)] ?? 0);

/** The rows of `block` [8, 8] times `matrix`, divided by 2^`shift`, rounded half up; rows become columns. */
function pass(block: Float64Array, matrix: readonly number[], shift: number): Float64Array {
  const out = new Float64Array(64);
  const unit = 2 ** -shift;
  for (let row = 0; row < 8; row++)
    for (let k = 0; k < 8; k++) {
      let sum = 0;
      for (let x = 0; x < 8; x++) sum += (block[row * 8 + x] ?? 0) * (matrix[k * 8 + x] ?? 0);
      out[k * 8 + row] = Math.floor(sum * unit + 0.5);
    }
  return out;
}

/** Eight times the cosine transform, in whole numbers: rows first. */
const forwards = (block: Float64Array): Float64Array => pass(pass(block, cosines, 11), cosines, 15);

/** From coefficients to values, columns first: the block is turned before and after. */
function backwards(block: Float64Array): Float64Array {
  const turned = block.map((_, i) => block[8 * (i & 7) + (i >> 3)] ?? 0);
  const columns = pass(turned, transposed, 11);
  return pass(columns, transposed, 18).map((_, i, all) => all[8 * (i & 7) + (i >> 3)] ?? 0);
}

const toByte = (v: number): number => Math.min(255, Math.max(0, Math.round(v)));

/** The multiple of `step` nearest to an eighth of `c`; halves go away from zero. */
const multiple = (c: number, step: number): number =>
  Math.sign(c) * Math.floor((Math.abs(c) + 4 * step) / (8 * step)) * step;

/** One plane of bytes through its coefficients, which become whole multiples of `steps`. */
function quantized({ values, height, width }: Plane, steps: readonly number[]): Plane {
  const out = new Float64Array(height * width);
  const block = new Float64Array(64);
  for (let top = 0; top < height; top += 8)
    for (let left = 0; left < width; left += 8) {
      for (let i = 0; i < 64; i++) {
        // Beyond the edge the last row and column go on.
        const y = Math.min(height - 1, top + (i >> 3));
        block[i] = (values[y * width + Math.min(width - 1, left + (i & 7))] ?? 0) - 128;
      }
      const whole = forwards(block).map((c, i) => multiple(c, steps[i] ?? 1));
      const back = backwards(whole);
      for (let y = top; y < Math.min(top + 8, height); y++)
        for (let x = left; x < Math.min(left + 8, width); x++)
          out[y * width + x] = toByte((back[(y - top) * 8 + x - left] ?? 0) + 128);
    }
  return { values: out, height, width };
}

/** Half the resolution: means of 2 × 2, rounded down and up in turn along a row. */
function halved({ values, height, width }: Plane): Plane {
  const [h, w] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const at = (y: number, x: number): number =>
    values[Math.min(height - 1, y) * width + Math.min(width - 1, x)] ?? 0;
  const out = Float64Array.from({ length: h * w }, (_, i) => {
    const [y, x] = [2 * Math.floor(i / w), 2 * (i % w)];
    const sum = at(y, x) + at(y, x + 1) + at(y + 1, x) + at(y + 1, x + 1);
    return Math.floor((sum + 1 + ((i % w) & 1)) / 4);
  });
  return { values: out, height: h, width: w };
}

/** Twice the resolution, to [height, width]: 9/16, 3/16, 3/16 and 1/16 of the four nearest. */
function doubled({ values, height: h, width: w }: Plane, height: number, width: number): Float64Array {
  const column = (y: number, other: number, x: number): number =>
    3 * (values[y * w + x] ?? 0) + (values[other * w + x] ?? 0);
  return Float64Array.from({ length: height * width }, (_, i) => {
    const [row, col] = [Math.floor(i / width), i % width];
    const [y, x] = [row >> 1, col >> 1];
    const other = Math.min(h - 1, Math.max(0, y + (row & 1 ? 1 : -1)));
    const next = Math.min(w - 1, Math.max(0, x + (col & 1 ? 1 : -1)));
    return Math.floor((3 * column(y, other, x) + column(y, other, next) + (col & 1 ? 7 : 8)) / 16);
  });
}

type Planes = readonly [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];

/** offset + (Σ weights·planes)/2¹⁶, rounded half up – half down where `tie` says so – and kept within a byte. */
function mixed(
  planes: Planes,
  weights: readonly [number, number, number],
  { offset = 0, tie = 0 } = {},
): Float64Array {
  const [a, b, c] = planes;
  const [u, v, w] = weights;
  return Float64Array.from({ length: a.length }, (_, i) =>
    toByte(offset + Math.floor((u * (a[i] ?? 0) + v * (b[i] ?? 0) + w * (c[i] ?? 0) + 32768 - tie) / 65536)),
  );
}

/** What is left of an image of bytes [height, width] after JPEG at `quality` 1 to 100. */
export const jpegGray = (plane: Plane, quality: number): ArrayLike<number> =>
  quantized(plane, stepsAt(quality, luminanceSteps)).values;

/** The same of red, green and blue, with colour at half resolution (4:2:0). */
export function jpegColor(
  rgb: Planes,
  { height, width, quality }: { readonly height: number; readonly width: number; readonly quality: number },
): ArrayLike<number>[] {
  const steps = stepsAt(quality, chrominanceSteps);
  /** A plane of colour, 0 for grey, after its way there and back. */
  const chroma = (...weights: readonly [number, number, number]): Float64Array => {
    const values = mixed(rgb, weights, { offset: 128, tie: 1 });
    const coarse = quantized(halved({ values, height, width }), steps);
    return doubled(coarse, height, width).map((v) => v - 128);
  };
  // ITU-R BT.601's weights times 2¹⁶, in whole numbers.
  const luma = mixed(rgb, [19595, 38470, 7471]);
  const ycc: Planes = [
    jpegGray({ values: luma, height, width }, quality),
    chroma(-11059, -21709, 32768),
    chroma(32768, -27439, -5329),
  ];
  return [mixed(ycc, [65536, 0, 91881]), mixed(ycc, [65536, -22554, -46802]), mixed(ycc, [65536, 116130, 0])];
}
