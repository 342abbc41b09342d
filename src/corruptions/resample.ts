// Sizes and places: bilinear sampling, zooming into the middle, averaging boxes.
import { inside, type Edge, type Plane } from "./filter.js";

/** Between which two of `n` pixels each place lies, and how near to the second. */
function between(places: Float64Array, n: number, edge: Edge) {
  const floors = places.map(Math.floor);
  return {
    first: Int32Array.from(floors, (i) => inside(i, n, edge)),
    second: Int32Array.from(floors, (i) => inside(i + 1, n, edge)),
    share: places.map((place, i) => place - (floors[i] ?? 0)),
  };
}

/** Where each pixel of a new plane is read, [height · width]; pixels' centres at whole numbers. */
export interface Places {
  readonly y: Float64Array;
  readonly x: Float64Array;
}

/** Planes [height, width] read bilinearly at `places`. */
export function resampler(
  { height, width }: Omit<Plane, "values">,
  places: Places,
  edge: Edge,
): (values: ArrayLike<number>) => Float64Array {
  const [rows, columns] = [between(places.y, height, edge), between(places.x, width, edge)];
  return (values) => {
    const out = new Float64Array(height * width);
    for (let i = 0; i < out.length; i++) {
      const top = (rows.first[i] ?? 0) * width;
      const bottom = (rows.second[i] ?? 0) * width;
      const left = columns.first[i] ?? 0;
      const right = columns.second[i] ?? 0;
      const share = columns.share[i] ?? 0;
      const upper = (values[top + left] ?? 0) * (1 - share) + (values[top + right] ?? 0) * share;
      const lower = (values[bottom + left] ?? 0) * (1 - share) + (values[bottom + right] ?? 0) * share;
      out[i] = upper + (lower - upper) * (rows.share[i] ?? 0);
    }
    return out;
  };
}

/** A plane read bilinearly at rows `y` [height] and columns `x` [width]. */
function gridSampled({ values, height, width }: Plane, { y, x }: Places): Float64Array {
  const [rows, columns] = [between(y, height, "nearest"), between(x, width, "nearest")];
  const wide = new Float64Array(height * width);
  for (let row = 0; row < height; row++)
    for (let i = 0; i < width; i++) {
      const share = columns.share[i] ?? 0;
      const [left, right] = [columns.first[i] ?? 0, columns.second[i] ?? 0];
      wide[row * width + i] =
        (values[row * width + left] ?? 0) * (1 - share) + (values[row * width + right] ?? 0) * share;
    }
  const out = new Float64Array(height * width);
  for (let i = 0; i < height; i++) {
    const share = rows.share[i] ?? 0;
    const [top, bottom] = [(rows.first[i] ?? 0) * width, (rows.second[i] ?? 0) * width];
    for (let column = 0; column < width; column++)
      out[i * width + column] =
        (wide[top + column] ?? 0) * (1 - share) + (wide[bottom + column] ?? 0) * share;
  }
  return out;
}

/** `n` places, one for each pixel along an axis. */
const along = (n: number, place: (i: number) => number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => place(i));

/** A window of a plane. */
export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The window stretched over the whole plane, bilinearly, edges of pixels on edges of pixels. */
export function stretched(plane: Plane, { top, left, height, width }: Window): Float64Array {
  const place = (n: number, first: number, length: number): Float64Array =>
    along(n, (i) => first + Math.min(length - 1, Math.max(0, ((i + 0.5) * length) / n - 0.5)));
  return gridSampled(plane, { y: place(plane.height, top, height), x: place(plane.width, left, width) });
}

/** The middle of the plane, enlarged `factor` ≥ 1 times, bilinearly (SciPy's `zoom` of what is cropped). */
export function zoomed(plane: Plane, factor: number): Float64Array {
  const places = (n: number): Float64Array => {
    const kept = Math.ceil(n / factor);
    const enlarged = Math.round(kept * factor);
    const trimmed = Math.floor((enlarged - n) / 2);
    const step = (kept - 1) / (enlarged - 1);
    return along(n, (i) => Math.floor((n - kept) / 2) + Math.min(kept - 1, (trimmed + i) * step));
  };
  return gridSampled(plane, { y: places(plane.height), x: places(plane.width) });
}

/** First and last + 1 of the `from` pixels with their centre in box `i` of `to`; one on an edge is of the box before. */
function boxOf(i: number, from: number, to: number): readonly [first: number, end: number] {
  const scale = from / to;
  const reach = Math.max(scale, 1) / 2;
  const centre = (i + 0.5) * scale - 0.5;
  const first = Math.max(0, Math.floor(centre - reach) + 1);
  return [first, Math.max(first + 1, Math.min(from, Math.floor(centre + reach) + 1))];
}

/** `plane` in another size: the mean of the pixels whose centres lie in each box (Pillow's `BOX`). */
export function boxed({ values, height, width }: Plane, toHeight: number, toWidth: number): Plane {
  const rows = Array.from({ length: toHeight }, (_, i) => boxOf(i, height, toHeight));
  const columns = Array.from({ length: toWidth }, (_, i) => boxOf(i, width, toWidth));
  const out = new Float64Array(toHeight * toWidth);
  rows.forEach(([top, bottom], y) => {
    columns.forEach(([left, right], x) => {
      let sum = 0;
      for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) sum += values[i * width + j] ?? 0;
      out[y * toWidth + x] = sum / ((bottom - top) * (right - left));
    });
  });
  return { values: out, height: toHeight, width: toWidth };
}
