// What gradient attacks climb: losses of logits, with their direction of steepest ascent.
import type { Node } from "../graph/node.js";
import { mul, sub } from "../ops/arithmetic.js";
import { argMax, oneHot, reduceMax } from "../ops/indexing.js";
import { logSoftmax, softmax } from "../ops/log-softmax.js";
import { rowSums } from "../threat/rows.js";

export interface AttackLoss {
  /** Loss of each row: logits [n, classes], labels [n] → [n, 1]. */
  value(logits: Node, labels: Node): Node;
  /**
   * A positive multiple, row by row, of ∂value/∂logits: [n, classes]. Steps are normalised, so the multiple does
   * not matter – and may be chosen such that the direction outlives saturation.
   */
  ascent(logits: Node, labels: Node): Node;
}

/** Takes the true class out of a softmax: far below any logit, and finite. */
const excluded = 1e30;

/** The number of classes of logits [n, classes]. */
export const classesOf = (logits: Node): number => {
  const classes = logits.shape[1];
  if (typeof classes !== "number") throw new Error("logits of a symbolic number of classes");
  return classes;
};

/** `logits` with the class of `own` (one-hot rows) out of every maximum. */
export const withoutOwn = (logits: Node, own: Node): Node => sub(logits, mul(own, excluded));

/** Losses by the word of the option `loss`. */
export const attackLosses = {
  /**
   * −log softmax(z)_y. Its gradient p − 1_y equals (1 − p_y)·(q − 1_y) with q the softmax over the other classes.
   * Without the factor 1 − p_y the direction stays exact where p_y rounds to 1 and the plain form loses it.
   */
  "cross-entropy": {
    value: (logits, labels) => mul(-1, rowSums(mul(oneHot(labels, classesOf(logits)), logSoftmax(logits)))),
    ascent: (logits, labels) => {
      const own = oneHot(labels, classesOf(logits));
      return sub(softmax(withoutOwn(logits, own)), own);
    },
  },
  /** max_{i ≠ y} z_i − z_y (Carlini & Wagner 2017, f₆): above 0 where another class leads. */
  margin: {
    value(logits, labels) {
      const own = oneHot(labels, classesOf(logits));
      const best = reduceMax(withoutOwn(logits, own), { axes: [1], keepDims: true });
      return sub(best, rowSums(mul(logits, own)));
    },
    ascent(logits, labels) {
      const own = oneHot(labels, classesOf(logits));
      return sub(oneHot(argMax(withoutOwn(logits, own), -1), classesOf(logits)), own);
    },
  },
} as const satisfies Record<string, AttackLoss>;

export type AttackLossName = keyof typeof attackLosses;
export const attackLossNames = Object.keys(attackLosses) as [AttackLossName, ...AttackLossName[]];
