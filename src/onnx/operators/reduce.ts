// Reductions over axes: an attribute or input 2, all axes where neither is given.
import { fail } from "../../base/errors.js";
import { addDims, multiplyDims, type Dim } from "../../base/shape.js";
import type { Node } from "../../graph/node.js";
import type { ReduceOptions } from "../../ops/reduce.js";
import {
  abs,
  add,
  exp,
  log,
  mean,
  mul,
  neg,
  reduceMax,
  reshape,
  sqrt,
  stopGradient,
  sub,
  sum,
} from "../../ops/index.js";
import { axesOf, type Builder } from "../call.js";
import { onNumbers } from "../combine.js";
import { known } from "../value.js";

type Reduce = (x: Node, options: ReduceOptions) => Node;

/** `onKnown` reduces known numbers, all of them at once. */
const reduction =
  (build: Reduce | null, onKnown?: (x: Dim, y: Dim) => Dim): Builder =>
  (call) => {
    const axes = axesOf(call) ?? [];
    const keepDims = call.int("keepdims", 1) !== 0;
    const value = call.value(0);
    if (axes.length === 0 && call.int("noop_with_empty_axes", 0) !== 0) return value;
    if (value.kind === "known" && onKnown && value.shape.length <= 1)
      return known(value.dtype, keepDims ? value.shape.map(() => 1) : [], [value.data.reduce(onKnown)]);
    if (build === null)
      return fail(call.node.operator, "numbers known when the model is imported", "a tensor");
    return build(call.at(0), { ...(axes.length > 0 && { axes }), keepDims });
  };

export const ReduceSum = reduction(sum, addDims);
export const ReduceMean = reduction(mean);
export const ReduceProd = reduction(null, multiplyDims);
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
