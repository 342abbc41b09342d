// Auto-PGD in L∞ and L2 (Croce & Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
// parameter-free attacks", algorithm 1): steps with momentum, halved at checkpoints where they no longer help.
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { and, cast, greater, greaterEqual, less, or, where } from "../ops/compare.js";
import { maximum, minimum } from "../ops/extremum.js";
import { intoBallAndBox } from "../threat/threat.js";
import { iterationsOf, largeLoss, type MakeRule } from "./apgd-rule.js";
import { columnInput } from "./nearest.js";
import { input, type Node } from "../graph/node.js";

/** Share of the last move that is kept: 1 − α with α = 0.75. */
const inertiaKept = 0.25;

/**
 * z = Π(x + step(∇loss)), x ← Π(x + α·(z − x) + (1 − α)·(x − x_previous)), the first step with α = 1; steps begin at
 * 2ε. At a checkpoint the step is halved where the loss rose in fewer than ρ of the steps since the last one, or where
 * neither step nor best loss has changed since (conditions 1 and 2).
 */
export const halvingRule: MakeRule = ({ classifier, threat }, { inputs, start, steps, rho }) => {
  const { model, bounds } = classifier;
  const { input: center, epsilon } = inputs;
  const column = (name: string) => columnInput(model, name);
  const previous = input("previous", center.shape);
  const [inertia, loss, rises] = [column("inertia"), column("loss"), column("rises")];
  const [checked, halved] = [column("checked"), column("halved")];
  const into = (moved: Node): Node => intoBallAndBox(threat, moved, { center, epsilon, bounds });
  return {
    states: [
      { input: previous, start },
      // The start is seen by a step along no gradient, which carries nothing on; nor does the first real step.
      { input: inertia, start: -inertiaKept },
      { input: loss, start: largeLoss },
      { input: rises, start: 0 },
      { input: checked, start: 0 },
      { input: halved, start: 1 },
    ],
    stepSize: mul(2, epsilon),
    window: iterationsOf(0.22, steps),
    move({ point, gradient, stepSize }) {
      const step = threat.steepest(gradient, { from: point, length: stepSize, bounds });
      const ahead = mul(sub(1, inertia), sub(into(add(point, step)), point));
      return into(add(point, add(ahead, mul(inertia, sub(point, previous)))));
    },
    decide(seen) {
      const { point, due, window } = seen;
      const risen = add(rises, cast(greater(seen.loss, loss), "float32"));
      const unchanged = and(greaterEqual(checked, seen.bestLoss), less(halved, 0.5));
      const halve = and(due, or(less(risen, mul(window, rho)), unchanged));
      const shorter = maximum(sub(window, iterationsOf(0.03, steps)), iterationsOf(0.06, steps));
      return {
        back: halve,
        stepSize: where(halve, div(seen.stepSize, 2), seen.stepSize),
        window: where(due, shorter, window),
        states: [
          point,
          minimum(add(inertia, inertiaKept), inertiaKept),
          seen.loss,
          where(due, mul(risen, 0), risen),
          where(due, seen.bestLoss, checked),
          where(due, cast(halve, "float32"), halved),
        ],
      };
    },
  };
};
