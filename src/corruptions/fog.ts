// Fog (Hendrycks & Dietterich 2019): clouds before the image.
import { common } from "./corruption.js";
import { clouds } from "./plasma.js";

/** (x + density·clouds) · max x / (max x + density). */
export const fog = common(
  "fog",
  "weather",
  "clouds of fog before the image",
  {
    "cifar-10-c": [
      [0.2, 3],
      [0.5, 3],
      [0.75, 2.5],
      [1, 2],
      [1.5, 1.75],
    ],
    "tiny-imagenet-c": [
      [0.4, 3],
      [0.7, 3],
      [1, 2.5],
      [1.5, 2],
      [2, 1.75],
    ],
    "imagenet-c": [
      [1.5, 2],
      [2, 2],
      [2.5, 1.7],
      [2.5, 1.5],
      [3, 1.4],
    ],
  },
  ({ pixels, height, width }, [density, decay]: readonly [number, number], random) => {
    const fog = clouds(height, width, { decay, random });
    const high = pixels.reduce((a, b) => Math.max(a, b), 0);
    return pixels.map((x, i) => ((x + density * (fog[i % fog.length] ?? 0)) * high) / (high + density));
  },
);
