// Zoom into or out of the middle of the image by a random factor.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { augmentation, sizesOf } from "./augmentation.js";
import { edges, ownPlaces, sampled } from "./warp.js";

const schema = z
  .strictObject({
    low: quantity(0.1, 10).default(0.9).describe("smallest factor; below 1 the image shrinks"),
    high: quantity(0.1, 10).default(1.1).describe("largest factor"),
    edge: z.enum(edges).default("zero").describe("what lies beyond the image's edge"),
  })
  .refine(({ low, high }) => low <= high, { error: "expected low ≤ high", path: ["low"] });

/** x′(c + d) = x(c + d/s) about the middle c, s ~ U(low, high), read bilinearly. low = high = 1: as it was. */
export const zoom = augmentation(
  "zoom",
  "enlarged or shrunk about the middle by a random factor",
  schema,
  { neutral: { low: 1, high: 1 } },
  ({ low, high, edge }) =>
    (images, noise) => {
      const { rows, height, width } = sizesOf(images);
      const u = noise.draw({ name: "factor", shape: [rows, 1], kind: "uniform" });
      const factor = add(low, mul(u, high - low));
      const own = ownPlaces(height, width);
      const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
      const y = add(middleY, div(sub(own.y, middleY), factor));
      const x = add(middleX, div(sub(own.x, middleX), factor));
      return sampled(images, { y, x }, edge);
    },
);
