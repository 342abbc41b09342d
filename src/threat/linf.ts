// The L∞ ball: every coordinate moves by at most ε.
import { mul, neg } from "../ops/arithmetic.js";
import { maximum, minimum } from "../ops/extremum.js";
import { sign } from "../ops/piecewise.js";
import { toNode } from "../graph/node.js";
import { foldRows } from "./rows.js";
import { roundingUnit, type Threat } from "./threat.js";

/**
 * ‖δ‖∞ = max |δᵢ|. Projection: min ‖d − δ‖₂ subject to |dᵢ| ≤ ε, which is clipping each coordinate to [−ε, ε].
 * Steepest step: length · sign(g) (Goodfellow et al. 2015); with the box clipped after it, still the best one.
 */
export const linf: Threat = {
  name: "linf",
  title: "L∞",
  distance: (delta, columns) => foldRows(delta, columns, (largest, d) => Math.max(largest, Math.abs(d))),
  tolerance: (_, bounds) => roundingUnit(bounds),
  project: (delta, epsilon) => {
    const radius = toNode(epsilon);
    return maximum(minimum(delta, radius), neg(radius));
  },
  steepest: (gradient, { length }) => mul(sign(gradient), length),
  randomStart: (stream, at, epsilon, out) => stream.uniform(out, at, [-epsilon, epsilon]),
};
