// What tells the norms apart in Auto-PGD: how a point moves, and what is decided at its checkpoints.
import type { InputNode, Node, Operand } from "../graph/node.js";
import type { AttackTarget } from "./attack.js";
import type { AttackInputs } from "./white-box.js";

/** Above every loss: what a fallen point counts, so that none takes its place. */
export const largeLoss = 1e30;

/** A state of the loop, and its value in the first iteration: a number per row, or like the state. */
export interface State {
  readonly input: InputNode;
  readonly start: Operand;
}

/** Where an iteration begins: points and gradients [n, …], everything else [n, 1, …]. */
export interface Stand {
  readonly point: Node;
  readonly gradient: Node;
  readonly stepSize: Node;
}

/** What an iteration has seen; flags are boolean. */
export interface Seen extends Omit<Stand, "gradient"> {
  /** Loss at the point that was moved to. */
  readonly loss: Node;
  readonly best: Node;
  readonly bestLoss: Node;
  /** Whether this iteration ends at a checkpoint. */
  readonly due: Node;
  /** Iterations between the last checkpoint and this one. */
  readonly window: Node;
}

export interface Decision {
  /** Rows that go back to their best point. */
  readonly back: Node;
  readonly stepSize: Node;
  readonly window: Node;
  /** The rule's own states, in their order. */
  readonly states: readonly Node[];
}

export interface StepRule {
  readonly states: readonly State[];
  /** The first step size, and iterations to the first checkpoint. */
  readonly stepSize: Operand;
  readonly window: number;
  move(stand: Stand): Node;
  decide(seen: Seen): Decision;
}

export interface RuleOptions {
  readonly inputs: AttackInputs;
  /** The point to begin from, in ball and box: [n, …]. */
  readonly start: Node;
  readonly steps: number;
  /** Share of rising steps below which a step size is halved. */
  readonly rho: number;
}

export type MakeRule = (target: AttackTarget, options: RuleOptions) => StepRule;

/** `share` of all steps in whole iterations, at least one. */
export const iterationsOf = (share: number, steps: number): number =>
  // Shares are decimal fractions: 0.06 · 50 is 3.
  Math.max(Math.floor(share * steps + 1e-9), 1);
