// Impulse noise (Hendrycks & Dietterich 2019): salt and pepper in each channel.
import { common } from "./corruption.js";

/** A share of the values becomes 0 or 1, either as likely. */
export const impulseNoise = common(
  "impulse-noise",
  "noise",
  "salt and pepper: single values black or white",
  {
    "cifar-10-c": [0.01, 0.02, 0.03, 0.05, 0.07],
    "tiny-imagenet-c": [0.01, 0.02, 0.05, 0.08, 0.14],
    "imagenet-c": [0.03, 0.06, 0.09, 0.17, 0.27],
  },
  ({ pixels }, share, random) => {
    const hit = random.uniform(pixels.length);
    const kind = random.uniform(pixels.length);
    return pixels.map((x, i) => ((hit[i] ?? 1) >= share ? x : (kind[i] ?? 0) < 0.5 ? 1 : 0));
  },
);
