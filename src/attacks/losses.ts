// What gradient attacks climb: losses of logits, with their direction of steepest ascent.
import type { Node } from "../graph/node.js";
import { div, mul, sub } from "../ops/arithmetic.js";
import { maximum } from "../ops/extremum.js";
import { argMax, oneHot, reduceMax } from "../ops/indexing.js";
import { logSoftmax, softmax } from "../ops/log-softmax.js";
import { concat, slice } from "../ops/structure.js";
import { rowSums, smallest } from "../threat/rows.js";

export interface AttackLoss {
  /** Classes a model must have for it; default 2. */
  readonly classes?: number;
  /** Loss of each row: logits [n, classes], labels [n] → [n, 1]. */
  value(logits: Node, labels: Node): Node;
  /**
   * A positive multiple, row by row, of ∂value/∂logits: [n, classes]. Steps are normalised, so the multiple does
   * not matter – and may be chosen such that the direction outlives saturation.
   */
  ascent(logits: Node, labels: Node): Node;
  /**
   * What `ascent` of several draws must be multiplied by, so that their sum points along the gradient of the mean: [n,
   * draws], times any positive number for each row; default 1. `beside` brings [draws·n, 1] into that form.
   */
  shares?(logits: Node, labels: Node, beside: (values: Node) => Node): Node;
  /** What rises and falls with the loss, for comparisons, where `value` itself rounds unequal losses to one: [n, 1]. */
  level?(logits: Node, labels: Node): Node;
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

const largest = (x: Node): Node => reduceMax(x, { axes: [1], keepDims: true });

/** z_π1 less the mean of the logits of other `ranks` (π orders by size, ties by class), and its slope. */
function spreadOf(logits: Node, ranks: readonly number[]): { readonly size: Node; readonly slope: Node } {
  const classes = classesOf(logits);
  const places: Node[] = [];
  for (let rest = logits; places.length < Math.max(...ranks);) {
    const place = oneHot(argMax(rest, -1), classes);
    places.push(place);
    rest = sub(rest, mul(place, excluded));
  }
  const chosen = places.filter((_, i) => i === 0 || ranks.includes(i + 1));
  const slope = chosen.reduce((total, place) => sub(total, mul(place, 1 / ranks.length)));
  return { size: maximum(rowSums(mul(logits, slope)), smallest), slope };
}

/** `margin` divided by the spread of the logits. Its ascent is the gradient times the spread. */
function inSpreads(margin: AttackLoss, ranks: readonly number[]): AttackLoss {
  const value: AttackLoss["value"] = (logits, labels) =>
    div(margin.value(logits, labels), spreadOf(logits, ranks).size);
  return {
    classes: Math.max(...ranks),
    value,
    ascent: (logits, labels) =>
      sub(margin.ascent(logits, labels), mul(value(logits, labels), spreadOf(logits, ranks).slope)),
    shares(logits, _labels, beside) {
      const sizes = beside(spreadOf(logits, ranks).size);
      return div(mul(-1, largest(mul(-1, sizes))), sizes);
    },
  };
}

/** max_{i ≠ y} z_i − z_y (Carlini & Wagner 2017, f₆): above 0 where another class leads. */
const margin: AttackLoss = {
  value(logits, labels) {
    const own = oneHot(labels, classesOf(logits));
    return sub(largest(withoutOwn(logits, own)), rowSums(mul(logits, own)));
  },
  ascent(logits, labels) {
    const own = oneHot(labels, classesOf(logits));
    return sub(oneHot(argMax(withoutOwn(logits, own), -1), classesOf(logits)), own);
  },
};

/**
 * (z_t − z_y) / (z_π1 − (z_π3 + z_π4) / 2), the targeted difference of logits ratio (Croce & Hein 2020, eq. 8): t the
 * class in `targets` [n], int32.
 */
export function targetedDlr(targets: Node): AttackLoss {
  const slope = (logits: Node, labels: Node): Node =>
    sub(oneHot(targets, classesOf(logits)), oneHot(labels, classesOf(logits)));
  const value = (logits: Node, labels: Node): Node => rowSums(mul(logits, slope(logits, labels)));
  return inSpreads({ value, ascent: slope }, [3, 4]);
}

/** log Σ_{i ≠ y} exp zᵢ − z_y: [n, 1]. */
function leadOfOthers(logits: Node, labels: Node): Node {
  const own = oneHot(labels, classesOf(logits));
  const others = withoutOwn(logits, own);
  const logSumExp = sub(largest(others), largest(logSoftmax(others)));
  return sub(logSumExp, rowSums(mul(logits, own)));
}

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
    /** log Σ_{i ≠ y} exp zᵢ − z_y, of which the loss is the softplus: as exact at p_y ≈ 1 as anywhere. */
    level: leadOfOthers,
    /** 1 − p_y = exp(−softplus(−level)), by sums over rows alone: ONNX Runtime's Softplus depends on a value's place. */
    shares(logits, labels, beside) {
      const lead = leadOfOthers(logits, labels);
      const both = logSoftmax(concat([lead, sub(lead, lead)], 1));
      return softmax(beside(slice(both, { axes: [1], starts: [0], ends: [1] })));
    },
  },
  margin,
  /**
   * (max_{i ≠ y} z_i − z_y) / (z_π1 − z_π3), the difference of logits ratio (Croce & Hein 2020, eq. 6): neither
   * shifting nor scaling the logits changes it.
   */
  dlr: inSpreads(margin, [3]),
} as const satisfies Record<string, AttackLoss>;

export type AttackLossName = keyof typeof attackLosses;
export const attackLossNames = Object.keys(attackLosses) as [AttackLossName, ...AttackLossName[]];
