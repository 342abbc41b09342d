// How far coordinates may move before they meet the box, and moves that share a rise among them.
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { greater, where } from "../ops/compare.js";
import { maximum, minimum } from "../ops/extremum.js";
import { relu, step } from "../ops/piecewise.js";
import { toNode, type Node, type Operand } from "../graph/node.js";
import { rowSums } from "./rows.js";
import type { Bounds } from "./threat.js";

/** What stands for an infinite room: far beyond any input, and its products are finite. */
export const unlimited = 1e15;

/** What each coordinate can move along `gradient` before it meets the box, at most `most`: [n, …], ≥ 0. */
export function roomOf(gradient: Node, from: Node, [low, high]: Bounds, most: Operand = unlimited): Node {
  const up = Number.isFinite(high) ? minimum(relu(sub(high, from)), most) : toNode(most);
  const down = Number.isFinite(low) ? minimum(relu(sub(from, low)), most) : toNode(most);
  return where(greater(gradient, 0), up, down);
}

/** The same along `ways` of −1, 0 and 1, where 0 counts as either; in a box of two ends half as much work. */
export function roomAlong(ways: Node, from: Node, bounds: Bounds): Node {
  const [low, high] = bounds;
  if (!Number.isFinite(high - low)) return roomOf(ways, from, bounds);
  return relu(sub((high - low) / 2, mul(ways, sub(from, (low + high) / 2))));
}

/** Newton steps towards the level; walks of FAB on networks took 4 at most to reach it to rounding. */
const newtonSteps = 5;
/** Smallest slope that a step divides by, where the largest worth is 1. */
const flattest = 1e-12;

export interface Filling {
  /** What a unit of each coordinate's move is worth, at most 1: [n, …]. */
  readonly worth: Node;
  /** How fast each coordinate moves with the level; a number for all alike. */
  readonly speed: Operand;
  /** Largest moves, [n, …]. */
  readonly room: Node;
  /** What the moves shall be worth together, ≥ 0: [n, 1, …]. */
  readonly rise: Node;
  /** Whether some room is finite. */
  readonly limited: boolean;
}

/**
 * Moves min(λ·speed, room) with Σ worth·move = rise, or all the room where that is worth less: [n, …]. The sum is
 * concave and rising in the level λ, so Newton's steps from 0 never overshoot.
 */
export function fill({ worth, speed, room, rise, limited }: Filling): Node {
  const gain = mul(worth, speed);
  const wanted = minimum(rise, unlimited);
  let level = div(wanted, maximum(rowSums(limited ? mul(gain, step(room)) : gain), flattest));
  for (let newton = 1; newton < (limited ? newtonSteps : 1); newton++) {
    const reach = mul(level, speed);
    const missing = relu(sub(wanted, rowSums(mul(worth, minimum(reach, room)))));
    const slope = rowSums(mul(gain, step(sub(room, reach))));
    level = add(level, div(missing, maximum(slope, flattest)));
  }
  return minimum(mul(level, speed), room);
}
