// Auto-PGD in L1 (Croce & Hein 2021, "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers",
// algorithm 1): steps along the largest coordinates of the gradient, whose number follows the best point's sparsity.
import { count } from "../base/shape.js";
import type { Node } from "../graph/node.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { and, less, lessEqual, where } from "../ops/compare.js";
import { exp } from "../ops/exponential.js";
import { maximum, minimum } from "../ops/extremum.js";
import { abs, floor, sign, step } from "../ops/piecewise.js";
import { largestOfRows, rowSums, smallest } from "../threat/rows.js";
import { intoBallAndBox } from "../threat/threat.js";
import { iterationsOf, type MakeRule } from "./apgd-rule.js";
import { columnInput } from "./nearest.js";

/** How much fewer coordinates a step moves than the best point has moved. */
const sparser = 1.5;
/** By how much a step is shortened where the best point has become no sparser, and the shortest in units of ε. */
const shrink = 1.5;
const shortest = 0.1;

/** Shares of the largest coordinate are told apart as powers of two with exponents to 2⁻²⁴, to 0.4 %. */
const [leastExponent, mostExponent, halvings] = [0.005, 24, 12];

/** 1 at the `most` largest |gradient| of each row, none of which is there without its near ties: [n, …]. */
function largestCoordinates(gradient: Node, most: Node): Node {
  const share = div(abs(gradient), maximum(largestOfRows(gradient), smallest));
  const above = (exponent: Node): Node => step(sub(share, exp(mul(-Math.LN2, exponent))));
  let low: Node = add(mul(most, 0), leastExponent);
  let high: Node = add(low, mostExponent);
  for (let halving = 0; halving < halvings; halving++) {
    const middle = mul(add(low, high), 0.5);
    const fits = lessEqual(rowSums(above(middle)), most);
    [low, high] = [where(fits, middle, low), where(fits, high, middle)];
  }
  return above(low);
}

/** How many coordinates to step along where the best point differs in so many: whole, so that a few can become one. */
const coordinates = (differing: Node): Node => maximum(floor(div(differing, sparser)), 1);

/** Coordinates that differ, row by row. */
const changed = (x: Node, from: Node): Node => rowSums(step(abs(sub(x, from))));

/**
 * x ← Π(x + η·s/‖s‖₁), s the signs of the k largest coordinates of the gradient and Π the exact projection on ball and
 * box. At a checkpoint k becomes ⌊‖x_best − x₀‖₀ / 1.5⌋; where the best point has become sparser by a twentieth, the
 * row goes back to it with η = ε, elsewhere η is divided by 1.5, down to ε / 10. In the beginning k is a fifth of all
 * coordinates, or ⌊‖x − x₀‖₀ / 1.5⌋ where the start is sparser than that.
 */
export const sparsityRule: MakeRule = ({ classifier, threat }, { inputs, start, steps }) => {
  const { model, bounds } = classifier;
  const { input: center, epsilon } = inputs;
  const width = count(model.inputShape);
  const [kept, nonzero] = [columnInput(model, "kept"), columnInput(model, "nonzero")];
  const moved = changed(start, center);
  const spread = where(less(moved, 0.5), add(moved, width), moved);
  return {
    states: [
      { input: kept, start: minimum(coordinates(spread), Math.max(Math.floor(0.2 * width), 1)) },
      { input: nonzero, start: spread },
    ],
    stepSize: epsilon,
    window: iterationsOf(0.04, steps),
    move({ point, gradient, stepSize }) {
      const signs = mul(sign(gradient), largestCoordinates(gradient, kept));
      const length = div(stepSize, maximum(rowSums(abs(signs)), 1));
      return intoBallAndBox(threat, add(point, mul(signs, length)), { center, epsilon, bounds });
    },
    decide({ best, due, window, stepSize }) {
      const now = changed(best, center);
      const fewer = and(due, less(now, mul(nonzero, 0.95)));
      const shorter = maximum(div(stepSize, shrink), mul(shortest, epsilon));
      return {
        back: fewer,
        stepSize: where(due, where(fewer, add(mul(stepSize, 0), epsilon), shorter), stepSize),
        window,
        states: [where(due, coordinates(now), kept), where(due, now, nonzero)],
      };
    },
  };
};
