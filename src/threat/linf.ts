// The L∞ ball: every coordinate moves by at most ε.
import { div, mul, neg } from "../ops/arithmetic.js";
import { maximum, minimum } from "../ops/extremum.js";
import { abs, sign } from "../ops/piecewise.js";
import { toNode } from "../graph/node.js";
import { fill, roomAlong } from "./room.js";
import { foldRows, largestOfRows, rowSums, scaleBack, smallest } from "./rows.js";
import { isBounded, roundingUnit, type NormThreat } from "./threat.js";

/**
 * ‖δ‖∞ = max |δᵢ|. Projection: min ‖d − δ‖₂ subject to |dᵢ| ≤ ε, which is clipping each coordinate to [−ε, ε].
 * Steepest step: length · sign(g) (Goodfellow et al. 2015); with the box clipped after it, still the best one.
 * Dual norm: Σ|gᵢ|. Way to a hyperplane: all coordinates by the same λ, or as far as the box lets them.
 */
export const linf: NormThreat = {
  name: "linf",
  title: "L∞",
  distance: (delta, columns) => foldRows(delta, columns, (largest, d) => Math.max(largest, Math.abs(d))),
  tolerance: (_, bounds) => roundingUnit(bounds),
  project: (delta, epsilon) => {
    const radius = toNode(epsilon);
    return maximum(minimum(delta, radius), neg(radius));
  },
  steepest: (gradient, { length }) => mul(sign(gradient), length),
  norm: largestOfRows,
  dualNorm: (gradient) => rowSums(abs(gradient)),
  shortest: (gradient, { from, rise, bounds }) => {
    const ways = mul(sign(gradient), sign(rise));
    const largest = maximum(largestOfRows(gradient), smallest);
    const worth = div(abs(gradient), largest);
    const room = roomAlong(ways, from, bounds);
    const limited = isBounded(bounds);
    return mul(ways, fill({ worth, speed: 1, room, rise: div(abs(rise), largest), limited }));
  },
  randomStart: (stream, at, { epsilon }, out) => stream.uniform(out, at, [-epsilon, epsilon]),
  withdraw: scaleBack,
};
