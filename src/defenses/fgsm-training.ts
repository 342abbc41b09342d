// FGSM adversarial training (Goodfellow et al. 2015) as L1DB uses it: each batch doubled with its FGSM images.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { mul } from "../ops/arithmetic.js";
import { broadcastTo } from "../ops/reduce.js";
import { concat } from "../ops/structure.js";
import { signedStep } from "./craft.js";
import { defense, type Batch, type Defense } from "./defense.js";

const schema = z.strictObject({
  epsilon: quantity(0).default(0.3).describe("L∞ step, input units"),
  ratio: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("share of the loss on adversarial images; 0 is standard"),
  clip: z.boolean().default(true).describe("clip adversarial images to the bounds"),
  labels: z.enum(["true", "predicted"]).default("true").describe("labels to craft with (true ones can leak)"),
  noise: z.enum(["redraw", "share"]).default("redraw").describe("dropout masks of the two passes"),
});

/** The batch and, behind it, its adversarial images with the same targets. */
function doubled(batch: Batch, adversarial: Batch["inputs"], ratio: number): Batch {
  const twice = (node: Batch["inputs"]): Batch["inputs"] => concat([node, node], 0);
  const rows = batch.inputs.shape[0] ?? 1;
  const part = (share: number): Batch["inputs"] => {
    const weight = broadcastTo(2 * share, [rows]);
    return batch.weights ? mul(weight, batch.weights) : weight;
  };
  return {
    inputs: concat([batch.inputs, adversarial], 0),
    labels: twice(batch.labels),
    targets: twice(batch.targets),
    ...((ratio !== 0.5 || batch.weights) && { weights: concat([part(1 - ratio), part(ratio)], 0) }),
  };
}

/**
 * E = (1 − ratio)·E(x) + ratio·E(clip(x + ε·sign ∂E/∂x)), one pass over [2·rows]. ratio = 0 is standard
 * training exactly.
 */
export const fgsmTraining = defense(
  "fgsm-training",
  "each batch doubled with its FGSM images",
  schema,
  { ratio: 0 },
  (options): Defense => ({
    movesInputs: false,
    wrap: (objective) => (batch, context) => {
      if (options.ratio === 0) return objective(batch, context);
      const adversarial = signedStep(batch, context, {
        epsilon: context.scalar("fgsm-training.epsilon", options.epsilon),
        clipped: options.clip,
        noise: options.noise === "share" ? "train" : "fgsm-training",
        labels: options.labels,
      });
      return objective(doubled(batch, adversarial, options.ratio), context);
    },
  }),
);
