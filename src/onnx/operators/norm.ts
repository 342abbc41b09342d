// Normalisation and dropout, as they are in inference: running statistics, nothing dropped.
import { check, fail } from "../../base/errors.js";
import { count, formatShape, isStatic, resolveAxis } from "../../base/shape.js";
import { fromNumbers } from "../../base/tensor.js";
import { constant, type Node } from "../../graph/node.js";
import { abs, add, averagePool, div, mean, mul, reshape, sqrt, sub, sum, where } from "../../ops/index.js";
import { broadcastTo, cast, equal, exp, log } from "../../ops/index.js";
import { numberAt, type Builder, type Call } from "../call.js";
import { axesFrom, besideChannels, moments, normalized, refuseTraining } from "../normalization.js";

/** x·s + (shift − mean·s) with s = scale/√(variance + ε), per channel. */
export const BatchNormalization: Builder = (call) => {
  const x = call.at(0);
  const outputs = call.node.outputs.filter((name) => name !== "").length;
  if (call.int("training_mode", 0) !== 0 || outputs > 1) refuseTraining("batch normalisation");
  if (call.int("spatial", 1) === 0) fail("attribute 'spatial'", "1", "0");
  const [scale, shift, mu, variance] = [call.at(1), call.at(2), call.at(3), call.at(4)];
  const s = div(scale, sqrt(add(variance, call.float("epsilon", 1e-5))));
  return add(mul(x, besideChannels(s, x)), besideChannels(sub(shift, mul(mu, s)), x));
};

export const InstanceNormalization: Builder = (call) => {
  const x = call.at(0);
  const y = normalized(x, axesFrom(x, 2), call.float("epsilon", 1e-5));
  return add(mul(y, besideChannels(call.at(1), x)), besideChannels(call.at(2), x));
};

/** Also the mean and the inverse of the deviation, for those who ask. */
export const LayerNormalization: Builder = (call) => {
  const x = call.at(0);
  const axes = axesFrom(x, resolveAxis("axis", call.int("axis", -1), x.shape.length));
  const { centred, mean: mu, deviation } = moments(x, axes, call.float("epsilon", 1e-5));
  const y = mul(div(centred, deviation), call.at(1));
  return [call.has(2) ? add(y, call.at(2)) : y, mu, div(1, deviation)];
};

/** x/√(mean of x² + ε)·scale over the axes from `axis` on (Zhang and Sennrich 2019). */
export const RMSNormalization: Builder = (call) => {
  const x = call.at(0);
  const axes = axesFrom(x, resolveAxis("axis", call.int("axis", -1), x.shape.length));
  const square = mean(mul(x, x), { axes, keepDims: true });
  return mul(div(x, sqrt(add(square, call.float("epsilon", 1e-5)))), call.at(1));
};

/** Normalised over the channels of each group (Wu and He 2018); before operator set 21 scaled by group. */
export const GroupNormalization: Builder = (call) => {
  const x = call.at(0);
  const [rows = 1, channels = 1, ...spatial] = x.shape;
  const groups = call.int("num_groups", 1);
  if (typeof channels !== "number") return fail("input 1", "[batch, channels, …]", formatShape(x.shape));
  const valid = groups > 0 && channels % groups === 0;
  check(valid, "attribute 'num_groups'", `a divisor of ${channels} channels`, () => String(groups));
  const perGroup = channels / groups;
  const grouped = reshape(x, [rows, groups, perGroup, ...spatial]);
  const y = normalized(grouped, axesFrom(grouped, 2), call.float("epsilon", 1e-5));
  const byGroup = (v: Node): Node =>
    v.shape[0] === groups
      ? besideChannels(v, grouped)
      : reshape(v, [groups, perGroup, ...spatial.map(() => 1)]);
  return reshape(add(mul(y, byGroup(call.at(1))), byGroup(call.at(2))), x.shape);
};

/** (x − μ)/σ over `axes`, default batch and space; over the batch images would depend on their neighbours. */
export const MeanVarianceNormalization: Builder = (call) => {
  const x = call.at(0);
  const axes = call.ints("axes") ?? [0, 2, 3];
  check(
    axes.every((axis) => isStatic([x.shape[axis] ?? 1])),
    "axes",
    "axes within one image",
    () => axes.join(", "),
  );
  const { centred } = moments(x, axes, 0);
  const deviation = sqrt(mean(mul(centred, centred), { axes, keepDims: true }));
  return div(centred, add(deviation, 1e-9));
};

/** x/‖x‖ₚ along an axis; rows of zeros stay. */
export const LpNormalization: Builder = (call) => {
  const x = call.at(0);
  const axes = [resolveAxis("axis", call.int("axis", -1), x.shape.length)];
  const p = call.int("p", 2);
  check(p === 1 || p === 2, "attribute 'p'", "1 or 2", () => String(p));
  const size =
    p === 1 ? sum(abs(x), { axes, keepDims: true }) : sqrt(sum(mul(x, x), { axes, keepDims: true }));
  return div(x, where(equal(size, 0), 1, size));
};

/** x/(bias + α/size·Σ x² over `size` neighbouring channels)^β (Krizhevsky et al. 2012). */
export const LRN: Builder = (call) => {
  const x = call.at(0);
  const [rows = 1, channels = 1, ...spatial] = x.shape;
  if (!isStatic(spatial)) return fail("input 1", "[batch, channels, …]", formatShape(x.shape));
  const size = call.int("size", 1);
  check(size >= 1, "attribute 'size'", "1 or more", () => String(size));
  const before = Math.floor((size - 1) / 2);
  const lines = reshape(mul(x, x), [rows, 1, channels, count(spatial)]);
  const pads = [before, 0, size - 1 - before, 0];
  const means = averagePool(lines, { kernel: [size, 1], strides: [1, 1], pads, countIncludePad: true });
  const base = add(mul(reshape(means, x.shape), call.float("alpha", 1e-4)), call.float("bias", 1));
  return div(x, exp(mul(log(base), call.float("beta", 0.75))));
};

const trains = (call: Call): boolean => call.has(2) && numberAt(call, 2) !== 0;

/** The share that is dropped. */
const rateOf = (call: Call): number => (call.has(1) ? numberAt(call, 1) : call.float("ratio", 0.5));

/**
 * In inference the value as it is, with a mask that keeps all of it. Where it draws – its node says so, or the import –
 * each value is 0 with the node's rate, and the others are divided by 1 − rate.
 */
export const Dropout: Builder = (call) => {
  const draws = trains(call) || call.dropsOut;
  const rate = draws ? rateOf(call) : 0;
  check(rate >= 0 && rate < 1, "ratio", "a rate in [0, 1)", () => String(rate));
  if (rate === 0)
    return [call.value(0), broadcastTo(constant(fromNumbers("bool", [], [1])), call.value(0).shape)];
  const x = call.at(0);
  const kept = call.draw({ shape: x.shape, kind: "bernoulli", p: 1 - rate });
  return [mul(mul(x, kept), 1 / (1 - rate)), cast(kept, "bool")];
};
