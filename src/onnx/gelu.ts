// The Gaussian error linear unit and its approximation (Hendrycks and Gimpel 2016).
import type { Node } from "../graph/node.js";
import { add, erf, mul, tanh } from "../ops/index.js";

/** x·Φ(x) = x/2·(1 + erf(x/√2)). */
export const geluByErf = (x: Node): Node => mul(mul(x, 0.5), add(1, erf(mul(x, Math.SQRT1_2))));

/** x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export function geluByTanh(x: Node): Node {
  const cubic = add(x, mul(0.044715, mul(x, mul(x, x))));
  return mul(mul(x, 0.5), add(1, tanh(mul(Math.sqrt(2 / Math.PI), cubic))));
}
