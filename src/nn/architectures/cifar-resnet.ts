// Residual networks for small images (He et al. 2016, section 4.2), with stochastic depth (Huang et al. 2016).
import { z } from "zod";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  batchNorm,
  convolution,
  dense,
  globalAveragePooling,
  residual,
  subsample,
  type Layer,
  type Survival,
} from "../layers/index.js";
import { mostLayers } from "../network-limits.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  depth: z
    .int()
    .min(8)
    .max(mostLayers)
    .refine((depth) => (depth - 2) % 6 === 0, { error: "expected a depth of 6n + 2: 8, 14, 20 … 110, 152" })
    .default(110)
    .describe("layers with weights: 6n + 2 for three groups of n blocks"),
  filters: z.int().min(1).default(16).describe("of the first group; each later one has twice as many"),
  survival: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe(
      "stochastic depth: probability that the last block takes part in training, in (0, 1]; others linearly between 1 and it",
    ),
  granularity: z
    .enum(["batch", "sample"])
    .default("batch")
    .describe("stochastic depth: one draw for a whole batch, as published, or for each sample"),
  activation: z.enum(activationNames).default("relu"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
});

type Options = z.output<typeof schema>;

/** conv – batch-norm – activation – conv – batch-norm, plus the image itself, then an activation. */
function block(from: number, to: number, stride: number, survival: Survival, options: Options): Layer {
  const { initializer } = options;
  const conv = (by: number): Layer[] => [
    convolution(to, 3, { stride: by, padding: 1, bias: false, initializer }),
    batchNorm(),
  ];
  return residual(
    [...conv(stride), activation(options.activation), ...conv(1)],
    from === to ? [] : [subsample(to, stride)],
    { after: [activation(options.activation)], survival },
  );
}

/**
 * 3×3 convolution – three groups of n blocks, the last two halve the image – average – dense. Block l of L survives with
 * probability 1 − l/L·(1 − survival). 1,727,962 parameters at depth 110, 2,408,474 at 152, 10 classes.
 */
export const cifarResnet = unit(
  "cifar-resnet",
  "residual network for small images, stochastic depth",
  schema,
  (options): Architecture => {
    const { depth, initializer, survival, granularity } = options;
    const perGroup = (depth - 2) / 6;
    const blocks = Array.from({ length: 3 * perGroup }, (_, i): Layer => {
      const filters = options.filters * 2 ** Math.floor(i / perGroup);
      const isFirst = i > 0 && i % perGroup === 0;
      const probability = 1 - ((i + 1) / (3 * perGroup)) * (1 - survival);
      const from = isFirst ? filters / 2 : filters;
      return block(from, filters, isFirst ? 2 : 1, { probability, granularity }, options);
    });
    return ({ inputShape, classes }) =>
      sequential("cifar-resnet", inputShape, [
        convolution(options.filters, 3, { padding: 1, bias: false, initializer }),
        batchNorm(),
        activation(options.activation),
        ...blocks,
        globalAveragePooling(),
        dense(classes, { initializer }),
      ]);
  },
);
