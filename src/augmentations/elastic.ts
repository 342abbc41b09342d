// Elastic distortion (Simard, Steinkraus and Platt 2003): every pixel pulled along a smooth random field.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { floats } from "../base/tensor.js";
import { gaussianTaps } from "../corruptions/filter.js";
import { constant, type Node } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { matmul } from "../ops/matmul.js";
import { reshape } from "../ops/reshape.js";
import { slice, transpose } from "../ops/structure.js";
import { augmentation, sizesOf } from "./augmentation.js";
import { edges, ownPlaces, sampled } from "./warp.js";

const schema = z.strictObject({
  alpha: quantity(0).default(34).describe("strength (α): the smoothed field is multiplied by it, pixels"),
  sigma: quantity(0).default(4).describe("standard deviation of the smoothing (σ), pixels"),
  edge: z.enum(edges).default("zero").describe("what lies beyond the image's edge"),
});

/** [n, n]: convolution with a Gaussian cut off at 4σ, zeros beyond the ends. */
function smoothing(n: number, sigma: number): Node {
  const radius = Math.floor(4 * sigma + 0.5);
  const taps = sigma === 0 ? Float64Array.of(1) : gaussianTaps(sigma, radius);
  const middle = (taps.length - 1) / 2;
  const values = Float32Array.from({ length: n * n }, (_, at) => {
    const distance = Math.floor(at / n) - (at % n);
    return taps[middle + distance] ?? 0;
  });
  return constant(floats([n, n], values));
}

/**
 * x′(p) = x(p + α·(Gσ ∗ u)(p)), u ~ U(−1, 1) for each pixel and axis, Gσ of sum 1, x read bilinearly. α and σ were
 * tuned on images of 29×29. α = 0 leaves images as they are.
 */
export const elastic = augmentation(
  "elastic",
  "elastic distortion: pixels pulled along a smooth random field",
  schema,
  { neutral: { alpha: 0 } },
  ({ alpha, sigma, edge }) =>
    (images, noise) => {
      const { rows, height, width } = sizesOf(images);
      // Drawn with its axes swapped, so that smoothing along both needs one transposition.
      const drawn = noise.draw({ name: "field", shape: [rows, 2, width, height], kind: "uniform" });
      const signed = sub(mul(drawn, 2), 1);
      const alongColumns = transpose(matmul(signed, smoothing(height, sigma)), [0, 1, 3, 2]);
      const field = mul(matmul(alongColumns, smoothing(width, sigma)), alpha);
      const along = (axis: number): Node =>
        reshape(slice(field, { axes: [1], starts: [axis], ends: [axis + 1] }), [rows, height * width]);
      const own = ownPlaces(height, width);
      return sampled(images, { y: add(own.y, along(0)), x: add(own.x, along(1)) }, edge);
    },
);
