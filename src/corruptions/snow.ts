// Snow (Hendrycks & Dietterich 2019): streaks of flakes over a whitened image.
import { common, type Image } from "./corruption.js";
import { lumaOf } from "./color.js";
import { motionBlurred } from "./motion.js";
import { zoomed } from "./resample.js";

interface Snowfall {
  /** Mean and standard deviation of the noise that flakes are made of. */
  readonly mean: number;
  readonly deviation: number;
  /** How large the flakes are. */
  readonly zoom: number;
  /** Noise below it is no flake. */
  readonly threshold: number;
  /** Of the streaks, pixels. */
  readonly radius: number;
  readonly sigma: number;
  /** Share of the image that is not whitened. */
  readonly kept: number;
}

type Numbers = readonly [number, number, number, number, number, number, number];

const fall = (...[mean, deviation, zoom, threshold, radius, sigma, kept]: Numbers): Snowfall => ({
  ...{ mean, deviation, zoom, threshold, radius, sigma, kept },
});

const clip = (v: number): number => Math.min(1, Math.max(0, v));

/** kept·x + (1 − kept)·max(x, 1.5·luma + 0.5), and flakes with those of the layer turned upside down. */
function snowed({ pixels, ...shape }: Image, layer: ArrayLike<number>, kept: number): Float32Array {
  const luma = lumaOf({ pixels, ...shape });
  const size = shape.height * shape.width;
  return pixels.map((x, i) => {
    const at = i % size;
    const white = Math.max(x, (luma[at] ?? 0) * 1.5 + 0.5);
    return kept * x + (1 - kept) * white + (layer[at] ?? 0) + (layer[size - 1 - at] ?? 0);
  });
}

/** Snow that falls within 45° of straight down. */
export const snow = common(
  "snow",
  "weather",
  "falling snow over a whitened image",
  {
    "cifar-10-c": [
      fall(0.1, 0.2, 1, 0.6, 8, 3, 0.95),
      fall(0.1, 0.2, 1, 0.5, 10, 4, 0.9),
      fall(0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
      fall(0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
      fall(0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ],
    "tiny-imagenet-c": [
      fall(0.1, 0.2, 1, 0.6, 8, 3, 0.8),
      fall(0.1, 0.2, 1, 0.5, 10, 4, 0.8),
      fall(0.15, 0.3, 1.75, 0.55, 10, 4, 0.7),
      fall(0.25, 0.3, 2.25, 0.6, 12, 6, 0.65),
      fall(0.3, 0.3, 1.25, 0.65, 14, 12, 0.6),
    ],
    "imagenet-c": [
      fall(0.1, 0.3, 3, 0.5, 10, 4, 0.8),
      fall(0.2, 0.3, 2, 0.5, 12, 4, 0.7),
      fall(0.55, 0.3, 4, 0.9, 12, 8, 0.7),
      fall(0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
      fall(0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    ],
  },
  (image, { mean, deviation, zoom, threshold, radius, sigma, kept }, random) => {
    const { height, width } = image;
    const noise = random.normal(height * width).map((n) => mean + deviation * n);
    const [angle = 0] = random.uniform(1, [-135, -45]);
    const flakes = zoomed({ values: noise, height, width }, zoom).map((v) => (v < threshold ? 0 : clip(v)));
    const layer = motionBlurred({ values: flakes, height, width }, { radius, sigma, angle });
    return snowed(image, layer, kept);
  },
);
