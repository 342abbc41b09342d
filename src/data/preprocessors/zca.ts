// ZCA whitening: decorrelated pixels, as close to the images as they can be (Krizhevsky 2009, appendix A).
import { z } from "zod";
import { bytesText } from "../../base/bytes-text.js";
import { check } from "../../base/errors.js";
import { quantity } from "../../base/options.js";
import { floats } from "../../base/tensor.js";
import { sub } from "../../ops/arithmetic.js";
import { matmul } from "../../ops/matmul.js";
import { reshape } from "../../ops/reshape.js";
import { imageSize } from "../dataset.js";
import { whitening, whiteningBytes } from "../whitening/whitening.js";
import { preprocessor } from "./preprocessor.js";

const schema = z.strictObject({
  regularization: quantity(1e-8).default(0.1).describe("added to the covariance's eigenvalues"),
  divisor: z.enum(["n", "n-1"]).default("n").describe("of the covariance: the number of images, or one less"),
});

/** The largest matrix that a model's file can hold: 2 GiB, less what else is in it. */
const mostValues = (2 ** 31 - 2 ** 26) / 4;

/** (x − mean)·(C + regularization·1)^(−½), C the covariance of the training images' pixels. */
export const zca = preprocessor("zca", "ZCA whitening", schema, ({ regularization, divisor }) => ({
  values: (shape) => {
    const size = imageSize(shape);
    const most = Math.floor(Math.sqrt(mostValues));
    check(
      size <= most,
      "zca",
      `images of at most ${most} numbers, whose matrix of ${bytesText(4 * most ** 2)} still goes into a model's file`,
      () => `${size} (${shape.join("×")}), with one of ${bytesText(4 * size ** 2)}`,
    );
    return [
      { name: "mean", shape: [size], initial: 0 },
      { name: "matrix", shape: [size, size], initial: 0 },
    ];
  },
  fitBytes: (shape, count) => whiteningBytes(imageSize(shape), count),
  fit: async ({ batches, imageShape, ...rest }) => {
    const columns = imageSize(imageShape);
    const { mean, matrix } = await whitening(batches(), { ...rest, columns, divisor, regularization });
    return { mean: floats([columns], mean), matrix: floats([columns, columns], matrix) };
  },
  apply: (x, value) => {
    const [rows = 1, ...shape] = x.shape;
    const flat = reshape(x, [rows, shape.reduce<number>((size, d) => size * Number(d), 1)]);
    return reshape(matmul(sub(flat, value("mean")), value("matrix")), x.shape);
  },
}));
