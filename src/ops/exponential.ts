// exp, log, sqrt, pow, erf.
import { div, mul, sub } from "./arithmetic.js";
import { binary, unary } from "./elementwise.js";

/** eˣ. Derivative: itself. */
export const exp = unary("exp", { onnx: "Exp", evaluate: Math.exp, derivative: (g, _x, y) => mul(g, y) });

/** ln x. Derivative: 1/x. */
export const log = unary("log", {
  onnx: "Log",
  evaluate: Math.log,
  derivative: (g, x) => div(g, x),
  domain: [[0.3, 3]],
});

/** √x. Derivative: 1/(2√x). */
export const sqrt = unary("sqrt", {
  onnx: "Sqrt",
  evaluate: Math.sqrt,
  derivative: (g, _x, y) => div(mul(g, 0.5), y),
  domain: [[0.3, 3]],
});

/** xʸ for x > 0. Derivatives: y·xʸ⁻¹ and xʸ·ln x. */
export const pow = binary("pow", {
  onnx: "Pow",
  evaluate: Math.pow,
  derivative: (g, x, y, z) => [
    mul(g, mul(y, pow(x, sub(y, 1)))),
    y.kind === "constant" ? null : mul(g, mul(z, log(x))),
  ],
  domains: [[[0.5, 2]], [[-2, 2]]],
});

/** erf x by its Taylor series for |x| < 3 and a continued fraction beyond, to about 1e-15. */
function erfValue(x: number): number {
  const a = Math.abs(x);
  if (a >= 3) {
    let tail = 0;
    for (let k = 60; k >= 1; k--) tail = k / 2 / (a + tail);
    return Math.sign(x) * (1 - Math.exp(-a * a) / ((a + tail) * Math.sqrt(Math.PI)));
  }
  let [term, sum] = [x, x];
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** erf x = 2/√π ∫₀ˣ exp(−t²) dt. Derivative: 2/√π · exp(−x²). */
export const erf = unary("erf", {
  onnx: "Erf",
  evaluate: erfValue,
  derivative: (g, x) => mul(g, mul(2 / Math.sqrt(Math.PI), exp(mul(-1, mul(x, x))))),
});
