// The decision boundary as gradients see it: for each point the nearest of the hyperplanes z_k = z_label.
import { gradient } from "../autodiff/gradient.js";
import { vectorize } from "../autodiff/vectorize.js";
import { B, multiplyDims } from "../base/shape.js";
import { input, type Node, type Operand } from "../graph/node.js";
import { add, div, mul, neg, sub } from "../ops/arithmetic.js";
import { greater, where } from "../ops/compare.js";
import { argMax, oneHot } from "../ops/indexing.js";
import { abs } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";
import { reshape } from "../ops/reshape.js";
import { concat, slice, transpose } from "../ops/structure.js";
import { rowSums } from "../threat/rows.js";
import { asNorm } from "../threat/threat.js";
import type { AttackTarget } from "./attack.js";
import { classesOf, withoutOwn } from "./losses.js";
import { logitsAt, type AttackInputs } from "./white-box.js";

/** A hyperplane beside each point x: margin + ⟨normal, x′ − x⟩ = 0. */
export interface Boundary {
  /** [n, classes] at x. */
  readonly logits: Node;
  /** Below 0 while the attack has not reached its aim with regard to this class: [n, 1, …]. */
  readonly margin: Node;
  /** Gradient of the margin: [n, …]. */
  readonly normal: Node;
}

export interface BoundaryOptions {
  /** Classes to compare with the label, [n, m], int32. */
  readonly candidates: Node;
  /** +1: reach any of the candidates; −1: leave all of them for the label. */
  readonly direction: Operand;
}

/** Gradients taken at a time: what bounds the memory of many classes. */
const chunk = 16;

/** [n, 1] as [n, 1, …], to go with rows like those of `x`. */
const columnFor = (x: Node, values: Node): Node =>
  reshape(
    values,
    x.shape.map((_, i) => (i === 0 ? (x.shape[0] ?? B) : 1)),
  );

/** Of one candidate each; towards the label, of its strongest rival instead. */
export function boundaryOfOne(
  target: AttackTarget,
  x: Node,
  inputs: AttackInputs,
  { candidates, direction }: BoundaryOptions,
): Boundary {
  const { classifier } = target;
  const logits = logitsAt(classifier, x, inputs);
  const own = oneHot(inputs.labels, classesOf(logits));
  const rival = argMax(withoutOwn(logits, own), -1);
  const other = where(greater(direction, 0), reshape(candidates, [B]), rival);
  const cotangent = mul(sub(oneHot(other, classesOf(logits)), own), direction);
  const [normal = x] = gradient(logits, [x], { cotangent });
  return { logits, margin: columnFor(x, rowSums(mul(cotangent, logits))), normal };
}

/** Margins [m, n, 1, …] and normals [m, n, …] of the candidates [n, m]. */
function boundariesOf(logits: Node, x: Node, cotangents: Node): { margins: Node; normals: Node } {
  const [m = 1, n = B, classes = 1] = cotangents.shape;
  const placeholder = input("boundary.cotangent", logits.shape);
  const [row = x] = gradient(logits, [x], { cotangent: placeholder });
  const margins = rowSums(reshape(mul(cotangents, logits), [multiplyDims(m, n), classes]));
  return {
    margins: reshape(margins, [m, n, ...x.shape.slice(1).map(() => 1)]),
    normals: vectorize(row, placeholder, cotangents),
  };
}

/** ‖·‖* of each of [m, n, …]: [m, n, 1, …]. */
function dualNorms({ threat }: AttackTarget, normals: Node): Node {
  const [m = 1, n = 1, ...rest] = normals.shape;
  const norms = asNorm(threat).dualNorm(reshape(normals, [multiplyDims(m, n), ...rest]));
  return reshape(norms, [m, n, ...rest.map(() => 1)]);
}

/** The one of [m, n, …] that `choice` [m, n, 1, …] marks with 1. */
const chosen = (choice: Node, values: Node): Node => sum(mul(choice, values), { axes: [0] });

/**
 * Away from the label the hyperplane with the least |margin| / ‖normal‖*, the distance in the threat's norm;
 * towards it the one furthest ahead, since all have to be crossed.
 */
export function nearestBoundary(
  target: AttackTarget,
  x: Node,
  inputs: AttackInputs,
  { candidates, direction }: BoundaryOptions,
): Boundary {
  const logits = logitsAt(target.classifier, x, inputs);
  const classes = classesOf(logits);
  const count = candidates.shape[1];
  if (typeof count !== "number") throw new Error("a symbolic number of candidates");
  const starts = Array.from({ length: Math.ceil(count / chunk) }, (_, i) => i * chunk);
  const parts = starts.map((start) => {
    const some = slice(candidates, { axes: [1], starts: [start], ends: [Math.min(start + chunk, count)] });
    const units = transpose(oneHot(some, classes), [1, 0, 2]);
    const cotangents = mul(sub(units, oneHot(inputs.labels, classes)), direction);
    const { margins, normals } = boundariesOf(logits, x, cotangents);
    const away = div(margins, add(dualNorms(target, normals), 1e-12));
    const score = neg(where(greater(direction, 0), abs(away), away));
    return { margins, normals, score };
  });
  const scores = concat(
    parts.map(({ score }) => score),
    0,
  );
  const ranked = transpose(reshape(scores, [count, B]), [1, 0]);
  const marks = transpose(oneHot(argMax(ranked, -1), count), [1, 0]);
  const choices = reshape(marks, scores.shape);
  const pick = (of: (part: (typeof parts)[number]) => Node): Node =>
    parts
      .map((part, i) => {
        const [start, end] = [starts[i] ?? 0, Math.min((starts[i] ?? 0) + chunk, count)];
        return chosen(slice(choices, { axes: [0], starts: [start], ends: [end] }), of(part));
      })
      .reduce((a, b) => add(a, b));
  return { logits, margin: pick((part) => part.margins), normal: pick((part) => part.normals) };
}
