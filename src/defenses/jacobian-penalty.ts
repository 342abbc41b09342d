// Double back-propagation with the L1 norm (L1DB; Seck, Loosli and Canu 2019, eq. 3): λ·‖∂f/∂x‖₁,₁ beside the loss.
import { z } from "zod";
import { gradient } from "../autodiff/gradient.js";
import { jacobian } from "../autodiff/jacobian.js";
import { check } from "../base/errors.js";
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
  rowsAtOnce: z
    .int()
    .min(1)
    .default(10)
    .describe("exact: outputs whose gradients are computed together; fewer take less memory"),
  manyOutputs: z
    .boolean()
    .default(false)
    .describe("exact: allow more than 100 outputs, as many backward passes"),
  statistics: z.enum(["held", "free"]).default("held").describe("batch-norm's statistics inside the penalty"),
});

type Options = z.output<typeof schema>;

const mostOutputs = 100;

const total = (parts: readonly Node[]): Node => parts.reduce((all, part) => add(all, part));

/** Groups of outputs whose gradients are computed together: [from, to). */
function rowGroups(classes: number, { rowsAtOnce, manyOutputs }: Options): [number, number][] {
  check(
    classes <= mostOutputs || manyOutputs,
    "jacobian-penalty",
    `at most ${mostOutputs} outputs for the exact form`,
    () => `${classes} (allowed: the summed form, or manyOutputs: true)`,
  );
  const starts = Array.from({ length: Math.ceil(classes / rowsAtOnce) }, (_, i) => i * rowsAtOnce);
  return starts.map((from) => [from, Math.min(from + rowsAtOnce, classes)]);
}

/** Σ |J| over outputs, pixels and rows, before any reduction; group by group of the outputs. */
function absoluteJacobian(inputs: Node, context: StepContext, options: Options): Node[] {
  const logits = context.logits(inputs, { statisticsHeld: options.statistics === "held" });
  const outputs = options.of === "logits" ? logits : softmax(logits);
  if (options.form === "exact")
    return rowGroups(context.model.classes, options).map((rows) =>
      sum(abs(jacobian(outputs, inputs, { rows }))),
    );
  const [columns] = gradient(sum(outputs), [inputs]);
  return [sum(abs(columns ?? inputs))];
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
      return scope("jacobian-penalty", () => {
        const totals = absoluteJacobian(inputs, context, options);
        const pixels = options.reduction === "sum" ? 1 : count(context.model.inputShape);
        const outputs = options.reduction === "mean" ? context.model.classes : 1;
        const points = size([clean ? B : rows]);
        const penalties = totals.map((total) => mul(div(total, points), 1 / (pixels * outputs)));
        const [first, ...others] = penalties.map((penalty) => mul(lambda, penalty));
        const [loss, ...parts] = outcome.parts ?? [outcome.loss];
        const apart = [add(loss ?? 0, first ?? 0), ...parts, ...others];
        return {
          ...outcome,
          loss: total(apart),
          ...(apart.length > 1 && { parts: apart }),
          metrics: { ...outcome.metrics, penalty: total(penalties) },
        };
      });
    },
  }),
);
