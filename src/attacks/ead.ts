// EAD, elastic-net attack (Chen et al. 2018, algorithm 1: FISTA), with the decision rule "least L1 distance".
import { z } from "zod";
import { gradient } from "../autodiff/gradient.js";
import { quantity, unit } from "../base/options.js";
import { floats, tensor } from "../base/tensor.js";
import { input, type Node } from "../graph/node.js";
import type { LoopFunction } from "../onnx/export.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { abs, relu, sign } from "../ops/piecewise.js";
import { rowSums } from "../threat/rows.js";
import { intoBox } from "../threat/threat.js";
import { floatsOf, type AttackTarget } from "./attack.js";
import {
  constantInput,
  constantSearchSchema,
  hingeOf,
  keepReached,
  searchConstants,
} from "./constant-search.js";
import { simplifiedLoop } from "./loop.js";
import { nearestAttack, type NearestRun } from "./nearest-attack.js";
import { asColumn, keepNearest } from "./nearest.js";
import { range } from "./rows.js";
import { attackInputs, logitsAt } from "./white-box.js";

const schema = constantSearchSchema.extend({
  steps: z.int().min(1).default(1000).describe("iterations for each weight"),
  // The loss under momentum and a falling rate goes up and down: one row's tenth without gain says little.
  abortEarly: z
    .boolean()
    .default(false)
    .describe("leave a weight once a tenth of the iterations gains less than 0.01 %"),
  regularization: quantity(0)
    .default(0.01)
    .describe("β: changes of this size and below are undone in each step, in input units"),
});
type Options = z.output<typeof schema>;

/** δ with |δ| less by β, 0 where that is negative. */
const shrink = (delta: Node, beta: number): Node => mul(sign(delta), relu(sub(abs(delta), beta)));

/**
 * x ← x₀ + shrink(y − rate·∇(‖y − x₀‖² + c·hinge(z(y))) − x₀) in the box; y ← x + momentum·(x − x before). States:
 * `start` (x), `ahead` (y), `nearest`, `distance`, `reached`; slices: `rate`, `momentum`.
 */
function eadLoop(target: AttackTarget, options: Options): LoopFunction {
  const { classifier } = target;
  const { model, bounds } = classifier;
  const inputs = attackInputs(model);
  const { input: x0, labels, weights } = inputs;
  const [x, y] = [input("start", x0.shape), input("ahead", x0.shape)];
  const [rate, momentum] = [input("rate", []), input("momentum", [])];
  const [direction, weight] = [input("direction", []), constantInput(model)];
  const hinge = { labels, direction, ...options };
  const logits = logitsAt(classifier, y, inputs);
  const { value, cotangent } = hingeOf(logits, hinge);
  const [slope = y] = gradient(logits, [y], { cotangent });
  const delta = sub(y, x0);
  const lower = sub(y, mul(rate, add(mul(2, delta), mul(weight, slope))));
  const moved = intoBox(add(x0, shrink(sub(lower, x0), options.regularization)), bounds);
  const { down } = hingeOf(logitsAt(classifier, moved, inputs), hinge);
  return simplifiedLoop({
    name: "ead",
    carried: [
      { input: x, next: moved },
      { input: y, next: add(moved, mul(momentum, sub(moved, x))) },
      keepReached(model, down),
      ...keepNearest(target, { point: moved, from: x0, down }),
    ],
    scanned: [rate, momentum],
    invariant: [x0, labels, direction, weight, ...weights.values()],
    outputs: { loss: add(rowSums(mul(delta, delta)), mul(weight, asColumn(model, value))) },
  });
}

function search(run: NearestRun, options: Options): Promise<Float32Array> {
  const { inputs } = run.batch;
  const originals = () => tensor("float32", inputs.shape, floatsOf(inputs).slice());
  const { stepSize, steps } = options;
  return searchConstants(run, options, {
    // The gradient is taken ahead of the point, whose outputs are judged.
    each: { forward: 2, gradient: 1 },
    states: () => ({ start: originals(), ahead: originals() }),
    perRow: {},
    scanned(from, count) {
      const numbers = range(count).map((k) => from + k);
      return {
        rate: floats(
          [count],
          numbers.map((k) => stepSize * Math.sqrt(1 - k / steps)),
        ),
        momentum: floats(
          [count],
          numbers.map((k) => k / (k + 3)),
        ),
      };
    },
  });
}

/** Descends on an elastic net and a hinge, with the weight of the hinge searched for each point; least L1 distance. */
export const ead = unit("ead", "elastic net and hinge: few coordinates move", schema, (options) =>
  nearestAttack({
    name: "ead",
    options,
    norms: ["l1"],
    loop: (target) => eadLoop(target, options),
    search: (run) => search(run, options),
  }),
);
