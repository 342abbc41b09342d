// Double back-propagation with the L1 norm (L1DB; Seck, Loosli and Canu 2019, eq. 3): λ·‖∂f/∂x‖₁,₁ beside the loss.
import { z } from "zod";
import { gradient } from "../autodiff/gradient.js";
import { jacobian } from "../autodiff/jacobian.js";
import { quantity } from "../base/options.js";
import { B, count } from "../base/shape.js";
import { scope, type Node } from "../graph/node.js";
import { add, div, mul } from "../ops/arithmetic.js";
import { softmax } from "../ops/log-softmax.js";
import { abs } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";
import { size } from "../ops/size.js";
import { slice } from "../ops/structure.js";
import { defense, type Defense, type StepContext } from "./defense.js";

const schema = z.strictObject({
  lambda: quantity(0).default(10).describe("weight of the penalty"),
  form: z
    .enum(["exact", "summed"])
    .default("exact")
    .describe("exact: Σᵢⱼ|∂fᵢ/∂xⱼ| (eq. 3); summed: Σⱼ|Σᵢ ∂fᵢ/∂xⱼ| (section 4.2)"),
  of: z.enum(["logits", "probabilities"]).default("probabilities").describe("what f is"),
  reduction: z
    .enum(["sum", "mean-pixels", "mean"])
    .default("mean")
    .describe(
      "over outputs and pixels: sum; mean over pixels; mean over both. Always the mean over the batch",
    ),
  points: z.enum(["all", "clean"]).default("all").describe("every row of the batch, or the clean ones only"),
  statistics: z.enum(["held", "free"]).default("held").describe("batch-norm's statistics inside the penalty"),
});

type Options = z.output<typeof schema>;

/** Σ |J| over outputs, pixels and rows, before any reduction. */
function absoluteJacobian(inputs: Node, context: StepContext, options: Options): Node {
  const logits = context.logits(inputs, { statisticsHeld: options.statistics === "held" });
  const outputs = options.of === "logits" ? logits : softmax(logits);
  if (options.form === "exact") return sum(abs(jacobian(outputs, inputs)));
  const [columns] = gradient(sum(outputs), [inputs]);
  return sum(abs(columns ?? inputs));
}

/**
 * E + λ·‖J‖₁,₁ with J = ∂f/∂x at each point of the batch, of shape [classes, rows, …inputShape].
 * The summed form of probabilities is identically zero (Σᵢfᵢ = 1). λ = 0 is standard training exactly.
 */
export const jacobianPenalty = defense(
  "jacobian-penalty",
  "L1 norm of the outputs' Jacobian as a penalty (L1DB)",
  schema,
  { lambda: 0 },
  (options): Defense => ({
    movesInputs: false,
    wrap: (objective) => (batch, context) => {
      const outcome = objective(batch, context);
      const rows = batch.inputs.shape[0] ?? B;
      const clean = options.points === "clean";
      const inputs = clean ? slice(batch.inputs, { axes: [0], starts: [0], ends: [B] }) : batch.inputs;
      const lambda = context.scalar("jacobian-penalty.lambda", options.lambda);
      const { penalty, loss } = scope("jacobian-penalty", () => {
        const total = absoluteJacobian(inputs, context, options);
        const pixels = options.reduction === "sum" ? 1 : count(context.model.inputShape);
        const outputs = options.reduction === "mean" ? context.model.classes : 1;
        const penalty = mul(div(total, size([clean ? B : rows])), 1 / (pixels * outputs));
        return { penalty, loss: add(outcome.loss, mul(lambda, penalty)) };
      });
      return {
        ...outcome,
        loss,
        metrics: { ...outcome.metrics, penalty },
      };
    },
  }),
);
