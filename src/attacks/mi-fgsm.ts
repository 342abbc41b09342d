// The momentum iterative method (Dong et al. 2018): steps along a decaying sum of gradients.
import { z } from "zod";
import { quantity, unit } from "../base/options.js";
import { projectedGradient, projectedGradientSchema } from "./projected-gradient.js";

const schema = projectedGradientSchema.pick({ stepSize: true, eot: true, rest: true }).extend({
  steps: z.int().min(1).default(10).describe("iterations"),
  relativeStepSize: quantity(0).default(1).describe("length of a step in units of ε / steps"),
  momentum: quantity(0).default(1).describe("share of the sum of earlier gradients that is kept"),
});

/** x ← Π(x + steepest(m)), m ← μ·m + g / ‖g‖₁, from the image itself (equations 6 and 7). */
export const miFgsm = unit("mi-fgsm", "momentum iterative method", schema, (options) => {
  const all = projectedGradientSchema.parse({ ...options, randomStart: false });
  return projectedGradient("mi-fgsm", all, Object.keys(schema.shape));
});
