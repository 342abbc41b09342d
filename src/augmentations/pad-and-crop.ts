// Padding and cropping: the image shifted by whole pixels (He et al. 2016, section 4.2, with pixels = 4).
import { z } from "zod";
import { check } from "../base/errors.js";
import type { Node } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { floor } from "../ops/piecewise.js";
import { augmentation, sizesOf } from "./augmentation.js";
import { edges, moved, ownPlaces } from "./warp.js";

const schema = z.strictObject({
  pixels: z.int().min(0).default(4).describe("padding on each side: the farthest shift along each axis"),
  edge: z.enum(edges).default("zero").describe("what the image is padded with"),
});

/** Padded by `pixels` on each side, then a window of the image's own size anywhere in it. pixels = 0: as it was. */
export const padAndCrop = augmentation(
  "pad-and-crop",
  "shifted by whole pixels: padded, then cropped anywhere",
  schema,
  { neutral: { pixels: 0 } },
  ({ pixels, edge }) =>
    (images, noise) => {
      const { rows, height, width } = sizesOf(images);
      const side = Math.min(height, width);
      check(pixels < side, "pad-and-crop.pixels", `fewer than the image's side, ${side}`, () =>
        String(pixels),
      );
      const shift = (name: string): Node => {
        const u = noise.draw({ name, shape: [rows, 1], kind: "uniform" });
        return sub(floor(mul(u, 2 * pixels + 1)), pixels);
      };
      const { y, x } = ownPlaces(height, width);
      return moved(images, { y: add(y, shift("down")), x: add(x, shift("right")) }, edge);
    },
);
