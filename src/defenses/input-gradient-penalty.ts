// Double back-propagation of the loss (Drucker and Le Cun 1992): the size of its gradient at the input as a penalty.
import { z } from "zod";
import { gradient } from "../autodiff/gradient.js";
import { quantity } from "../base/options.js";
import { B } from "../base/shape.js";
import { scope } from "../graph/node.js";
import { add, div, mul } from "../ops/arithmetic.js";
import { abs } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";
import { size } from "../ops/size.js";
import { defense, type Defense } from "./defense.js";

const schema = z.strictObject({
  lambda: quantity(0).default(0.1).describe("weight of the penalty"),
  norm: z
    .enum(["l2", "l1"])
    .default("l2")
    .describe("l2: the sum of squares over the pixels; l1: the sum of sizes"),
  statistics: z.enum(["held", "free"]).default("held").describe("batch-norm's statistics inside the penalty"),
});

/**
 * E + λ·(1/n)·Σᵢ‖∂Eᵢ/∂xᵢ‖₂², or ‖·‖₁, over the n rows of the batch, Eᵢ the loss of row i by itself.
 * λ = 0 is standard training exactly.
 */
export const inputGradientPenalty = defense(
  "input-gradient-penalty",
  "size of the loss's gradient at the input as a penalty",
  schema,
  { lambda: 0 },
  (options): Defense => ({
    movesInputs: false,
    wrap: (objective) => (batch, context) => {
      const outcome = objective(batch, context);
      const lambda = context.scalar("input-gradient-penalty.lambda", options.lambda);
      return scope("input-gradient-penalty", () => {
        const logits = context.logits(batch.inputs, { statisticsHeld: options.statistics === "held" });
        const [g = batch.inputs] = gradient(sum(context.loss(logits, batch.targets)), [batch.inputs]);
        const total = sum(options.norm === "l1" ? abs(g) : mul(g, g));
        const penalty = div(total, size([batch.inputs.shape[0] ?? B]));
        const weighted = mul(lambda, penalty);
        return {
          ...outcome,
          loss: add(outcome.loss, weighted),
          ...(outcome.parts && { parts: [...outcome.parts, weighted] }),
          metrics: { ...outcome.metrics, inputGradient: penalty },
        };
      });
    },
  }),
);
