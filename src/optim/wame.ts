// WAME (Mosca and Magoulas 2017): per-weight acceleration from sign agreement, on an RMS-scaled gradient.
import { z } from "zod";
import { unit } from "../base/options.js";
import type { Node } from "../graph/node.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { pow, sqrt } from "../ops/exponential.js";
import { clip } from "../ops/piecewise.js";
import { slot, type Optimizer, type OptimizerState } from "./optimizer.js";

const schema = z.strictObject({
  variant: z
    .enum(["paper", "ratio"])
    .default("paper")
    .describe("paper: the form adjusted after talk with the author; ratio: his bias-corrected ratio form"),
  alpha: z.number().min(0).max(0.9999999).default(0.9).describe("decay of the moving averages, in [0, 1)"),
  etaPlus: z.number().min(1).default(1.2).describe("growth of ζ where signs agree"),
  etaMinus: z.number().min(0).max(1).default(0.1).describe("shrinkage of ζ where signs differ"),
  zetaMin: z.number().min(0).default(0.01).describe("smallest ζ"),
  zetaMax: z.number().min(0).default(100).describe("largest ζ"),
  beta2: z.number().min(0).max(0.9999999).default(0.999).describe("decay of the second moment (ratio)"),
  epsilon: z.number().min(0).default(1e-11).describe("added to the root"),
});

type Options = z.output<typeof schema>;

/** Takes every product of gradients beyond the bounds of the clip that follows. */
const huge = 3e38;

/**
 * ζ·η₊ where g and the last g have one sign, ζ·η₋ where they differ, else ζ; within [ζmin, ζmax]. The factor is
 * 1 + clip(∞·g·g′, η₋ − 1, η₊ − 1): far fewer passes over memory than two selections.
 */
function nextZeta(state: OptimizerState, g: Node, options: Options): Node {
  const agreement = mul(mul(g, slot(state, "gradient")), huge);
  const factor = add(clip(agreement, options.etaMinus - 1, options.etaPlus - 1), 1);
  return clip(mul(slot(state, "zeta"), factor), options.zetaMin, options.zetaMax);
}

/**
 * paper: Z ← αZ + (1−α)ζ; θ ← αθ + (1−α)g²; w ← w − λ·Z·g/(√θ + ε), Z = θ = 0 and ζ = 1 at the start.
 * ratio: w ← w − λ·√(1−β₂ᵗ)/(1−αᵗ)·(ζ/Z)·g/(√v + ε) with Z = 1 at the start, v the second moment by β₂.
 * With these factors ζ falls wherever more than one sign in fourteen differs, as with mini-batches: the paper's form
 * then steps at about ζmin·λ, the ratio form at about λ.
 */
export const wame = unit("wame", "weight-wise adaptive learning rates", schema, (options): Optimizer => {
  const { alpha, beta2, epsilon, variant } = options;
  const ratio = variant === "ratio";
  const decay = ratio ? beta2 : alpha;
  return {
    learningRate: 1e-3,
    slots: { gradient: 0, zeta: 1, average: ratio ? 1 : 0, square: 0 },
    update(state, g, { learningRate, step }) {
      const zeta = nextZeta(state, g, options);
      const average = add(mul(alpha, slot(state, "average")), mul(1 - alpha, zeta));
      const square = add(mul(decay, slot(state, "square")), mul(1 - decay, mul(g, g)));
      const correction = div(sqrt(sub(1, pow(beta2, step))), sub(1, pow(alpha, step)));
      const factor = ratio
        ? mul(mul(learningRate, correction), div(zeta, average))
        : mul(learningRate, average);
      const change = div(mul(factor, g), add(sqrt(square), epsilon));
      return { parameter: sub(state.parameter, change), slots: { gradient: g, zeta, average, square } };
    },
  };
});
