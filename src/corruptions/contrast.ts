// Contrast (Hendrycks & Dietterich 2019): everything nearer to its channel's mean.
import { byChannel, common } from "./corruption.js";

/** mean + share·(x − mean), the mean over each channel. */
export const contrast = common(
  "contrast",
  "digital",
  "less contrast: nearer to the mean",
  {
    "cifar-10-c": [0.75, 0.5, 0.4, 0.3, 0.15],
    "tiny-imagenet-c": [0.4, 0.3, 0.2, 0.1, 0.05],
    "imagenet-c": [0.4, 0.3, 0.2, 0.1, 0.05],
  },
  (image, share) =>
    byChannel(image, (values) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return values.map((x) => mean + share * (x - mean));
    }),
);
