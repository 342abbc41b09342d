// Random five-crop: a corner of the image or its middle, one of the disturbances of Di, Yu and Tian, for training.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { floats } from "../base/tensor.js";
import { corners } from "../corruptions/five-crop.js";
import { constant, type Node } from "../graph/node.js";
import { mul } from "../ops/arithmetic.js";
import { cast } from "../ops/compare.js";
import { gather } from "../ops/gather.js";
import { floor } from "../ops/piecewise.js";
import { augmentation, sizesOf } from "./augmentation.js";
import { stretched } from "./stretch.js";

const schema = z.strictObject({
  side: quantity(0.1, 1)
    .default(7 / 8)
    .describe("share of each side that is kept; 224 of 256 pixels are 7/8"),
});

/** One of the four corners or the middle, each as likely, stretched over the whole image. side = 1: as it was. */
export const fiveCrop = augmentation(
  "five-crop",
  "a corner or the middle, enlarged to the whole image",
  schema,
  { neutral: { side: 1 } },
  ({ side }) =>
    (images, noise) => {
      const { rows, height, width } = sizesOf(images);
      const crop = noise.draw({ name: "crop", shape: [rows, 1], kind: "uniform" });
      const chosen = cast(floor(mul(crop, corners.length)), "int32");
      const kept = (n: number): number => Math.max(1, Math.round(side * n));
      const first = (n: number, axis: 0 | 1): Node => {
        const starts = corners.map((shares) => Math.round(shares[axis] * (n - kept(n))));
        return gather(constant(floats([corners.length], starts)), chosen, 0);
      };
      return stretched(images, {
        top: first(height, 0),
        left: first(width, 1),
        tall: constant(floats([1, 1], [kept(height)])),
        wide: constant(floats([1, 1], [kept(width)])),
      });
    },
);
