// Pixelate (Hendrycks & Dietterich 2019): an image enlarged from fewer pixels.
import { byChannel, common } from "./corruption.js";
import { boxed } from "./resample.js";

/** Each axis reduced to a share of its pixels and enlarged again, by boxes. */
export const pixelate = common(
  "pixelate",
  "digital",
  "fewer, larger pixels",
  {
    "cifar-10-c": [0.95, 0.9, 0.85, 0.75, 0.65],
    "tiny-imagenet-c": [0.9, 0.8, 0.7, 0.6, 0.5],
    "imagenet-c": [0.6, 0.5, 0.4, 0.3, 0.25],
  },
  (image, share) => {
    const { height, width } = image;
    return byChannel(image, (values) => {
      const few = boxed({ values, height, width }, Math.floor(height * share), Math.floor(width * share));
      return boxed(few, height, width).values;
    });
  },
);
