// Defocus blur (Hendrycks & Dietterich 2019): every point becomes a disk.
import { byChannel, common } from "./corruption.js";
import { filtered, gaussianTaps, smoothed, type Tap } from "./filter.js";

/** A disk of sum 1 and of `radius` pixels, its edge softened by a Gaussian of `softness` pixels. */
function disk(radius: number, softness: number): Tap[] {
  const reach = radius <= 8 ? 8 : radius;
  const side = 2 * reach + 1;
  const isInside = (i: number): boolean =>
    (Math.floor(i / side) - reach) ** 2 + ((i % side) - reach) ** 2 <= radius ** 2;
  const hard = Float64Array.from({ length: side * side }, (_, i) => (isInside(i) ? 1 : 0));
  const sum = hard.reduce((a, b) => a + b, 0);
  const taps = gaussianTaps(softness, radius <= 8 ? 1 : 2);
  const soft = smoothed({ values: hard, height: side, width: side }, taps, "mirror");
  return Array.from(soft, (weight, i) => ({
    dy: Math.floor(i / side) - reach,
    dx: (i % side) - reach,
    weight: weight / sum,
  })).filter(({ weight }) => weight > 0);
}

/** Convolution with a disk of some radius and softness. */
export const defocusBlur = common(
  "defocus-blur",
  "blur",
  "a lens out of focus: points become disks",
  {
    "cifar-10-c": [
      [0.3, 0.4],
      [0.4, 0.5],
      [0.5, 0.6],
      [1, 0.2],
      [1.5, 0.1],
    ],
    "tiny-imagenet-c": [
      [0.5, 0.6],
      [1, 0.1],
      [1.5, 0.1],
      [2.5, 0.01],
      [3, 0.1],
    ],
    "imagenet-c": [
      [3, 0.1],
      [4, 0.5],
      [6, 0.5],
      [8, 0.5],
      [10, 0.5],
    ],
  },
  (image, [radius, softness]: readonly [number, number]) => {
    const taps = disk(radius, softness);
    return byChannel(image, (values) => filtered({ ...image, values }, taps, "mirror"));
  },
);
