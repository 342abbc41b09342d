// Adversarial back-propagation (ABP; Nøkland 2015, section 2): train on x + ε·sign ∂E/∂x in place of x.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { signedStep } from "./craft.js";
import { defense, type Defense } from "./defense.js";

const schema = z.strictObject({
  epsilon: quantity(0).default(0.08).describe("step along the sign of the gradient, input units"),
  clip: z.boolean().default(false).describe("clip the moved inputs to the bounds"),
  noise: z.enum(["redraw", "share"]).default("redraw").describe("dropout masks of the two passes"),
});

/**
 * z = x + ε·sign ∂E(x)/∂x, then the objective at z. Both passes are in training mode; only the second moves
 * batch-norm's statistics. ε = 0 is standard training exactly.
 */
export const adversarialBackprop = defense(
  "adversarial-backprop",
  "train on inputs moved along the sign of their gradient (ABP)",
  schema,
  { epsilon: 0 },
  (options): Defense => ({
    movesInputs: false,
    wrap: (objective) => (batch, context) => {
      const inputs = signedStep(batch, context, {
        epsilon: context.scalar("adversarial-backprop.epsilon", options.epsilon),
        clipped: options.clip,
        noise: options.noise === "share" ? "train" : "adversarial-backprop",
        labels: "true",
      });
      return objective({ ...batch, inputs }, context);
    },
  }),
);
