// Random grayscale: colours turned grey in a share of the images (Chen et al. 2020, SimCLR, with p = 0.2).
import { z } from "zod";
import { floats } from "../base/tensor.js";
import { lumaWeights } from "../corruptions/color.js";
import { constant } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { sum } from "../ops/reduce.js";
import { augmentation, sizesOf } from "./augmentation.js";

const schema = z.strictObject({
  p: z.number().min(0).max(1).default(0.2).describe("share of the images that lose their colours"),
});

/**
 * With probability p each channel becomes the luma 0.299·red + 0.587·green + 0.114·blue. p = 0: as it was. Images of
 * 3 channels only.
 */
export const randomGrayscale = augmentation(
  "random-grayscale",
  "colours turned grey in a share of the images",
  schema,
  { neutral: { p: 0 }, channels: [3] },
  ({ p }) =>
    (images, noise) => {
      const { rows } = sizesOf(images);
      const grey = noise.draw({ name: "grey", shape: [rows, 1, 1, 1], kind: "bernoulli", p });
      const weights = constant(floats([1, 3, 1, 1], lumaWeights));
      const luma = sum(mul(images, weights), { axes: [1], keepDims: true });
      return add(mul(images, sub(1, grey)), mul(luma, grey));
    },
);
