// SPSA's two graphs: the slope along one random direction, and Adam's step up the gathered slopes.
import { B } from "../base/shape.js";
import { graphFunction, type GraphFunction } from "../graph/function.js";
import { input, type InputNode, type Node } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import { nextName, type LoopFunction } from "../onnx/export.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { sqrt } from "../ops/exponential.js";
import { reshape } from "../ops/reshape.js";
import { intoBallAndBox } from "../threat/threat.js";
import type { AttackTarget } from "./attack.js";
import { attackLosses } from "./losses.js";
import { attackInputs, fallen, queriedAt } from "./white-box.js";

/**
 * slope ← slope + v·(J(x + δv) − J(x − δv)) / 2δ with signs v, the same for all rows, and J the margin times the
 * direction (Spall 1992; Uesato et al. 2018, algorithm 1). State `slope` [n, …], scanned `signs` […].
 */
export function slopeLoop({ classifier }: AttackTarget, delta: number): LoopFunction {
  const inputs = attackInputs(classifier.model);
  const { inputShape } = classifier.model;
  const { input: x, labels, weights } = inputs;
  const slope = input("slope", x.shape);
  const signs = input("signs", inputShape);
  const direction = input("direction", []);
  const marginAt = (shift: Node): Node =>
    attackLosses.margin.value(queriedAt(classifier, add(x, shift), inputs), labels);
  const shift = mul(signs, delta);
  const rise = mul(sub(marginAt(shift), marginAt(mul(shift, -1))), div(direction, 2 * delta));
  const along = mul(reshape(rise, [B, ...inputShape.map(() => 1)]), signs);
  const invariant = [x, labels, direction, ...weights.values()];
  const { next } = simplify(
    graphFunction("spsa-slope", [slope, signs, ...invariant], { next: add(slope, along) }),
  ).outputs;
  if (!next) throw new Error("an output was lost");
  return {
    name: "spsa-slope",
    carried: [{ input: slope, next }],
    scanned: [signs],
    invariant,
    outputs: {},
  };
}

/** Adam's decay rates and its floor (Kingma & Ba 2015). */
const [beta1, beta2, floor] = [0.9, 0.999, 1e-8];

/** What Adam divides its two means by after `t` steps. */
export const biasCorrections = (t: number): { readonly bias1: number; readonly bias2: number } => ({
  bias1: 1 - beta1 ** t,
  bias2: 1 - beta2 ** t,
});

const decayed = (mean: Node, value: Node, beta: number): Node => add(mul(mean, beta), mul(value, 1 - beta));

/** One step of Adam up `slope`, then into ball and box; states `at`, `first`, `second`; [n] whether `at` has fallen. */
export function stepFunction(target: AttackTarget): GraphFunction {
  const { classifier, threat } = target;
  const inputs = attackInputs(classifier.model);
  const { input: center, labels, epsilon, weights } = inputs;
  const state = (name: string): InputNode => input(name, center.shape);
  const [at, slope, first, second] = [state("at"), state("slope"), state("first"), state("second")];
  const [rate, bias1, bias2] = [input("rate", []), input("bias1", []), input("bias2", [])];
  const direction = input("direction", []);
  const nextFirst = decayed(first, slope, beta1);
  const nextSecond = decayed(second, mul(slope, slope), beta2);
  const step = mul(rate, div(div(nextFirst, bias1), add(sqrt(div(nextSecond, bias2)), floor)));
  const { bounds } = classifier;
  const moved = intoBallAndBox(threat, add(at, step), { center, epsilon, bounds });
  const down = fallen(queriedAt(classifier, moved, inputs), labels, direction);
  const all = [at, first, second, slope, center, labels, epsilon, rate, bias1, bias2, direction];
  return simplify(
    graphFunction("spsa-step", [...all, ...weights.values()], {
      [nextName("at")]: moved,
      [nextName("first")]: nextFirst,
      [nextName("second")]: nextSecond,
      fallen: down,
    }),
  );
}
