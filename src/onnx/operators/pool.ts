// Pooling, in one and two dimensions.
import { check } from "../../base/errors.js";
import { averagePool, maxPool, mean, pad, reduceMax } from "../../ops/index.js";
import type { Node } from "../../graph/node.js";
import type { Builder, Call } from "../call.js";
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

export const AveragePool: Builder = (call) => {
  const x = call.at(0);
  const pool = poolOf(call, x);
  const { kernel, strides, ends, spatial } = pool;
  check(
    pool.dilations.every((d) => d === 1),
    "attribute 'dilations'",
    "1 along every axis",
    () => pool.dilations.join(", "),
  );
  const countIncludePad = call.int("count_include_pad", 0) !== 0;
  if (ends === null) return averagePool(x, { kernel, strides, pads: pool.pads, countIncludePad });
  const before = beginnings(pool);
  if (!countIncludePad) return averagePool(x, { kernel, strides, pads: [...before, ...ends] });
  // The padding that the file asks for counts; what ceil_mode adds behind it does not.
  const counted = ends.map((n, axis) => Math.min(n, pool.pads[axis + spatial.length] ?? 0));
  const padded = pad(x, [0, 0, ...before], [0, 0, ...counted]);
  const beyond = ends.map((n, axis) => n - (counted[axis] ?? 0));
  return averagePool(padded, { kernel, strides, pads: [...before.map(() => 0), ...beyond] });
};

const spatialAxes = (x: Node): number[] => x.shape.slice(2).map((_, i) => i + 2);

export const GlobalAveragePool: Builder = (call) =>
  mean(call.at(0), { axes: spatialAxes(call.at(0)), keepDims: true });
export const GlobalMaxPool: Builder = (call) =>
  reduceMax(call.at(0), { axes: spatialAxes(call.at(0)), keepDims: true });
