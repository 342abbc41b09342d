// Pooling, in one and two dimensions.
import { addDims, count, multiplyDims } from "../../base/shape.js";
import { floats } from "../../base/tensor.js";
import { constant, type Node } from "../../graph/node.js";
import {
  abs,
  averagePool,
  broadcastTo,
  conv,
  div,
  maxPool,
  mean,
  mul,
  pad,
  pow,
  reduceMax,
  reshape,
  sqrt,
  sum,
} from "../../ops/index.js";
import type { ReduceOptions } from "../../ops/reduce.js";
import type { Builder, Call } from "../call.js";
import { axesFrom } from "../normalization.js";
import { ceilEnds, spatialSizes, windowOf, type WindowOptions } from "../window.js";

interface Pool extends WindowOptions {
  readonly spatial: readonly number[];
  readonly kernel: readonly number[];
  /** Padding at the ends as `ceil_mode` needs it; null without that mode. */
  readonly ends: readonly number[] | null;
}

function poolOf(call: Call, x: Node): Pool {
  const spatial = spatialSizes(x.shape);
  const kernel = call.ints("kernel_shape") ?? [];
  const window = windowOf(call, spatial, kernel);
  const ends = call.int("ceil_mode", 0) === 0 ? null : ceilEnds(spatial, kernel, window);
  return { ...window, spatial, kernel, ends };
}

const beginnings = ({ pads, spatial }: Pool): readonly number[] => pads.slice(0, spatial.length);

export const MaxPool: Builder = (call) => {
  const x = call.at(0);
  const pool = poolOf(call, x);
  const { kernel, strides, dilations } = pool;
  const pads = pool.ends ? [...beginnings(pool), ...pool.ends] : pool.pads;
  return maxPool(x, { kernel, strides, dilations, pads });
};

/** Sums over dilated windows: each channel convolved with ones. */
function dilatedSums(x: Node, { kernel, strides, dilations, pads }: Pool): Node {
  const [rows = 1, channels = 1, ...spatial] = x.shape;
  const ones = constant(floats([1, 1, ...kernel], new Float32Array(count(kernel)).fill(1)));
  const planes = reshape(x, [multiplyDims(rows, channels), 1, ...spatial]);
  const sums = conv(planes, ones, { strides, dilations, pads });
  return reshape(sums, [rows, channels, ...sums.shape.slice(2)]);
}

/** Means over dilated windows: sums of x by sums of ones, which do not count the padding. */
function dilatedMeans(x: Node, pool: Pool, countIncludePad: boolean): Node {
  const pads = pool.ends ? [...beginnings(pool), ...pool.ends] : pool.pads;
  const total = dilatedSums(x, { ...pool, pads });
  if (countIncludePad && pool.ends === null) return mul(total, 1 / count(pool.kernel));
  const plane = broadcastTo(1, [1, 1, ...x.shape.slice(2)]);
  if (!countIncludePad) return div(total, dilatedSums(plane, { ...pool, pads }));
  // The padding that the file asks for counts; what ceil_mode adds behind it does not.
  const [before, after] = [beginnings(pool), pool.pads.slice(pool.spatial.length)];
  const padded = broadcastTo(
    1,
    plane.shape.map((d, axis) =>
      axis < 2 ? d : addDims(d, (before[axis - 2] ?? 0) + (after[axis - 2] ?? 0)),
    ),
  );
  const beyond = pads.slice(pool.spatial.length).map((n, axis) => Math.max(0, n - (after[axis] ?? 0)));
  const sizes = dilatedSums(padded, { ...pool, pads: [...before.map(() => 0), ...beyond] });
  return div(total, sizes);
}

export const AveragePool: Builder = (call) => {
  const x = call.at(0);
  const pool = poolOf(call, x);
  const { kernel, strides, ends, spatial } = pool;
  const countIncludePad = call.int("count_include_pad", 0) !== 0;
  if (pool.dilations.some((d) => d !== 1)) return dilatedMeans(x, pool, countIncludePad);
  if (ends === null) return averagePool(x, { kernel, strides, pads: pool.pads, countIncludePad });
  const before = beginnings(pool);
  if (!countIncludePad) return averagePool(x, { kernel, strides, pads: [...before, ...ends] });
  const counted = ends.map((n, axis) => Math.min(n, pool.pads[axis + spatial.length] ?? 0));
  const padded = pad(x, [0, 0, ...before], [0, 0, ...counted]);
  const beyond = ends.map((n, axis) => n - (counted[axis] ?? 0));
  return averagePool(padded, { kernel, strides, pads: [...before.map(() => 0), ...beyond] });
};

/** (Σ |x|ᵖ)^(1/p) over each window. */
export const LpPool: Builder = (call) => {
  const x = call.at(0);
  const p = call.int("p", 2);
  const pool = poolOf(call, x);
  const pads = pool.ends ? [...beginnings(pool), ...pool.ends] : pool.pads;
  return root(dilatedSums(power(abs(x), p), { ...pool, pads }), p);
};

const power = (x: Node, p: number): Node => (p === 1 ? x : p === 2 ? mul(x, x) : pow(x, p));
const root = (x: Node, p: number): Node => (p === 1 ? x : p === 2 ? sqrt(x) : pow(x, 1 / p));

const overSpace = (x: Node): ReduceOptions => ({ axes: axesFrom(x, 2), keepDims: true });

export const GlobalAveragePool: Builder = (call) => mean(call.at(0), overSpace(call.at(0)));
export const GlobalMaxPool: Builder = (call) => reduceMax(call.at(0), overSpace(call.at(0)));
export const GlobalLpPool: Builder = (call) => {
  const p = call.int("p", 2);
  return root(sum(power(abs(call.at(0)), p), overSpace(call.at(0))), p);
};
