// The mean training image, taken away.
import { z } from "zod";
import { floats } from "../../base/tensor.js";
import { sub } from "../../ops/arithmetic.js";
import { moments, preprocessor } from "./preprocessor.js";

/** x − the mean of each pixel over the training images. */
export const pixelMean = preprocessor(
  "pixel-mean",
  "the mean of each pixel, subtracted",
  z.strictObject({}),
  () => ({
    values: (shape) => [{ name: "mean", shape, initial: 0 }],
    fit: async (images) => {
      const [channels, height, width] = images.imageShape;
      const { means } = await moments(images, channels * height * width, (element) => element);
      return { mean: floats(images.imageShape, means) };
    },
    apply: (x, value) => sub(x, value("mean")),
  }),
);
