// The standard normal distribution: Φ and its inverse, to the last few bits of a double.
import { check } from "../../base/errors.js";

const density = (x: number): number => Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);

/** P(X > x) for x ≥ 3: φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))), Laplace's continued fraction. */
function upperTail(x: number): number {
  let fraction = x;
  for (let k = 200; k >= 1; k--) fraction = x + k / fraction;
  return density(x) / fraction;
}

/** Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …) (Marsaglia 2004), by Laplace's continued fraction beyond ±3. */
export function normalCdf(x: number): number {
  if (x <= -3) return upperTail(-x);
  if (x >= 3) return 1 - upperTail(x);
  let [term, total, before] = [x, x, NaN];
  for (let k = 3; total !== before; k += 2) {
    before = total;
    term *= (x * x) / k;
    total += term;
  }
  return 0.5 + density(x) * total;
}

/** Φ⁻¹(p) for p in [0, 1], by Newton's steps on log Φ; ∓∞ at 0 and 1. */
export function normalQuantile(p: number): number {
  check(p >= 0 && p <= 1, "normalQuantile", "a probability in [0, 1]", () => String(p));
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  // Left of the root, since Φ(−t) ≤ ½·exp(−t²/2); log Φ is concave, so every step stays left of it.
  let x = -Math.sqrt(-2 * Math.log(p));
  for (let i = 0; i < 50; i++) {
    const below = normalCdf(x);
    const next = x + (Math.log(p / below) * below) / density(x);
    if (!(next > x)) break;
    x = next;
  }
  return x;
}
