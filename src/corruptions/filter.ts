// Smoothing of one channel [height, width], and what lies beyond its edges.

export interface Plane {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
}

/**
 * Where an index beyond [0, n) is read: `nearest` (a a|a b c|c c), `reflect` (b a|a b c|c b) or `mirror`
 * (c b|a b c|b a).
 */
export type Edge = "nearest" | "reflect" | "mirror";

/** The index in [0, n) that stands for `i`. */
export function inside(i: number, n: number, edge: Edge): number {
  if (i >= 0 && i < n) return i;
  if (edge === "nearest") return i < 0 ? 0 : n - 1;
  const period = edge === "reflect" ? 2 * n : Math.max(1, 2 * n - 2);
  const wrapped = ((i % period) + period) % period;
  if (wrapped < n) return wrapped;
  return edge === "reflect" ? period - 1 - wrapped : period - wrapped;
}

/** exp(−i²/2σ²) for |i| ≤ `radius`, of sum 1. */
export function gaussianTaps(sigma: number, radius: number): Float64Array {
  const taps = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)),
  );
  const sum = taps.reduce((a, b) => a + b, 0);
  return taps.map((tap) => tap / sum);
}

/** Σ taps[t]·x[i + t − middle] along rows or columns. */
function alongLine(
  { values, height, width }: Plane,
  taps: Float64Array,
  edge: Edge,
  isVertical: boolean,
): Float64Array {
  const out = new Float64Array(height * width);
  const middle = (taps.length - 1) / 2;
  const n = isVertical ? height : width;
  const step = isVertical ? width : 1;
  const lines = isVertical ? width : height;
  for (let at = 0; at < n; at++)
    for (let t = 0; t < taps.length; t++) {
      const from = inside(at + t - middle, n, edge) * step;
      const tap = taps[t] ?? 0;
      for (let line = 0; line < lines; line++) {
        const start = isVertical ? line : line * width;
        const i = start + at * step;
        out[i] = (out[i] ?? 0) + tap * (values[start + from] ?? 0);
      }
    }
  return out;
}

/** `plane` convolved with `taps` along both axes. */
export function smoothed(plane: Plane, taps: Float64Array, edge: Edge): Float64Array {
  const columns = alongLine(plane, taps, edge, true);
  return alongLine({ ...plane, values: columns }, taps, edge, false);
}

interface BlurOptions {
  /** Where the Gaussian ends, in σ; default 4. */
  readonly truncate?: number;
  /** Default `nearest`. */
  readonly edge?: Edge;
}

/** A Gaussian of standard deviation `sigma` pixels; σ = 0 gives the plane itself. */
export const gaussianBlur = (
  plane: Plane,
  sigma: number,
  { truncate = 4, edge = "nearest" }: BlurOptions = {},
): Float64Array =>
  sigma === 0
    ? Float64Array.from(plane.values)
    : smoothed(plane, gaussianTaps(sigma, Math.floor(truncate * sigma + 0.5)), edge);

/** One tap of a filter in the plane: what is `dy` rows below and `dx` columns to the right, times `weight`. */
export interface Tap {
  readonly dy: number;
  readonly dx: number;
  readonly weight: number;
}

/** Σ weight·x[y + dy, x + dx]. */
export function filtered({ values, height, width }: Plane, taps: readonly Tap[], edge: Edge): Float64Array {
  const out = new Float64Array(height * width);
  for (const { dy, dx, weight } of taps) {
    const columns = Int32Array.from({ length: width }, (_, x) => inside(x + dx, width, edge));
    for (let y = 0; y < height; y++) {
      const from = inside(y + dy, height, edge) * width;
      for (let x = 0; x < width; x++)
        out[y * width + x] = (out[y * width + x] ?? 0) + weight * (values[from + (columns[x] ?? 0)] ?? 0);
    }
  }
  return out;
}
