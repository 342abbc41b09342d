// The attack of Carlini & Wagner (2017, "Towards evaluating the robustness of neural networks") in L2.
import { gradient } from "../autodiff/gradient.js";
import { check } from "../base/errors.js";
import { unit } from "../base/options.js";
import { floats, tensor } from "../base/tensor.js";
import { constant, input } from "../graph/node.js";
import type { LoopFunction } from "../onnx/export.js";
import { adam } from "../optim/adam.js";
import { slot } from "../optim/optimizer.js";
import { tanh } from "../ops/activation.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { rowSums } from "../threat/rows.js";
import { floatsOf, type AttackTarget } from "./attack.js";
import {
  constantInput,
  constantSearchSchema,
  hingeOf,
  keepReached,
  searchConstants,
  type ConstantSearchOptions,
} from "./constant-search.js";
import { simplifiedLoop } from "./loop.js";
import { nearestAttack, type NearestRun } from "./nearest-attack.js";
import { asColumn, keepNearest } from "./nearest.js";
import { ascent } from "./passes.js";
import { range } from "./rows.js";
import { attackInputs, logitsAt } from "./white-box.js";

/** Keeps the inverse of tanh finite at the bounds. */
const shrunk = 1 - 1e-6;

/** Middle and half the width of the box, to which tanh maps all numbers. */
function boxOf({ classifier: { bounds } }: AttackTarget): { middle: number; half: number } {
  const [low, high] = bounds;
  check(Number.isFinite(high - low), "carlini-wagner", "finite bounds", () => `${low} and ${high}`);
  return { middle: (low + high) / 2, half: (high - low) / 2 };
}

/**
 * Adam on w for ‖x − x₀‖² + c·hinge(z(x)) with x = middle + half·tanh(anchor + w), anchor the place of x₀. States:
 * `shift` (w), `first` and `second` (Adam's), `nearest`, `distance`, `reached`; slices: `step`, from 1.
 */
function carliniWagnerLoop(target: AttackTarget, options: ConstantSearchOptions): LoopFunction {
  const { classifier } = target;
  const { model } = classifier;
  const { middle, half } = boxOf(target);
  const inputs = attackInputs(model);
  const { input: x0, labels, weights } = inputs;
  const like = (name: string) => input(name, x0.shape);
  const [shift, first, second, anchor] = [like("shift"), like("first"), like("second"), like("anchor")];
  const [direction, step, weight] = [input("direction", []), input("step", []), constantInput(model)];
  const squashed = tanh(add(anchor, shift));
  const x = add(middle, mul(half, squashed));
  const logits = logitsAt(classifier, x, inputs);
  const { value, cotangent, down } = hingeOf(logits, { labels, direction, ...options });
  const [slope = x] = gradient(logits, [x], { cotangent });
  const delta = sub(x, x0);
  const steepness = mul(half, sub(1, mul(squashed, squashed)));
  const moved = adam().update(
    { parameter: shift, slots: { first, second } },
    mul(add(mul(2, delta), mul(weight, slope)), steepness),
    { learningRate: constant(options.stepSize), step },
  );
  return simplifiedLoop({
    name: "carlini-wagner",
    carried: [
      { input: shift, next: moved.parameter },
      { input: first, next: slot(moved, "first") },
      { input: second, next: slot(moved, "second") },
      keepReached(model, down),
      ...keepNearest(target, { point: x, from: x0, down }),
    ],
    scanned: [step],
    invariant: [x0, labels, direction, anchor, weight, ...weights.values()],
    outputs: { loss: add(rowSums(mul(delta, delta)), mul(weight, asColumn(model, value))) },
  });
}

function search(run: NearestRun, options: ConstantSearchOptions): Promise<Float32Array> {
  const { inputs } = run.batch;
  const { middle, half } = boxOf(run.context);
  const anchor = floatsOf(inputs).map((v) => Math.atanh(((v - middle) / half) * shrunk));
  const zeros = () => tensor("float32", inputs.shape, new Float32Array(anchor.length));
  return searchConstants(run, options, {
    each: ascent,
    states: () => ({ shift: zeros(), first: zeros(), second: zeros() }),
    perRow: { anchor: tensor("float32", inputs.shape, anchor) },
    scanned: (from, count) => ({
      step: floats(
        [count],
        range(count).map((k) => from + k + 1),
      ),
    }),
  });
}

/** Descends on distance and hinge together, with the weight of the hinge searched for each point. */
export const carliniWagner = unit(
  "carlini-wagner",
  "distance and hinge weighed by a search (C&W)",
  constantSearchSchema,
  (options) =>
    nearestAttack({
      name: "carlini-wagner",
      options,
      norms: ["l2"],
      loop: (target) => carliniWagnerLoop(target, options),
      search: (run) => search(run, options),
    }),
);
