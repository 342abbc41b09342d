// The L1 ball: the absolute changes add up to at most ε.
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { greater, lessEqual, cast, where } from "../ops/compare.js";
import { maximum, minimum } from "../ops/extremum.js";
import { abs, relu, sign } from "../ops/piecewise.js";
import type { Node, Operand } from "../graph/node.js";
import { projectL1IntoBox } from "./l1-box.js";
import { roomOf, unlimited } from "./room.js";
import { foldRows, largestOfRows, rowSums, scaleBack, smallest } from "./rows.js";
import { roundingUnit, type RiseOptions, type StepOptions, type NormThreat } from "./threat.js";

/** Newton steps towards the projection's threshold; 16 reach it to rounding in every case tried. */
const newtonSteps = 16;
/** Halvings of the interval in which the steepest step's threshold lies: 2⁻²⁴ of the largest coordinate is left. */
const halvings = 24;

/**
 * Soft threshold sign(δ)·max(|δ| − θ, 0) with Σ max(|δᵢ| − θ, 0) = ε (Duchi et al. 2008), θ by Newton's method: the
 * sum is convex and falling in θ, so steps from the left never overshoot. What they leave is scaled away.
 */
function project(delta: Node, epsilon: Operand): Node {
  const size = abs(delta);
  let threshold = relu(sub(largestOfRows(delta), epsilon));
  for (let step = 0; step < newtonSteps; step++) {
    const above = relu(sub(size, threshold));
    const excess = relu(sub(rowSums(above), epsilon));
    threshold = add(threshold, div(excess, maximum(rowSums(sign(above)), 1)));
  }
  const shrunk = mul(sign(delta), relu(sub(size, threshold)));
  const total = rowSums(abs(shrunk));
  return mul(shrunk, div(epsilon, maximum(total, maximum(epsilon, smallest))));
}

const costAbove = (share: Node, cost: Node, threshold: Node): Node =>
  rowSums(mul(cost, cast(greater(share, threshold), "float32")));

/**
 * Moves of all their room in the order of `share` (0 … 1) until `budget` is spent at `cost` each. The order is a
 * threshold on the share, found by bisection; what lies within 2⁻²⁴ of it gets the rest in equal parts.
 */
function greedy(share: Node, room: Node, { cost, budget }: { cost: Node; budget: Operand }): Node {
  let low: Node = mul(largestOfRows(share), 0);
  let high: Node = add(low, 1);
  for (let step = 0; step < halvings; step++) {
    const middle = mul(add(low, high), 0.5);
    const affordable = lessEqual(costAbove(share, cost, middle), budget);
    [low, high] = [where(affordable, low, middle), where(affordable, middle, high)];
  }
  const whole = cast(greater(share, high), "float32");
  const edge = sub(cast(greater(share, low), "float32"), whole);
  const rest = relu(sub(budget, rowSums(mul(cost, whole))));
  const part = minimum(div(rest, maximum(rowSums(mul(cost, edge)), smallest)), 1);
  return mul(room, add(whole, mul(edge, part)));
}

/** |g| / max|g|. */
const shareOf = (gradient: Node): Node => div(abs(gradient), maximum(largestOfRows(gradient), smallest));

/** The best step of L1 length `length` inside the box: coordinates in the order of |g|, each to its bound. */
function steepest(gradient: Node, { from, length, bounds }: StepOptions): Node {
  const room = roomOf(gradient, from, bounds, length);
  return mul(sign(gradient), greedy(shareOf(gradient), room, { cost: room, budget: length }));
}

/** Coordinates in the order of |g|, each to its bound, until the rise is made. */
function shortest(gradient: Node, { from, rise, bounds }: RiseOptions): Node {
  const uphill = mul(gradient, sign(rise));
  const share = shareOf(gradient);
  const room = roomOf(uphill, from, bounds);
  const budget = minimum(div(abs(rise), maximum(largestOfRows(gradient), smallest)), unlimited);
  return mul(sign(uphill), greedy(share, room, { cost: mul(share, room), budget }));
}

/**
 * ‖δ‖₁ = Σ|δᵢ|. Projection: min ‖d − δ‖₂ subject to ‖d‖₁ ≤ ε. Steepest step: max ⟨g, d⟩ subject to ‖d‖₁ ≤ length
 * and the box; the way to a hyperplane is its dual. (The literature's choices – the one largest coordinate, or SLIDE's top share of them with equal
 * weights, Tramèr & Boneh 2019 – waste what the box cuts off, or miss the worst case of a linear model.)
 */
export const l1: NormThreat = {
  name: "l1",
  title: "L1",
  distance: (delta, columns) => foldRows(delta, columns, (total, d) => total + Math.abs(d)),
  tolerance: (columns, bounds) => columns * roundingUnit(bounds),
  project,
  projectIntoBox: projectL1IntoBox,
  steepest,
  norm: (delta) => rowSums(abs(delta)),
  dualNorm: largestOfRows,
  shortest,
  /** Exponential sizes divided by the sum of one more than d of them, with random signs (Dirichlet). */
  randomStart(stream, at, { epsilon }, out) {
    const words = new Uint32Array(out.length + 1);
    stream.words(words, at);
    const sizes = Float64Array.from(words, (word) => -Math.log(((word >>> 8) + 0.5) * 2 ** -24));
    const total = sizes.reduce((a, b) => a + b, 0);
    for (let i = 0; i < out.length; i++)
      out[i] = ((sizes[i] ?? 0) / total) * epsilon * (((words[i] ?? 0) & 1) === 0 ? 1 : -1);
  },
  withdraw: scaleBack,
};
