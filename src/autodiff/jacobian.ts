// Jacobians of per-sample outputs, all rows in one pass.
import { check } from "../base/errors.js";
import { formatShape } from "../base/shape.js";
import { floats } from "../base/tensor.js";
import { constant, input, type Node } from "../graph/node.js";
import { broadcastTo } from "../ops/reduce.js";
import { gradient } from "./gradient.js";
import { vectorize } from "./vectorize.js";

/**
 * ∂output/∂source for output [n, k] whose row r depends on row r of source [n, …] only:
 * [k, n, …], entry (i, r) = ∂output[r, i]/∂source[r].
 */
export function jacobian(output: Node, source: Node): Node {
  const [, k] = output.shape;
  check(output.shape.length === 2 && typeof k === "number", "jacobian", "an output [n, k]", () =>
    formatShape(output.shape),
  );
  const cotangent = input("jacobian.cotangent", output.shape);
  const [row = source] = gradient(output, [source], { cotangent });
  const identity = Float32Array.from({ length: k * k }, (_, i) => (i % (k + 1) === 0 ? 1 : 0));
  const rows = broadcastTo(constant(floats([k, 1, k], identity)), [k, ...output.shape]);
  return vectorize(row, cotangent, rows);
}
