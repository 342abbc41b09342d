// Mean 0 and standard deviation 1, over all pixels of the training set or for each channel.
import { z } from "zod";
import { floats } from "../../base/tensor.js";
import { div, sub } from "../../ops/arithmetic.js";
import type { ImageShape } from "../dataset.js";
import { checkVaries, moments, preprocessor, type FitImages } from "./preprocessor.js";

const schema = z.strictObject({
  over: z
    .enum(["set", "channels"])
    .default("set")
    .describe("one mean and deviation for all pixels of the set, or for each channel"),
});

/** (x − mean)/deviation, deviation over all n pixels (divided by n). */
export const standardize = preprocessor(
  "standardize",
  "mean 0 and standard deviation 1",
  schema,
  ({ over }) => {
    const shapeOf = ([channels]: ImageShape): number[] => (over === "set" ? [1, 1, 1] : [channels, 1, 1]);
    const fit = async (images: FitImages) => {
      const { imageShape } = images;
      const area = imageShape[1] * imageShape[2];
      const shape = shapeOf(imageShape);
      const groupOf = (element: number): number => (over === "set" ? 0 : Math.floor(element / area));
      const { means, variances } = await moments(images, shape[0] ?? 1, groupOf);
      checkVaries("standardize", variances);
      return { mean: floats(shape, means), deviation: floats(shape, variances.map(Math.sqrt)) };
    };
    return {
      values: (shape) => [
        { name: "mean", shape: shapeOf(shape), initial: 0 },
        { name: "deviation", shape: shapeOf(shape), initial: 1 },
      ],
      fit,
      apply: (x, value) => div(sub(x, value("mean")), value("deviation")),
    };
  },
);
