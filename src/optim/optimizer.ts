// An optimizer is a pure rule: (parameter, gradient, slots, learning rate, step) → (parameter, slots), over graphs.
import type { Node } from "../graph/node.js";

export interface OptimizerState {
  readonly parameter: Node;
  /** Per-parameter state, of the parameter's shape. */
  readonly slots: Readonly<Record<string, Node>>;
}

export interface OptimizerContext {
  /** Scalar, in units of the parameter per unit of gradient. */
  readonly learningRate: Node;
  /** Number of this step, from 1, as a float32 scalar. */
  readonly step: Node;
}

export interface Optimizer {
  /** What a learning rate is where none is given. */
  readonly learningRate: number;
  /** Per-parameter slots and the value each starts with. */
  readonly slots: Readonly<Record<string, number>>;
  /** One step down `gradient`. */
  update(state: OptimizerState, gradient: Node, context: OptimizerContext): OptimizerState;
}

/** The slot `name`, which the optimizer declared. */
export function slot(state: OptimizerState, name: string): Node {
  const found = state.slots[name];
  if (found === undefined) throw new Error(`the optimizer uses slot '${name}', which it does not declare`);
  return found;
}
