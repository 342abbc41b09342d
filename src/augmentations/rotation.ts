// Rotation about the middle of the image by a random angle.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { cos, sin } from "../ops/trigonometry.js";
import { augmentation, sizesOf } from "./augmentation.js";
import { edges, ownPlaces, sampled } from "./warp.js";

const schema = z.strictObject({
  degrees: quantity(0, 180).default(15).describe("largest angle, to either side"),
  edge: z.enum(edges).default("zero").describe("what lies beyond the image's edge"),
});

/** x′(c + d) = x(c + R(θ)d) about the middle c, θ ~ U(−degrees, degrees), read bilinearly. 0: as it was. */
export const rotation = augmentation(
  "rotation",
  "turned about the middle by a random angle",
  schema,
  { neutral: { degrees: 0 } },
  ({ degrees, edge }) =>
    (images, noise) => {
      const { rows, height, width } = sizesOf(images);
      const u = noise.draw({ name: "angle", shape: [rows, 1], kind: "uniform" });
      const angle = mul(sub(mul(u, 2), 1), (degrees * Math.PI) / 180);
      const own = ownPlaces(height, width);
      const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
      const [down, right] = [sub(own.y, middleY), sub(own.x, middleX)];
      const y = add(middleY, sub(mul(down, cos(angle)), mul(right, sin(angle))));
      const x = add(middleX, add(mul(down, sin(angle)), mul(right, cos(angle))));
      return sampled(images, { y, x }, edge);
    },
);
