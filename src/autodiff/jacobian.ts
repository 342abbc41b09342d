// Jacobians of per-sample outputs, all rows in one pass.
import { check } from "../base/errors.js";
import { formatShape } from "../base/shape.js";
import { floats } from "../base/tensor.js";
import { constant, input, type Node } from "../graph/node.js";
import { broadcastTo } from "../ops/reduce.js";
import { gradient } from "./gradient.js";
import { vectorize } from "./vectorize.js";

export interface JacobianOptions {
  /** Outputs [from, to) of the k; default all. */
  readonly rows?: readonly [from: number, to: number];
}

/**
 * ∂output/∂source for output [n, k] whose row r depends on row r of source [n, …] only:
 * [k, n, …] (or fewer rows), entry (i, r) = ∂output[r, i]/∂source[r].
 */
export function jacobian(output: Node, source: Node, options: JacobianOptions = {}): Node {
  const [, k] = output.shape;
  check(output.shape.length === 2 && typeof k === "number", "jacobian", "an output [n, k]", () =>
    formatShape(output.shape),
  );
  const cotangent = input("jacobian.cotangent", output.shape);
  const [row = source] = gradient(output, [source], { cotangent });
  const [from, to] = options.rows ?? [0, k];
  const units = Float32Array.from({ length: (to - from) * k }, (_, i) =>
    i % k === from + Math.floor(i / k) ? 1 : 0,
  );
  const rows = broadcastTo(constant(floats([to - from, 1, k], units)), [to - from, ...output.shape]);
  return vectorize(row, cotangent, rows);
}
