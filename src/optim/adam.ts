// Adam (Kingma and Ba 2015).
import { z } from "zod";
import { unit } from "../base/options.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { pow, sqrt } from "../ops/exponential.js";
import { slot, type Optimizer } from "./optimizer.js";

const schema = z.strictObject({
  beta1: z.number().min(0).max(0.9999999).default(0.9).describe("decay of the first moment, in [0, 1)"),
  beta2: z.number().min(0).max(0.9999999).default(0.999).describe("decay of the second moment, in [0, 1)"),
  epsilon: z.number().min(0).default(1e-8).describe("added to √v̂"),
  weightDecay: z.number().min(0).default(0).describe("added to the gradient: decay · parameter"),
});

/** m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − λ·m̂/(√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ). */
export const adam = unit("adam", "adaptive moments", schema, (options): Optimizer => {
  const { beta1, beta2, epsilon, weightDecay } = options;
  return {
    learningRate: 1e-3,
    slots: { first: 0, second: 0 },
    update(state, gradient, { learningRate, step }) {
      const { parameter } = state;
      const g = weightDecay > 0 ? add(gradient, mul(weightDecay, parameter)) : gradient;
      const first = add(mul(beta1, slot(state, "first")), mul(1 - beta1, g));
      const second = add(mul(beta2, slot(state, "second")), mul(1 - beta2, mul(g, g)));
      const scale = div(learningRate, sub(1, pow(beta1, step)));
      const deviation = sqrt(div(second, sub(1, pow(beta2, step))));
      return {
        parameter: sub(parameter, div(mul(scale, first), add(deviation, epsilon))),
        slots: { first, second },
      };
    },
  };
});
