// What normalising operators share.
import { fail } from "../base/errors.js";
import type { Node } from "../graph/node.js";
import { add, div, mean, mul, reshape, sqrt, sub } from "../ops/index.js";

export const refuseTraining = (what: string): never =>
  fail(what, "inference", "training mode: export the model in inference mode");

/** [C] as [C, 1, …], to stand beside [N, C, …]. */
export const besideChannels = (v: Node, x: Node): Node =>
  reshape(v, [v.shape[0] ?? 1, ...x.shape.slice(2).map(() => 1)]);

export interface Moments {
  /** x − μ. */
  readonly centred: Node;
  readonly mean: Node;
  /** √(σ² + ε). */
  readonly deviation: Node;
}

/** Mean and deviation of x over `axes`, which are kept. */
export function moments(x: Node, axes: readonly number[], epsilon: number): Moments {
  const mu = mean(x, { axes, keepDims: true });
  const centred = sub(x, mu);
  return {
    centred,
    mean: mu,
    deviation: sqrt(add(mean(mul(centred, centred), { axes, keepDims: true }), epsilon)),
  };
}

/** (x − μ)/√(σ² + ε) over `axes`. */
export function normalized(x: Node, axes: readonly number[], epsilon: number): Node {
  const { centred, deviation } = moments(x, axes, epsilon);
  return div(centred, deviation);
}

/** The axes of x from `first` on. */
export const axesFrom = (x: Node, first: number): number[] =>
  x.shape.flatMap((_, i) => (i < first ? [] : [i]));

/** x normalised over its axes from `first` on. */
export const layerNormalized = (x: Node, first: number, epsilon: number): Node =>
  normalized(x, axesFrom(x, first), epsilon);
