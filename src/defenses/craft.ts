// One signed gradient step on a training batch: what ABP, FGSM training and SGM's relatives share.
import { gradient } from "../autodiff/gradient.js";
import { scope, type Node } from "../graph/node.js";
import { add, mul } from "../ops/arithmetic.js";
import { argMax, oneHot } from "../ops/indexing.js";
import { clip, sign } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";
import type { Batch, StepContext } from "./defense.js";

export interface CraftOptions {
  /** Step, input units. */
  readonly epsilon: Node;
  readonly clipped: boolean;
  /** Noise of the crafting pass: its own, or that of the training pass. */
  readonly noise: string;
  readonly labels: "true" | "predicted";
}

/**
 * x + ε·sign ∇ₓE in training mode, statistics not moved. Sign has no derivative, so what follows sees the
 * step as a constant shift of x.
 */
export const signedStep = (batch: Batch, context: StepContext, options: CraftOptions): Node =>
  scope("craft", () => {
    const { epsilon, clipped, noise, labels } = options;
    const logits = context.logits(batch.inputs, { noise });
    const loss = scope("loss", () => {
      const targets = labels === "true" ? batch.targets : oneHot(argMax(logits, 1), context.model.classes);
      return sum(context.loss(logits, targets));
    });
    const [g] = gradient(loss, [batch.inputs]);
    const moved = scope("step", () => add(batch.inputs, mul(epsilon, sign(g ?? batch.inputs))));
    return clipped ? scope("clip", () => clip(moved, ...context.bounds)) : moved;
  });
