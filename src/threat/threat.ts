// What a norm ball is to attacks: distance, random start, steepest step, projection – so one PGD serves every norm.
import { check } from "../base/errors.js";
import type { Position, RandomStream } from "../base/random.js";
import type { Node, Operand } from "../graph/node.js";
import { add, sub } from "../ops/arithmetic.js";
import { clip } from "../ops/piecewise.js";

/** Smallest and largest legal input value; may be infinite. */
export type Bounds = readonly [low: number, high: number];

/** Where a step starts, how long it may be (in the threat's norm), and the box it should stay in. */
export interface StepOptions {
  /** [n, …], inside `bounds`. */
  readonly from: Node;
  /** Scalar ≥ 0, in input units. */
  readonly length: Operand;
  readonly bounds: Bounds;
}

/** A ball and the box around its middle. */
export interface BoxedBall {
  /** [n, …], inside `bounds`. */
  readonly center: Node;
  /** Scalar ≥ 0, in input units. */
  readonly epsilon: Operand;
  readonly bounds: Bounds;
}

/** Where a move starts, what it shall gain along a gradient, and the box it stays in. */
export interface RiseOptions {
  /** [n, …], inside `bounds`. */
  readonly from: Node;
  /** ⟨gradient, move⟩ of each row, of either sign: [n, 1, …]. */
  readonly rise: Node;
  readonly bounds: Bounds;
}

/** Where a random start lies: around which row, how far from it at most, in which box. */
export interface StartOptions {
  /** One row, inside `bounds`. */
  readonly center: Float32Array;
  /** In input units. */
  readonly epsilon: number;
  readonly bounds: Bounds;
}

export interface Threat {
  /** Word on the command line and in records. */
  readonly name: string;
  /** For people: `L∞`. */
  readonly title: string;
  /** Whether it counts input elements: then every ε and length is a whole number of them, not in input units. */
  readonly counts?: true;
  /** ‖δ‖ of each row of [rows, columns], in float64. */
  distance(delta: Float32Array, columns: number): Float64Array;
  /** What rounding may add to ε for rows of `columns` numbers within `bounds`: the attack contract's tolerance. */
  tolerance(columns: number, bounds: Bounds): number;
  /** argmin over d of ‖d − delta‖₂ subject to ‖d‖ ≤ ε, row by row: [n, …] and a scalar → [n, …]. */
  project(delta: Node, epsilon: Operand): Node;
  /** The same within the box; absent where the box is clipped to afterwards. */
  projectIntoBox?(delta: Node, ball: BoxedBall): Node;
  /** argmax over d of ⟨gradient, d⟩ subject to ‖d‖ ≤ length, row by row; zero where the gradient is zero. */
  steepest(gradient: Node, options: StepOptions): Node;
  /** ‖delta‖ of each row: [n, …] → [n, 1, …]. */
  norm(delta: Node): Node;
  /** Fills `out` with a perturbation of `center`, uniform in the ball of radius ε; it may leave the box. */
  randomStart(stream: RandomStream, at: Position, options: StartOptions, out: Float32Array): void;
  /** Brings a perturbation of the size `distance` back into the ball of radius ε, in place. */
  withdraw(delta: Float32Array, ball: { readonly epsilon: number; readonly distance: number }): void;
}

/** Throws unless `epsilon` can be a radius of the ball: where elements are counted, a whole number or infinity. */
export function checkRadius({ name, counts }: Threat, epsilon: number, where: string): void {
  const fits = counts !== true || Number.isInteger(epsilon) || epsilon === Infinity;
  check(fits, where, `a whole number of input elements as ε in ${name}`, () => String(epsilon));
}

/** A ball whose size is a norm: it is convex, and hyperplanes lie at a distance. */
export interface NormThreat extends Threat {
  /** The dual norm, max ⟨gradient, d⟩ subject to ‖d‖ ≤ 1, of each row: [n, …] → [n, 1, …]. */
  dualNorm(gradient: Node): Node;
  /**
   * argmin over d of ‖d‖ subject to ⟨gradient, d⟩ = rise and the box, row by row: the way to a hyperplane. Where the
   * box ends before it, as far as the box allows; zero where the gradient is zero.
   */
  shortest(gradient: Node, options: RiseOptions): Node;
}

const isNorm = (threat: Threat): threat is NormThreat => "shortest" in threat;

/** `threat` as a norm's ball; throws where it is none. */
export function asNorm(threat: Threat): NormThreat {
  check(isNorm(threat), "threat", "a norm, for ways to hyperplanes", () => `'${threat.name}'`);
  return threat;
}

/** The rounding unit that tolerances count in: 2⁻²³ of the largest finite bound (1 where there is none). */
export function roundingUnit(bounds: Bounds): number {
  const finite = bounds.map(Math.abs).filter(Number.isFinite);
  return 2 ** -23 * (finite.length > 0 ? Math.max(...finite) : 1);
}

/**
 * `moved` taken back into the ball around `center` and then into the box. Clipping never leaves the ball, since
 * `center` lies in the box: each coordinate only comes closer to it.
 */
export function intoBallAndBox(threat: Threat, moved: Node, ball: BoxedBall): Node {
  const { center, epsilon, bounds } = ball;
  const delta = sub(moved, center);
  const boxed = isBounded(bounds) ? threat.projectIntoBox?.(delta, ball) : undefined;
  return intoBox(add(center, boxed ?? threat.project(delta, epsilon)), bounds);
}

/** Whether the box ends anywhere. */
export const isBounded = (bounds: Bounds): boolean => bounds.some(Number.isFinite);

/** Throws unless the box ends everywhere: without it a single element would reach anything. */
export const checkBounded = (where: string, bounds: Bounds): void =>
  check(bounds.every(Number.isFinite), where, "inputs with finite bounds", () => `[${bounds.join(", ")}]`);

/** x clipped to `bounds`. */
export const intoBox = (x: Node, [low, high]: Bounds): Node => clip(x, low, high);
