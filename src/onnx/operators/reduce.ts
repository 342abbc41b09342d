// Reductions over axes: an attribute or input 2, all axes where neither is given.
import { fail } from "../../base/errors.js";
import { addDims, multiplyDims, sizeOf, type Dim } from "../../base/shape.js";
import type { Node } from "../../graph/node.js";
import { reducedAxes, type ReduceOptions } from "../../ops/reduce.js";
import {
  abs,
  add,
  broadcastTo,
  exp,
  log,
  mean,
  mul,
  neg,
  reduceMax,
  reshape,
  slice,
  sqrt,
  stopGradient,
  sub,
  sum,
  transpose,
} from "../../ops/index.js";
import { axesOf, type Builder } from "../call.js";
import { onNumbers } from "../combine.js";
import { known } from "../value.js";

type Reduce = (x: Node, options: ReduceOptions) => Node;

/** `onKnown` reduces known numbers, all of them at once. */
const reduction =
  (build: Reduce, onKnown?: (x: Dim, y: Dim) => Dim): Builder =>
  (call) => {
    const axes = axesOf(call) ?? [];
    const keepDims = call.int("keepdims", 1) !== 0;
    const value = call.value(0);
    if (axes.length === 0 && call.int("noop_with_empty_axes", 0) !== 0) return value;
    if (value.kind === "known" && onKnown && value.shape.length <= 1 && value.data.length > 0)
      return known(value.dtype, keepDims ? value.shape.map(() => 1) : [], [value.data.reduce(onKnown)]);
    return build(call.at(0), { ...(axes.length > 0 && { axes }), keepDims });
  };

export const ReduceSum = reduction(sum, addDims);
export const ReduceMean = reduction(mean);

/** Products over the last axis, halves with halves. */
function productOfRows(x: Node, n: number): Node {
  if (n <= 1) return n === 1 ? x : broadcastTo(1, [...x.shape.slice(0, -1), 1]);
  const half = Math.floor(n / 2);
  const part = (from: number, to: number): Node => slice(x, { axes: [-1], starts: [from], ends: [to] });
  const product = productOfRows(mul(part(0, half), part(half, 2 * half)), half);
  return n % 2 === 0 ? product : mul(product, part(n - 1, n));
}

export const ReduceProd = reduction((x, options) => {
  const axes = reducedAxes("axes", x.shape.length, options);
  const kept = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
  const n = sizeOf(axes.map((axis) => x.shape[axis] ?? 1));
  if (typeof n !== "number") return fail("axes", "axes that do not depend on the batch", axes.join(", "));
  const leading = kept.map((axis) => x.shape[axis] ?? 1);
  const product = productOfRows(reshape(transpose(x, [...kept, ...axes]), [...leading, n]), n);
  return reshape(product, options.keepDims ? x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) : leading);
}, multiplyDims);

export const ReduceMax = reduction(reduceMax, onNumbers("ReduceMax", Math.max));
export const ReduceMin = reduction(
  (x, options) => neg(reduceMax(neg(x), options)),
  onNumbers("ReduceMin", Math.min),
);
export const ReduceSumSquare = reduction((x, options) => sum(mul(x, x), options));
export const ReduceL1 = reduction((x, options) => sum(abs(x), options));
export const ReduceL2 = reduction((x, options) => sqrt(sum(mul(x, x), options)));
export const ReduceLogSum = reduction((x, options) => log(sum(x, options)));

/** ln Σ eˣ = m + ln Σ eˣ⁻ᵐ, m the largest. */
export const ReduceLogSumExp = reduction((x, { keepDims = true, ...over }) => {
  const largest = stopGradient(reduceMax(x, { ...over, keepDims: true }));
  const total = sum(exp(sub(x, largest)), { ...over, keepDims });
  return add(log(total), reshape(largest, total.shape));
});
