// The basic iterative method (Kurakin, Goodfellow & Bengio 2017): projected gradient from the image itself.
import { z } from "zod";
import { quantity, unit } from "../base/options.js";
import { projectedGradient, projectedGradientSchema } from "./projected-gradient.js";

const schema = projectedGradientSchema.pick({ stepSize: true, eot: true, rest: true }).extend({
  steps: z.int().min(1).default(10).describe("iterations"),
  relativeStepSize: quantity(0)
    .default(1.25)
    .describe("length of a step in units of ε / steps; all steps together go 1.25·ε as in the paper"),
});

/** Iterated steps up the loss within the ball, from the image itself. */
export const bim = unit("bim", "basic iterative method: steps from the image itself", schema, (options) => {
  const all = projectedGradientSchema.parse({ ...options, randomStart: false });
  return projectedGradient("bim", all, Object.keys(schema.shape));
});
