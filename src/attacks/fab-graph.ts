// One iteration of FAB (Croce & Hein 2020, "Minimally distorted adversarial examples with a fast adaptive boundary
// attack", algorithm 1) as a loop over a carried point.
import { B } from "../base/shape.js";
import { input, type Node } from "../graph/node.js";
import type { LoopFunction } from "../onnx/export.js";
import { add, div, mul, neg, sub } from "../ops/arithmetic.js";
import { where } from "../ops/compare.js";
import { maximum, minimum } from "../ops/extremum.js";
import { rowSums } from "../threat/rows.js";
import { asNorm, intoBox } from "../threat/threat.js";
import type { AttackTarget } from "./attack.js";
import { boundaryOfOne, nearestBoundary, type Boundary } from "./boundary.js";
import { simplifiedLoop } from "./loop.js";
import { asColumn, keepNearest } from "./nearest.js";
import { attackInputs, fallen, logitsAt } from "./white-box.js";

export interface FabGraphOptions {
  /** Classes compared with each label. */
  readonly candidates: number;
  readonly alphaMax: number;
  readonly eta: number;
  readonly beta: number;
}

/** Keeps the ratio of two ways apart from 0 / 0. */
const shortestWay = 1e-8;

/**
 * (1 − α)·(x + η·d) + α·(x₀ + η·d₀) in the box, with d and d₀ the shortest ways from x and the original x₀ to the
 * hyperplane, α = min(‖d‖ / (‖d‖ + ‖d₀‖), alphaMax): eq. 8 to 10.
 */
function biasedStep(
  { threat, classifier: { bounds } }: AttackTarget,
  { margin, normal }: Boundary,
  { x, x0, alphaMax, eta }: { x: Node; x0: Node; alphaMax: number; eta: number },
): Node {
  const marginThere = add(margin, rowSums(mul(normal, sub(x0, x))));
  const ball = asNorm(threat);
  const d = ball.shortest(normal, { from: x, rise: neg(margin), bounds });
  const d0 = ball.shortest(normal, { from: x0, rise: neg(marginThere), bounds });
  const [length, length0] = [d, d0].map((way) => maximum(ball.norm(way), shortestWay)) as [Node, Node];
  const alpha = minimum(div(length, add(length, length0)), alphaMax);
  const [own, original] = [add(x, mul(eta, d)), add(x0, mul(eta, d0))];
  return intoBox(add(own, mul(alpha, sub(original, own))), bounds);
}

/**
 * x ← the biased step from x; where that is adversarial, x₀ + β·(x − x₀) (eq. 11). States: `start` (x), `nearest` and
 * `distance`. Inputs beside those of every attack: `candidates` [n, m], int32, and `direction`.
 */
export function fabLoop(target: AttackTarget, options: FabGraphOptions): LoopFunction {
  const { classifier } = target;
  const inputs = attackInputs(classifier.model);
  const { input: x0, labels, weights } = inputs;
  const x = input("start", [B, ...classifier.model.inputShape]);
  const candidates = input("candidates", [B, options.candidates], "int32");
  const direction = input("direction", []);
  const towards = options.candidates === 1 ? boundaryOfOne : nearestBoundary;
  const boundary = towards(target, x, inputs, { candidates, direction });
  const moved = biasedStep(target, boundary, { x, x0, ...options });
  const down = fallen(logitsAt(classifier, moved, inputs), labels, direction);
  const back = add(x0, mul(options.beta, sub(moved, x0)));
  return simplifiedLoop({
    name: "fab",
    carried: [
      { input: x, next: where(asColumn(classifier.model, down), back, moved) },
      ...keepNearest(target, { point: moved, from: x0, down }),
    ],
    scanned: [],
    invariant: [x0, labels, candidates, direction, ...weights.values()],
    outputs: {},
  });
}
