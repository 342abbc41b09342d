// The L0 ball: at most ε input elements (numbers, not pixels of several channels) change, each as far as the box lets it.
import type { Node } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { cast, greater } from "../ops/compare.js";
import { abs, sign } from "../ops/piecewise.js";
import { largestMarks } from "./largest.js";
import { roomOf } from "./room.js";
import { foldRows, rowSums } from "./rows.js";
import { checkBounded, intoBox, type Threat } from "./threat.js";

/**
 * argmin over d of ‖d − δ‖₂ subject to ‖d‖₀ ≤ ε and the box (Croce & Hein 2019, "Sparse and imperceivable adversarial
 * attacks", section 3.2): with cᵢ what the box leaves of δᵢ, the ε elements of largest δᵢ² − (δᵢ − cᵢ)² keep cᵢ.
 */
const projectIntoBox: Threat["projectIntoBox"] = (delta, { center, epsilon, bounds }) => {
  const inside = sub(intoBox(add(center, delta), bounds), center);
  const gain = mul(inside, sub(mul(2, delta), inside));
  return mul(inside, largestMarks(gain, epsilon));
};

/** The ε numbers of largest size, of equal ones the first; the rest is set to 0. */
function withdraw(delta: Float32Array, { epsilon }: { readonly epsilon: number }): void {
  const order = [...delta.keys()].sort((i, j) => Math.abs(delta[j] ?? 0) - Math.abs(delta[i] ?? 0) || i - j);
  for (const i of order.slice(Math.floor(epsilon))) delta[i] = 0;
}

const distance = (delta: Float32Array, columns: number): Float64Array =>
  foldRows(delta, columns, (changed, d) => changed + (d === 0 ? 0 : 1));

const norm = (delta: Node): Node => rowSums(cast(greater(abs(delta), 0), "float32"));

/**
 * ‖δ‖₀ = the number of δᵢ ≠ 0; no norm, since scaling does not change it, and its ball is not convex. Projection: the
 * ε largest |δᵢ|. Steepest step of length k: the k elements of largest |gᵢ|·room, each to its bound.
 */
export const l0: Threat = {
  name: "l0",
  title: "L0",
  counts: true,
  distance,
  tolerance: () => 0,
  project: (delta, epsilon) => mul(delta, largestMarks(abs(delta), epsilon)),
  projectIntoBox,
  steepest(gradient, { from, length, bounds }) {
    checkBounded("l0", bounds);
    const room = roomOf(gradient, from, bounds);
    return mul(mul(sign(gradient), room), largestMarks(mul(abs(gradient), room), length));
  },
  norm,
  /** ε elements at random, each uniform in the box. */
  randomStart(stream, at, { center, epsilon, bounds }, out) {
    checkBounded("l0", bounds);
    const [low, high] = bounds;
    const words = new Uint32Array(2 * out.length);
    stream.words(words, at);
    const ranks = words.subarray(out.length);
    const order = [...out.keys()].sort((i, j) => (ranks[i] ?? 0) - (ranks[j] ?? 0) || i - j);
    out.fill(0);
    for (const i of order.slice(0, Math.floor(epsilon)))
      out[i] = low + (high - low) * ((words[i] ?? 0) >>> 8) * 2 ** -24 - (center[i] ?? 0);
  },
  withdraw,
};
