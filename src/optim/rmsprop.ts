// RMSProp (Tieleman and Hinton 2012) with momentum, in the form in which Inception-v3 and NASNet were trained.
import { z } from "zod";
import { unit } from "../base/options.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { sqrt } from "../ops/exponential.js";
import { slot, type Optimizer } from "./optimizer.js";

const schema = z.strictObject({
  decay: z.number().min(0).max(0.9999999).default(0.9).describe("of the mean square, in [0, 1)"),
  momentum: z.number().min(0).max(0.9999999).default(0).describe("in [0, 1)"),
  epsilon: z.number().min(0).default(1e-10).describe("added to the mean square, under the root"),
  weightDecay: z.number().min(0).default(0).describe("added to the gradient: decay · parameter"),
});

/** v ← ρv + (1−ρ)g², v = 1 at the start; m ← μm + λ·g/√(v + ε); w ← w − m. */
export const rmsprop = unit(
  "rmsprop",
  "gradients over their root mean square",
  schema,
  (options): Optimizer => {
    const { decay, momentum, epsilon, weightDecay } = options;
    return {
      learningRate: 1e-3,
      slots: { square: 1, ...(momentum > 0 && { velocity: 0 }) },
      update(state, gradient, { learningRate }) {
        const { parameter } = state;
        const g = weightDecay > 0 ? add(gradient, mul(weightDecay, parameter)) : gradient;
        const square = add(mul(decay, slot(state, "square")), mul(1 - decay, mul(g, g)));
        const change = div(mul(learningRate, g), sqrt(add(square, epsilon)));
        if (momentum === 0) return { parameter: sub(parameter, change), slots: { square } };
        const velocity = add(mul(momentum, slot(state, "velocity")), change);
        return { parameter: sub(parameter, velocity), slots: { square, velocity } };
      },
    };
  },
);
