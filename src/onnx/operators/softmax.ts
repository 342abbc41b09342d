// Softmax and log-softmax along an axis; before operator set 13 over all axes from it on.
import { resolveAxis, sizeOf } from "../../base/shape.js";
import type { Node } from "../../graph/node.js";
import { logSoftmax, reshape, softmax, transpose } from "../../ops/index.js";
import type { Builder, Call } from "../call.js";

/** The axis of a softmax, and whether it flattens everything behind it. */
export function softmaxAxis(
  call: Pick<Call, "int" | "opset">,
  rank: number,
): { axis: number; flattens: boolean } {
  const flattens = call.opset < 13;
  return { axis: resolveAxis("axis", call.int("axis", flattens ? 1 : -1), rank), flattens };
}

const along =
  (build: (x: Node) => Node): Builder =>
  (call) => {
    const x = call.at(0);
    const { axis, flattens } = softmaxAxis(call, x.shape.length);
    const last = x.shape.length - 1;
    if (axis === last) return build(x);
    if (flattens) {
      const rows = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))];
      return reshape(build(reshape(x, rows)), x.shape);
    }
    const swap = x.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
    return transpose(build(transpose(x, swap)), swap);
  };

export const Softmax = along(softmax);
export const LogSoftmax = along(logSoftmax);
