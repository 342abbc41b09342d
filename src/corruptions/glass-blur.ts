// Glass blur (Hendrycks & Dietterich 2019): pixels seen through frosted glass come from somewhere near.
import { byChannel, common, type Image } from "./corruption.js";
import { gaussianBlur } from "./filter.js";

interface Glass {
  /** Standard deviation of the smoothing before and after, pixels. */
  readonly sigma: number;
  /** Farthest a pixel comes from, pixels. */
  readonly reach: number;
  readonly passes: number;
}

const glass = (sigma: number, reach: number, passes: number): Glass => ({ sigma, reach, passes });

const blurred = (image: Image, sigma: number): Image => ({
  ...image,
  pixels: byChannel(image, (values) => gaussianBlur({ ...image, values }, sigma)),
});

/**
 * Smoothed; from bottom right to top left each pixel takes the value of one within `reach` rows and columns; smoothed
 * again. (The script behind the published sets means to swap the two, but copies: so does this.)
 */
export const glassBlur = common(
  "glass-blur",
  "blur",
  "frosted glass: pixels come from near by",
  {
    "cifar-10-c": [
      glass(0.05, 1, 1),
      glass(0.25, 1, 1),
      glass(0.4, 1, 1),
      glass(0.25, 1, 2),
      glass(0.4, 1, 2),
    ],
    "tiny-imagenet-c": [
      glass(0.1, 1, 1),
      glass(0.5, 1, 1),
      glass(0.6, 1, 2),
      glass(0.7, 2, 1),
      glass(0.9, 2, 2),
    ],
    "imagenet-c": [glass(0.7, 1, 2), glass(0.9, 2, 1), glass(1, 2, 3), glass(1.1, 3, 2), glass(1.5, 4, 2)],
  },
  (image, { sigma, reach, passes }, random) => {
    const { channels, height, width } = image;
    const { pixels } = blurred(image, sigma);
    const size = height * width;
    for (let pass = 0; pass < passes; pass++) {
      const moves = random.uniform(2 * size, [-reach, reach]).map(Math.floor);
      for (let y = height - reach; y > reach; y--)
        for (let x = width - reach; x > reach; x--) {
          const to = y * width + x;
          const from = (y + (moves[2 * to + 1] ?? 0)) * width + x + (moves[2 * to] ?? 0);
          for (let c = 0; c < channels; c++) pixels[c * size + to] = pixels[c * size + from] ?? 0;
        }
    }
    return blurred({ ...image, pixels }, sigma).pixels;
  },
);
