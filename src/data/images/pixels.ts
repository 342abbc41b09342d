// Images as bytes, and what is done to their pixels before resizing: grey, turned upright.

/** Pixels as [height, width, channels], row-major. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** The luma 0.299 R + 0.587 G + 0.114 B of ITU-R BT.601 in 16-bit fixed point; equal channels keep their value. */
const luma = (r: number, g: number, b: number): number => (19595 * r + 38470 * g + 7471 * b + 32768) >>> 16;

/** The same image with `channels` numbers a pixel (1 = luma, 3 = RGB) of one with 1 to 4; alpha is dropped. */
export function withChannels(pixels: Pixels, channels: 1 | 3): Pixels {
  const { width, height, data, channels: stride } = pixels;
  if (stride === channels) return pixels;
  const out = new Uint8Array(width * height * channels);
  const [green, blue] = stride >= 3 ? [1, 2] : [0, 0];
  for (let i = 0, from = 0, to = 0; i < width * height; i++, from += stride, to += channels) {
    const [r, g, b] = [data[from] ?? 0, data[from + green] ?? 0, data[from + blue] ?? 0];
    if (channels === 1) out[to] = luma(r, g, b);
    else {
      out[to] = r;
      out[to + 1] = g;
      out[to + 2] = b;
    }
  }
  return { width, height, channels, data: out };
}

/** Where the pixel (x, y) of the upright image lies in the stored one of width w and height h, by EXIF orientation. */
const sources: readonly ((x: number, y: number, w: number, h: number) => readonly [number, number])[] = [
  (x, y) => [x, y],
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _w, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, _w, h) => [y, h - 1 - x],
  (x, y, w, h) => [w - 1 - y, h - 1 - x],
  (x, y, w) => [w - 1 - y, x],
];

/** The image as it is meant to be seen, by its EXIF orientation of 1 to 8. */
export function upright(pixels: Pixels, orientation: number): Pixels {
  const source = sources[orientation - 1];
  if (orientation === 1 || source === undefined) return pixels;
  const { width: w, height: h, channels, data } = pixels;
  const [width, height] = orientation >= 5 ? [h, w] : [w, h];
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = source(x, y, w, h);
      const from = (fromY * w + fromX) * channels;
      for (let c = 0; c < channels; c++) out[(y * width + x) * channels + c] = data[from + c] ?? 0;
    }
  return { width, height, channels, data: out };
}
