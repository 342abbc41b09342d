// Gaussian noise (Hendrycks & Dietterich 2019), as of a sensor in dim light.
import { common } from "./corruption.js";

/** x + σ·n with n ~ N(0, 1) at each value. */
export const gaussianNoise = common(
  "gaussian-noise",
  "noise",
  "normal noise at every value",
  {
    "cifar-10-c": [0.04, 0.06, 0.08, 0.09, 0.1],
    "tiny-imagenet-c": [0.04, 0.08, 0.12, 0.15, 0.18],
    "imagenet-c": [0.08, 0.12, 0.18, 0.26, 0.38],
  },
  ({ pixels }, sigma, random) => {
    const noise = random.normal(pixels.length);
    return pixels.map((x, i) => x + sigma * (noise[i] ?? 0));
  },
);
