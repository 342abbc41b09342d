// Sums over all but the first axis, with bits that do not depend on where a row stands in its batch.
import { multiplyDims } from "../base/shape.js";
import { floats } from "../base/tensor.js";
import { constant, type Node } from "../graph/node.js";
import { reduceMax } from "../ops/indexing.js";
import { matmul } from "../ops/matmul.js";
import { abs } from "../ops/piecewise.js";
import { reshape } from "../ops/reshape.js";

/** The shape [n, 1, 1, …] that broadcasts over rows like those of `x`. */
const onePerRow = (x: Node) => x.shape.map((d, i) => (i === 0 ? d : 1));

/**
 * Σ of each row: [n, …] → [n, 1, …]. A product with ones, because ReduceSum starts its vector loop at the first
 * aligned address: where the row length is no multiple of the vector, a row's sum depends on its place.
 */
export function rowSums(x: Node): Node {
  const [n = 1, ...rest] = x.shape;
  const columns = rest.reduce(multiplyDims, 1);
  if (typeof columns !== "number") throw new Error("rows of a symbolic size");
  const ones = constant(floats([columns, 1], new Float32Array(columns).fill(1)));
  return reshape(matmul(reshape(x, [n, columns]), ones), onePerRow(x));
}

/** max |x| of each row: [n, …] → [n, 1, …]. */
export const largestOfRows = (x: Node): Node =>
  reduceMax(abs(x), { axes: x.shape.slice(1).map((_, i) => i + 1), keepDims: true });

/** What keeps a division by a row's size finite where the row is all zero. */
export const smallest = 1e-30;

/** `delta` scaled to the length ε, which is inside the ball of any norm. */
export function scaleBack(
  delta: Float32Array,
  { epsilon, distance }: { readonly epsilon: number; readonly distance: number },
): void {
  delta.forEach((d, i) => (delta[i] = d * (epsilon / distance)));
}

/** Folds each row of [rows, columns] on the host, in float64, from 0. */
export function foldRows(
  values: Float32Array,
  columns: number,
  fold: (total: number, value: number) => number,
): Float64Array {
  const result = new Float64Array(values.length / columns);
  for (let row = 0, i = 0; row < result.length; row++) {
    let total = 0;
    for (const end = i + columns; i < end; i++) total = fold(total, values[i] ?? NaN);
    result[row] = total;
  }
  return result;
}
