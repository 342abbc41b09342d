// The Smooth Gradient Method (SGM; Mosca and Magoulas 2018, eq. 3): the stored inputs move along their gradient.
import { z } from "zod";
import { gradient } from "../autodiff/gradient.js";
import { quantity } from "../base/options.js";
import { B } from "../base/shape.js";
import { scope, type Node } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { maximum, minimum } from "../ops/extremum.js";
import { clip } from "../ops/piecewise.js";
import { size } from "../ops/size.js";
import { defense, type Defense, type StepContext } from "./defense.js";
import { inputRules, inputStep } from "./input-rule.js";

const schema = z.strictObject({
  lambda: quantity(-1, 1).default(0.2).describe("step along the gradient (λ̄), in [-1, 1]"),
  gradientScale: z
    .enum(["batch-mean", "per-sample"])
    .default("batch-mean")
    .describe("gradient of the batch's mean loss (divided by the batch size), or of each sample's own loss"),
  clip: z.boolean().default(false).describe("keep stored inputs within the bounds"),
  radius: quantity(0)
    .optional()
    .describe("keep stored inputs in this L∞ ball around the originals, input units"),
  // Options that came later have no default in the schema: it would change the identity of trainings that are done.
  rule: z
    .enum(inputRules)
    .optional()
    .describe("what moves the inputs: the gradient (the default), or an optimizer's rule with λ̄ as its rate"),
  augmentation: z
    .enum(["pullback", "identity"])
    .optional()
    .describe(
      "gradient at augmented images: carried back to the stored ones (the default), or applied to them as it is",
    ),
  noise: z
    .strictObject({
      sigma: quantity(0).describe("standard deviation in the first epoch, input units"),
      decay: z.number().min(0).lt(1).describe("factor of the variance from epoch to epoch"),
    })
    .optional()
    .describe("noise that is added to the stored inputs and stays"),
});

type Options = z.output<typeof schema>;

/** x + ε with ε ~ N(0, σ²·rᵗ) for each pixel in epoch t (section 4); σ = 0 adds none. */
function withNoise(x: Node, context: StepContext, { noise }: Options): Node {
  if (noise === undefined || noise.sigma === 0) return x;
  const { sigma, decay } = noise;
  const deviation = context.scalar("sgm.noise", (epoch) => sigma * Math.sqrt(decay ** epoch));
  const drawn = context.noise("sgm").draw({ name: "noise", shape: context.stored.shape, kind: "normal" });
  return add(x, mul(deviation, drawn));
}

function constrained(moved: Node, context: StepContext, options: Options): Node {
  let x = moved;
  if (options.radius !== undefined) {
    const radius = context.scalar("sgm.radius", options.radius);
    const centre = context.originals();
    x = minimum(maximum(x, sub(centre, radius)), add(centre, radius));
  }
  return options.clip ? clip(x, ...context.bounds) : x;
}

/**
 * x ← x + λ̄·∂E/∂x for the stored inputs, in the same backward pass as the weights (old weights, training
 * mode); the change stays for the next epoch. With augmented images A(x) the gradient is Aᵀ·∂E/∂A(x), or ∂E/∂A(x) as
 * it is (`identity`). λ̄ = 0 without noise is standard training exactly.
 */
export const sgm = defense(
  "sgm",
  "stored inputs keep moving along their gradient (SGM)",
  schema,
  { lambda: 0 },
  (options): Defense => ({
    movesInputs: true,
    wrap: (objective) => (batch, context) => {
      const outcome = objective(batch, context);
      const point = options.augmentation === "identity" ? context.augmented : context.stored;
      const [g = point] = gradient(outcome.loss, [point]);
      return scope("sgm", () => {
        const { storedInputs, perSample } = inputStep(context, {
          gradient: options.gradientScale === "batch-mean" ? g : mul(g, size([B])),
          lambda: options.lambda,
          rule: options.rule ?? "gradient",
          name: "sgm",
        });
        const noisy = withNoise(storedInputs, context, options);
        return { ...outcome, storedInputs: constrained(noisy, context, options), perSample };
      });
    },
  }),
);
