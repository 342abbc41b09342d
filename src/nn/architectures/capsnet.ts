// CapsNet (Sabour, Frosst and Hinton 2017, "Dynamic routing between capsules"), with or without its decoder.
import { z } from "zod";
import { count } from "../../base/shape.js";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  capsuleLengths,
  convolution,
  primaryCapsules,
  reconstruction,
  routedCapsules,
  type Layer,
} from "../layers/index.js";
import { valuesOf, type Model } from "../model.js";
import { mostRepeats } from "../network-limits.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  filters: z.int().min(1).default(256).describe("of the first convolution"),
  kernel: z.int().min(1).default(9).describe("side of both convolutions' filters, pixels"),
  primary: z.int().min(1).default(32).describe("maps of primary capsules, 8 numbers each"),
  dimension: z.int().min(1).default(16).describe("numbers of each class's capsule"),
  routings: z.int().min(1).max(mostRepeats).default(3).describe("rounds of routing"),
  activation: z.enum(activationNames).default("relu").describe("after the first convolution"),
  // Options that came later have no default in the schema: it would change the identity of trainings that are done.
  reconstruction: z
    .number()
    .min(0)
    .optional()
    .describe(
      "weight of the decoder's squared error beside the loss; published 0.0005, default 0: no decoder",
    ),
  decoder: z
    .array(z.int().min(1))
    .optional()
    .describe("units of the decoder's hidden layers, default [512, 1024]"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights of the convolutions"),
});

/** Numbers of a primary capsule. */
const primaryDimension = 8;

/**
 * convolution – convolution of stride 2 as primary capsules – a capsule for each class, whose length is its output (not
 * a logit: its own loss is `margin`). 6,804,224 parameters on 28×28 pixels. While training a decoder may rebuild the
 * image from the true class's capsule (section 4.1): 8,215,568 parameters with it; no file holds it.
 */
export const capsnet = unit(
  "capsnet",
  "capsule network, whose outputs are lengths; trained with the loss margin",
  schema,
  (options): Architecture => {
    const { filters, kernel, primary, dimension, routings, initializer } = options;
    const { reconstruction: weight = 0, decoder: hidden = [512, 1024] } = options;
    return ({ inputShape, classes }) => {
      const reading = (decoder: readonly Layer[]): Model => ({
        ...sequential("capsnet", inputShape, [
          convolution(filters, kernel, { initializer }),
          activation(options.activation),
          convolution(primary * primaryDimension, kernel, { stride: 2, initializer }),
          primaryCapsules(primaryDimension),
          routedCapsules(classes, { dimension, routings }),
          ...decoder,
          capsuleLengths(),
        ]),
        loss: "margin",
      });
      const encoder = reading([]);
      if (weight === 0) return encoder;
      const decoder = { weight, hidden, activation: options.activation, initializer };
      const whole = reading([reconstruction(count(inputShape), decoder)]);
      return {
        ...whole,
        deployed: (weights) => ({ model: encoder, weights: valuesOf(encoder, weights) }),
      };
    };
  },
);
