// Brightness (Hendrycks & Dietterich 2019): more light, hue and saturation kept.
import { valueOf } from "./color.js";
import { common } from "./corruption.js";

/** The value of HSV, raised and clipped at 1; black turns grey. */
export const brightness = common(
  "brightness",
  "weather",
  "more light: the value of HSV is raised",
  {
    "cifar-10-c": [0.05, 0.1, 0.15, 0.2, 0.3],
    "tiny-imagenet-c": [0.1, 0.2, 0.3, 0.4, 0.5],
    "imagenet-c": [0.1, 0.2, 0.3, 0.4, 0.5],
  },
  (image, more) => {
    const value = valueOf(image);
    return image.pixels.map((x, i) => {
      const old = value[i % value.length] ?? 0;
      const raised = Math.min(1, old + more);
      return old === 0 ? raised : x * (raised / old);
    });
  },
);
