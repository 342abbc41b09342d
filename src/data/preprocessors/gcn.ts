// Global contrast normalisation: each image by itself, to mean 0 and one length (Coates, Ng and Lee 2011; with scale 55
// as in the data that SGM's authors trained on).
import { z } from "zod";
import { quantity } from "../../base/options.js";
import { div, mul, sub } from "../../ops/arithmetic.js";
import { sqrt } from "../../ops/exponential.js";
import { maximum } from "../../ops/extremum.js";
import { sum } from "../../ops/reduce.js";
import { mean } from "../../ops/size.js";
import { preprocessor, unfitted } from "./preprocessor.js";

const schema = z.strictObject({
  scale: quantity(1e-6).default(55).describe("L2 norm of every image afterwards"),
});

const all = { axes: [1, 2, 3], keepDims: true };

/** scale·(x − mean(x))/‖x − mean(x)‖; an image of one colour becomes 0. */
export const gcn = preprocessor("gcn", "global contrast normalisation", schema, ({ scale }) => ({
  ...unfitted,
  apply: (x) => {
    const centered = sub(x, mean(x, all));
    // Far below the least contrast of 8-bit pixels; above 0, where the root has no derivative.
    const length = sqrt(maximum(sum(mul(centered, centered), all), 1e-10));
    return mul(div(centered, length), scale);
  },
}));
