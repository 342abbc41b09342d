// R (Di, Yu and Tian 2018, eq. 2): inputs and hidden activations perturbed by random-sign multiples of themselves.
import { z } from "zod";
import { failUnknown } from "../base/errors.js";
import { quantity } from "../base/options.js";
import { scope, type Node } from "../graph/node.js";
import type { Model, NoiseSource } from "../nn/model.js";
import { fitting } from "../nn/patterns.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { abs } from "../ops/piecewise.js";
import { defense, type Defense } from "./defense.js";

const schema = z.strictObject({
  epsilon: quantity(0).default(0.5).describe("relative size of the perturbation"),
  p: z.number().min(0).max(1).default(0.5).describe("probability of the + sign"),
  granularity: z
    .enum(["element", "sample"])
    .default("element")
    .describe("one sign per element or per sample"),
  sites: z
    .array(z.string())
    .min(1)
    .default(["input"])
    .describe("input and/or names of hidden activations; * stands for any text without a dot"),
});

type Options = z.output<typeof schema>;

/** The sites of the model called `name` that the option means. */
function sitesOf({ name, sites }: Model, asked: readonly string[]): ReadonlySet<string> {
  const known = ["input", ...sites];
  const meant = asked.map((pattern) => {
    const found = fitting(pattern, known);
    return found.length > 0 ? found : failUnknown("sign-noise.sites", `site of ${name}`, pattern, known);
  });
  return new Set(meant.flat());
}

/** x + ε·|x|·s, s = ±1. */
function perturbed(x: Node, site: string, epsilon: Node, noise: NoiseSource, options: Options): Node {
  const shape = options.granularity === "element" ? x.shape : x.shape.map((d, i) => (i === 0 ? d : 1));
  const plus = noise.draw({ name: `sign-noise.${site}`, shape, kind: "bernoulli", p: options.p });
  const signs = sub(mul(plus, 2), 1);
  return add(x, mul(mul(epsilon, abs(x)), signs));
}

/**
 * g(x) = x + ε·x⊙l(x), l = ±sgn x with probability p and 1 − p, at each site; drawn anew in each step and
 * pass, differentiated through, absent in evaluation. ε = 0 is standard training exactly.
 */
export const signNoise = defense(
  "sign-noise",
  "random-sign multiples of inputs and activations (R)",
  schema,
  { epsilon: 0 },
  (options): Defense => ({
    movesInputs: false,
    wrap: (objective) => (batch, context) => {
      const sites = sitesOf(context.model, options.sites);
      const epsilon = context.scalar("sign-noise.epsilon", options.epsilon);
      return objective(batch, {
        ...context,
        logits: (inputs, passOptions = {}) => {
          const noise = context.noise(passOptions.noise ?? "train");
          const at = (site: string, x: Node): Node =>
            sites.has(site) ? scope("sign-noise", () => perturbed(x, site, epsilon, noise, options)) : x;
          const outer = passOptions.site;
          return context.logits(at("input", inputs), {
            ...passOptions,
            site: (site, x) => at(site, outer ? outer(site, x) : x),
          });
        },
      });
    },
  }),
);
