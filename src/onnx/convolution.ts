// The convolution that a node describes, for all operators that hold one.
import type { Node } from "../graph/node.js";
import { conv, reshape } from "../ops/index.js";
import type { Call } from "./call.js";
import { spatialSizes, windowOf } from "./window.js";

/** The convolution of x and w as the node's attributes describe it. */
export function convolved(call: Call, x: Node, w: Node): Node {
  const window = windowOf(call, spatialSizes(x.shape), w.shape.slice(2).map(Number));
  return conv(x, w, { ...window, groups: call.int("group", 1) });
}

/** [K] beside [batch, K, spatial …], or beside filters [K, …] where `axis` is 0. */
export const perChannel = (v: Node, x: Node, axis = 1): Node =>
  v.shape.length === 1 ? reshape(v, [v.shape[0] ?? 1, ...x.shape.slice(axis + 1).map(() => 1)]) : v;
