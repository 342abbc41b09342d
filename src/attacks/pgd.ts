// Projected gradient descent (Madry et al. 2018).
import { unit } from "../base/options.js";
import { projectedGradient, projectedGradientSchema } from "./projected-gradient.js";

/** Iterated steps up the loss within the ball, from a random point of it. */
export const pgd = unit(
  "pgd",
  "projected gradient descent: many small steps",
  projectedGradientSchema,
  (options) => projectedGradient("pgd", options),
);
