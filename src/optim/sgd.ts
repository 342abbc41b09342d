// Stochastic gradient descent with momentum, Nesterov momentum and weight decay.
import { z } from "zod";
import { unit } from "../base/options.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { slot, type Optimizer } from "./optimizer.js";

const schema = z.strictObject({
  momentum: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("share of the last velocity that is kept, in [0, 1]"),
  nesterov: z.boolean().default(false).describe("look ahead along the velocity"),
  weightDecay: z.number().min(0).default(0).describe("added to the gradient: decay · parameter"),
});

/** v ← μv + g; w ← w − λv, or w − λ(g + μv) with Nesterov (Sutskever et al. 2013); g includes decay·w. */
export const sgd = unit("sgd", "stochastic gradient descent", schema, (options): Optimizer => {
  const { momentum, nesterov, weightDecay } = options;
  return {
    learningRate: 0.1,
    slots: momentum > 0 ? { velocity: 0 } : {},
    update(state, gradient, { learningRate }) {
      const { parameter } = state;
      const g = weightDecay > 0 ? add(gradient, mul(weightDecay, parameter)) : gradient;
      if (momentum === 0) return { parameter: sub(parameter, mul(learningRate, g)), slots: {} };
      const velocity = add(mul(momentum, slot(state, "velocity")), g);
      const direction = nesterov ? add(g, mul(momentum, velocity)) : velocity;
      return { parameter: sub(parameter, mul(learningRate, direction)), slots: { velocity } };
    },
  };
});
