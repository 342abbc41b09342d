// Zoom blur (Hendrycks & Dietterich 2019): the camera moves towards its object.
import { byChannel, common } from "./corruption.js";
import { zoomed } from "./resample.js";

/** 1, 1 + step, … */
const factors = (step: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => 1 + i * step);

const small = [
  factors(0.01, 7),
  factors(0.01, 12),
  factors(0.01, 16),
  factors(0.01, 21),
  factors(0.01, 26),
] as const;

/** The mean of the image and its enlargements; the factor 1 is one of them. */
export const zoomBlur = common(
  "zoom-blur",
  "blur",
  "a camera moving forwards",
  {
    "cifar-10-c": small,
    "tiny-imagenet-c": small,
    "imagenet-c": [
      factors(0.01, 12),
      factors(0.01, 16),
      factors(0.02, 11),
      factors(0.02, 13),
      factors(0.03, 11),
    ],
  },
  (image, zooms) =>
    byChannel(image, (values) => {
      const sum = Float64Array.from(values);
      for (const factor of zooms)
        zoomed({ ...image, values }, factor).forEach((v, i) => {
          sum[i] = (sum[i] ?? 0) + v;
        });
      return sum.map((v) => v / (zooms.length + 1));
    }),
);
