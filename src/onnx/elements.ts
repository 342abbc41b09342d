// Elements of a tensor at indices that are known: a slice where they follow each other, a gather where not.
import { check } from "../base/errors.js";
import { formatDim } from "../base/shape.js";
import { fromNumbers } from "../base/tensor.js";
import { constant, type Node } from "../graph/node.js";
import { gather, reshape, slice } from "../ops/index.js";
import type { Numbers } from "./call.js";

/** x at `indices` (negative from the end) along `axis`, whose size must not depend on the batch for that. */
export function take(x: Node, { shape, data }: Numbers, axis: number): Node {
  const size = x.shape[axis] ?? 1;
  const resolved = data.map((index) => {
    const at = index < 0 && typeof size === "number" ? index + size : index;
    check(
      Number.isInteger(at) && at >= 0 && (typeof size !== "number" || at < size),
      "indices",
      `indices below ${formatDim(size)}`,
      () => String(index),
    );
    return at;
  });
  const [start = 0] = resolved;
  const follows = resolved.length > 0 && resolved.every((at, i) => at === start + i);
  const taken = follows
    ? slice(x, { axes: [axis], starts: [start], ends: [start + resolved.length] })
    : gather(x, constant(fromNumbers("int64", [resolved.length], resolved)), axis);
  return reshape(taken, [...x.shape.slice(0, axis), ...shape, ...x.shape.slice(axis + 1)]);
}
