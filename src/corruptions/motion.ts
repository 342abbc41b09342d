// Motion blur along a line, as ImageMagick makes it: the far half of a Gaussian, from each pixel in one direction.
import { filtered, type Plane, type Tap } from "./filter.js";

/** Σ exp(−i²/2σ²)·x at i pixels along `angle` (degrees, downwards from the right), i from 0 to 2·`radius`. */
export function motionBlurred(
  plane: Plane,
  { radius, sigma, angle }: { readonly radius: number; readonly sigma: number; readonly angle: number },
): Float64Array {
  const length = 2 * radius + 1;
  const weights = Array.from({ length }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)));
  const sum = weights.reduce((a, b) => a + b, 0);
  const [down, right] = [Math.sin((angle * Math.PI) / 180), Math.cos((angle * Math.PI) / 180)];
  const taps = weights.map((weight, i): Tap => ({
    dy: Math.ceil(i * down - 0.5),
    dx: Math.ceil(i * right - 0.5),
    weight: weight / sum,
  }));
  return filtered(plane, taps, "nearest");
}
