// Projection on the L1 ball within the box (Croce & Hein 2021, "Mind the box: l1-APGD for sparse adversarial attacks").
import type { Node } from "../graph/node.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { cast, greater, greaterEqual, where } from "../ops/compare.js";
import { maximum, minimum } from "../ops/extremum.js";
import { abs, relu, sign } from "../ops/piecewise.js";
import { roomOf } from "./room.js";
import { largestOfRows, rowSums, smallest } from "./rows.js";
import type { BoxedBall } from "./threat.js";

/** Secants and halvings in turn: 12 reach λ to rounding where few coordinates move, 24 in every case tried. */
const evaluations = 24;

/**
 * argmin over d of ‖d − δ‖₂ subject to ‖d‖₁ ≤ ε and the box: dᵢ = sign(δᵢ)·min(max(|δᵢ| − λ, 0), roomᵢ), roomᵢ what
 * is left to the box in the direction of δᵢ, with the least λ ≥ 0 for which Σ|dᵢ| ≤ ε. The sum falls in λ in pieces
 * of lines: a bracket around λ shrinks by secants, exact within a piece, and by halvings in turn.
 */
export function projectL1IntoBox(delta: Node, { center, epsilon, bounds }: BoxedBall): Node {
  const size = abs(delta);
  const room = roomOf(delta, center, bounds);
  const at = (threshold: Node): Node => minimum(relu(sub(size, threshold)), room);
  const excessAt = (threshold: Node): Node => sub(rowSums(at(threshold)), epsilon);
  let high = largestOfRows(delta);
  // A coordinate with room for ε is cut to at most ε.
  const free = mul(size, cast(greaterEqual(room, epsilon), "float32"));
  let low: Node = relu(sub(largestOfRows(free), epsilon));
  let [above, below]: [Node, Node] = [excessAt(low), sub(mul(high, 0), epsilon)];
  // Where there is no excess at λ = 0 the secant stays there.
  const secant = (): Node => {
    const share = div(relu(above), maximum(sub(above, below), smallest));
    return add(low, mul(sub(high, low), share));
  };
  for (let evaluation = 1; evaluation < evaluations; evaluation++) {
    const middle = evaluation % 2 === 1 ? secant() : mul(add(low, high), 0.5);
    const excess = excessAt(middle);
    const tooMuch = greater(excess, 0);
    [low, high] = [where(tooMuch, middle, low), where(tooMuch, high, middle)];
    [above, below] = [where(tooMuch, excess, above), where(tooMuch, below, excess)];
  }
  const inside = at(secant());
  const total = rowSums(inside);
  return mul(mul(sign(delta), inside), div(epsilon, maximum(total, maximum(epsilon, smallest))));
}
