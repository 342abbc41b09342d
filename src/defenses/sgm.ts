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
});

type Options = z.output<typeof schema>;

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
 * mode); the change stays for the next epoch. λ̄ = 0 is standard training exactly.
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
      const [g = context.stored] = gradient(outcome.loss, [context.stored]);
      const lambda = context.scalar("sgm.lambda", options.lambda);
      const storedInputs = scope("sgm", () => {
        const scaled = options.gradientScale === "batch-mean" ? g : mul(g, size([B]));
        const moved = add(context.stored, mul(lambda, scaled));
        return constrained(moved, context, options);
      });
      return { ...outcome, storedInputs };
    },
  }),
);
