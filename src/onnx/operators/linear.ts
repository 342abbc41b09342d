// Matrix products.
import { check } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";
import type { Node } from "../../graph/node.js";
import { add, matmul, mul, reshape } from "../../ops/index.js";
import type { Builder } from "../call.js";

const scaled = (x: Node, factor: number): Node => (factor === 1 ? x : mul(x, factor));

/** α·A·B + β·C, A and B transposed on demand. */
export const Gemm: Builder = (call) => {
  const [a, b] = [call.at(0), call.at(1)];
  for (const { shape } of [a, b]) check(shape.length === 2, "Gemm", "matrices", () => formatShape(shape));
  const product = matmul(a, b, {
    transposeA: call.int("transA", 0) !== 0,
    transposeB: call.int("transB", 0) !== 0,
  });
  const y = scaled(product, call.float("alpha", 1));
  return call.has(2) ? add(y, scaled(call.at(2), call.float("beta", 1))) : y;
};

/** A·B over the last two axes; a vector counts as one row on the left, one column on the right. */
export const MatMul: Builder = (call) => {
  const [a, b] = [call.at(0), call.at(1)];
  const [left, right] = [a.shape.length === 1, b.shape.length === 1];
  if (!left && !right) return matmul(a, b);
  const y = matmul(left ? reshape(a, [1, ...a.shape]) : a, right ? reshape(b, [...b.shape, 1]) : b);
  const rank = y.shape.length;
  return reshape(
    y,
    y.shape.filter((_, i) => !(left && i === rank - 2) && !(right && i === rank - 1)),
  );
};
