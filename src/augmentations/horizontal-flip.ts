// Horizontal flip: left and right exchanged in a share of the images.
import { z } from "zod";
import { tensor } from "../base/tensor.js";
import { constant } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { gather } from "../ops/gather.js";
import { augmentation, sizesOf } from "./augmentation.js";

const schema = z.strictObject({
  p: z.number().min(0).max(1).default(0.5).describe("share of the images that are flipped"),
});

/** x′(y, x) = x(y, width − 1 − x) with probability p, else x. p = 0 leaves images as they are. */
export const horizontalFlip = augmentation(
  "horizontal-flip",
  "left and right exchanged in a share of the images",
  schema,
  { neutral: { p: 0 } },
  ({ p }) =>
    (images, noise) => {
      const { rows, width } = sizesOf(images);
      const flips = noise.draw({ name: "flips", shape: [rows, 1, 1, 1], kind: "bernoulli", p });
      const columns = Int32Array.from({ length: width }, (_, x) => width - 1 - x);
      const flipped = gather(images, constant(tensor("int32", [width], columns)), 3);
      return add(mul(images, sub(1, flips)), mul(flipped, flips));
    },
);
