// Losses per sample, from logits and soft targets.
import { type Node } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { softplus } from "../ops/activation.js";
import { logSoftmax } from "../ops/log-softmax.js";
import { relu } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";
import type { LossName } from "./loss-names.js";

/** Loss of each sample: logits [n, classes] and targets [n, classes] → [n]. */
export type Loss = (logits: Node, targets: Node) => Node;

const overClasses = (terms: Node): Node => sum(terms, { axes: [-1] });

/** Losses by name. */
export const losses = {
  /** −Σ t·log softmax(z). */
  "softmax-cross-entropy": (logits, targets) => mul(-1, overClasses(mul(targets, logSoftmax(logits)))),
  /** Σ over outputs of binary cross-entropies of sigmoid(z): Σ softplus(z) − t·z (ABP's output layer). */
  "logistic-cross-entropy": (logits, targets) => overClasses(sub(softplus(logits), mul(targets, logits))),
  /** ½ Σ (z − t)². */
  "squared-error": (logits, targets) => {
    const difference = sub(logits, targets);
    return mul(0.5, overClasses(mul(difference, difference)));
  },
  /** Σ t·max(0, 0.9 − z)² + ½(1 − t)·max(0, z − 0.1)² (capsules' lengths; Sabour et al. 2017, eq. 4). */
  margin: (lengths, targets) => {
    const [short, long] = [relu(sub(0.9, lengths)), relu(sub(lengths, 0.1))];
    const absent = mul(mul(0.5, sub(1, targets)), mul(long, long));
    return overClasses(add(mul(targets, mul(short, short)), absent));
  },
} satisfies Record<LossName, Loss>;

/** Targets with label smoothing: t ← t − s·(t − 1/classes), s in [0, 1]. */
export const smoothLabels = (targets: Node, s: Node | number, classes: number): Node =>
  s === 0 ? targets : sub(targets, mul(s, sub(targets, 1 / classes)));
