// Rprop (Riedmiller and Braun 1993) in its form iRprop− (Igel and Hüsken 2003): steps by the gradient's sign alone.
import { z } from "zod";
import { unit } from "../base/options.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { clip } from "../ops/piecewise.js";
import { slot, type Optimizer } from "./optimizer.js";

const schema = z.strictObject({
  initial: z.number().min(0).default(0.1).describe("first step Δ"),
  etaPlus: z.number().min(1).max(2).default(1.2).describe("growth of Δ where signs agree, in [1, 2]"),
  etaMinus: z.number().min(0).max(1).default(0.5).describe("shrinkage of Δ where signs differ"),
  least: z.number().min(0).default(1e-6).describe("smallest Δ"),
  most: z.number().min(0).default(50).describe("largest Δ"),
});

/** Takes every gradient beyond the bounds of the clip that follows. */
const huge = 3e38;

/**
 * With s the sign of g and s′ the last one: Δ ← Δ·η₊ where s·s′ = 1, Δ·η₋ where it is −1, within [least, most]; where
 * it is −1 the step is left out and s ← 0, so that the next one neither grows nor shrinks; w ← w − λ·Δ·s.
 */
export const rprop = unit(
  "rprop",
  "steps by the gradient's sign alone (iRprop−)",
  schema,
  (options): Optimizer => {
    const { initial, etaPlus, etaMinus, least, most } = options;
    return {
      learningRate: 1,
      slots: { sign: 0, size: initial },
      update(state, gradient, { learningRate }) {
        const s = clip(mul(gradient, huge), -1, 1);
        const agreement = mul(s, slot(state, "sign"));
        const factor = add(clip(agreement, etaMinus - 1, etaPlus - 1), 1);
        const size = clip(mul(slot(state, "size"), factor), least, most);
        const sign = mul(s, add(clip(agreement, -1, 0), 1));
        const change = mul(mul(learningRate, size), sign);
        return { parameter: sub(state.parameter, change), slots: { sign, size } };
      },
    };
  },
);
