// PGD adversarial training (Madry et al. 2018): each batch in place of itself at a local maximum of the loss.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { scope, type Node } from "../graph/node.js";
import { add, mul, neg, sub } from "../ops/arithmetic.js";
import { maximum, minimum } from "../ops/extremum.js";
import { clip } from "../ops/piecewise.js";
import { signedStep } from "./craft.js";
import { defense, type Defense } from "./defense.js";

const schema = z.strictObject({
  epsilon: quantity(0).default(0.1).describe("radius of the L∞ ball, input units"),
  steps: z.int().min(1).max(50).default(7).describe("iterations; each costs a pass forward and back"),
  relativeStepSize: quantity(0).default(2.5).describe("length of a step in units of ε / steps"),
  randomStart: z.boolean().default(true).describe("start at a random point of the ball"),
});

/** `x` taken back into the L∞ ball of `radius` around `center` and into the bounds. */
const within = (x: Node, center: Node, radius: Node, bounds: readonly [number, number]): Node =>
  clip(add(center, maximum(minimum(sub(x, center), radius), neg(radius))), ...bounds);

/**
 * x₀ uniform in the ball, xₖ₊₁ = Π(xₖ + α·sign ∂E(xₖ)/∂xₖ) with α = relativeStepSize·ε/steps, then the objective at the
 * last. All passes are in training mode and share the dropout masks of one crafting pass; only the last moves
 * batch-norm's statistics. ε = 0 is standard training exactly.
 */
export const pgdTraining = defense(
  "pgd-training",
  "train on inputs at a local maximum of the loss (Madry et al. 2018)",
  schema,
  { epsilon: 0, randomStart: false },
  ({ epsilon, steps, relativeStepSize, randomStart }): Defense => ({
    movesInputs: false,
    wrap: (objective) => (batch, context) => {
      const radius = context.scalar("pgd-training.epsilon", epsilon);
      const length = mul(radius, relativeStepSize / steps);
      const center = batch.inputs;
      let inputs = center;
      if (randomStart) {
        const request = { name: "pgd-training.start", shape: center.shape, kind: "uniform" } as const;
        const start = context.noise("pgd-training").draw(request);
        const shift = mul(sub(mul(start, 2), 1), radius);
        inputs = scope("craft/start", () => within(add(center, shift), center, radius, context.bounds));
      }
      const craft = { epsilon: length, clipped: false, noise: "pgd-training", labels: "true" } as const;
      for (let step = 0; step < steps; step++) {
        const moved = signedStep({ ...batch, inputs }, context, craft);
        inputs = scope("craft/project", () => within(moved, center, radius, context.bounds));
      }
      return objective({ ...batch, inputs }, context);
    },
  }),
);
