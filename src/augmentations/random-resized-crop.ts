// Random resized crop (Szegedy et al. 2015, section 6): a window of random size and shape, as ImageNet's networks train.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { exp, sqrt } from "../ops/exponential.js";
import { round } from "../ops/piecewise.js";
import { slice } from "../ops/structure.js";
import type { Node } from "../graph/node.js";
import { augmentation, sizesOf } from "./augmentation.js";
import { firstThatFits, startOf } from "./rectangles.js";
import { stretched } from "./stretch.js";

const schema = z
  .strictObject({
    low: quantity(0.01, 1).default(0.08).describe("smallest area, as a share of the image"),
    high: quantity(0.01, 1).default(1).describe("largest area"),
    aspect: quantity(1, 10)
      .default(4 / 3)
      .describe("largest width/height, as a multiple of the image's own; the smallest is 1 over it"),
  })
  .refine(({ low, high }) => low <= high, { error: "expected low ≤ high", path: ["low"] });

/** Windows drawn for an image, of which the first that fits is taken. */
const tries = 10;

/**
 * A window anywhere in the image, of area U(low, high) of it and of width/height exp(U(−ln a, ln a)) times its own, a =
 * aspect, stretched over the whole image; of 10 windows the first that fits, the whole image where none does. The window
 * is of the image as the model takes it, so it shows no more detail. low = high = aspect = 1: as it was.
 */
export const randomResizedCrop = augmentation(
  "random-resized-crop",
  "a window of random size and shape, enlarged to the whole image",
  schema,
  { neutral: { low: 1, high: 1, aspect: 1 } },
  ({ low, high, aspect }) =>
    (images, noise) => {
      const { rows, height, width } = sizesOf(images);
      const uniform = (name: string, from: number, to: number): Node =>
        add(from, mul(to - from, noise.draw({ name, shape: [rows, tries], kind: "uniform" })));
      const areas = uniform("areas", low, high);
      const ratios = exp(uniform("aspects", -Math.log(aspect), Math.log(aspect)));
      const drawn = {
        tall: round(mul(sqrt(div(areas, ratios)), height)),
        wide: round(mul(sqrt(mul(areas, ratios)), width)),
      };
      const first = firstThatFits(drawn, { tries, most: { height, width } });
      const orWhole = (n: number, length: Node): Node => add(n, mul(first.fits, sub(length, n)));
      const [tall, wide] = [orWhole(height, first.tall), orWhole(width, first.wide)];
      const corner = noise.draw({ name: "corner", shape: [rows, 2], kind: "uniform" });
      const along = (axis: number): Node => slice(corner, { axes: [1], starts: [axis], ends: [axis + 1] });
      const top = startOf(height, tall, along(0));
      return stretched(images, { top, left: startOf(width, wide, along(1)), tall, wide });
    },
);
