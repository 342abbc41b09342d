// The L2 ball: the Euclidean length of the perturbation is at most ε.
import { div, mul } from "../ops/arithmetic.js";
import { sqrt } from "../ops/exponential.js";
import { maximum } from "../ops/extremum.js";
import type { Node } from "../graph/node.js";
import { abs, sign } from "../ops/piecewise.js";
import { fill, roomAlong } from "./room.js";
import { foldRows, largestOfRows, rowSums, scaleBack, smallest } from "./rows.js";
import { isBounded, roundingUnit, type NormThreat } from "./threat.js";

const norm = (x: Node): Node => sqrt(rowSums(mul(x, x)));

/**
 * ‖δ‖₂ = √Σδᵢ². Projection: min ‖d − δ‖₂ subject to ‖d‖₂ ≤ ε, which is δ · min(1, ε / ‖δ‖₂).
 * Steepest step: length · g / ‖g‖₂, with g first divided by its largest coordinate, so that squares of tiny
 * gradients do not vanish. Way to a hyperplane: λ·g, each coordinate as far as the box lets it.
 */
export const l2: NormThreat = {
  name: "l2",
  title: "L2",
  distance: (delta, columns) => foldRows(delta, columns, (total, d) => total + d * d).map(Math.sqrt),
  tolerance: (columns, bounds) => Math.sqrt(columns) * roundingUnit(bounds),
  project: (delta, epsilon) => mul(delta, div(epsilon, maximum(norm(delta), maximum(epsilon, smallest)))),
  steepest: (gradient, { length }) => {
    const scaled = div(gradient, maximum(largestOfRows(gradient), smallest));
    // Its largest coordinate is 1, so its length is at least that; of a zero gradient a floor near it stays finite.
    return mul(scaled, div(length, maximum(norm(scaled), 0.5)));
  },
  norm,
  dualNorm: (gradient) => {
    const largest = maximum(largestOfRows(gradient), smallest);
    return mul(largest, norm(div(gradient, largest)));
  },
  shortest: (gradient, { from, rise, bounds }) => {
    const ways = mul(sign(gradient), sign(rise));
    const largest = maximum(largestOfRows(gradient), smallest);
    const worth = div(abs(gradient), largest);
    const room = roomAlong(ways, from, bounds);
    const limited = isBounded(bounds);
    return mul(ways, fill({ worth, speed: worth, room, rise: div(abs(rise), largest), limited }));
  },
  /** The first d of d + 2 normal numbers, divided by the length of all, are uniform in the unit ball. */
  randomStart(stream, at, { epsilon }, out) {
    const normal = new Float32Array(out.length + 2);
    stream.normal(normal, at);
    const length = Math.sqrt(normal.reduce((total, x) => total + x * x, 0));
    for (let i = 0; i < out.length; i++) out[i] = ((normal[i] ?? 0) / length) * epsilon;
  },
  withdraw: scaleBack,
};
