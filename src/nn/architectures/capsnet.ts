// CapsNet (Sabour, Frosst and Hinton 2017, "Dynamic routing between capsules"), without the decoder.
import { z } from "zod";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  convolution,
  primaryCapsules,
  routedCapsules,
} from "../layers/index.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  filters: z.int().min(1).default(256).describe("of the first convolution"),
  kernel: z.int().min(1).default(9).describe("side of both convolutions' filters, pixels"),
  primary: z.int().min(1).default(32).describe("maps of primary capsules, 8 numbers each"),
  dimension: z.int().min(1).default(16).describe("numbers of each class's capsule"),
  routings: z.int().min(1).default(3).describe("rounds of routing"),
  activation: z.enum(activationNames).default("relu").describe("after the first convolution"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights of the convolutions"),
});

/** Numbers of a primary capsule. */
const primaryDimension = 8;

/**
 * convolution – convolution of stride 2 as primary capsules – a capsule for each class, whose length is its output (not
 * a logit: train with the loss `margin`). 6,804,224 parameters on 28×28 pixels.
 */
export const capsnet = unit("capsnet", "capsule network", schema, (options): Architecture => {
  const { filters, kernel, primary, dimension, routings, initializer } = options;
  return ({ inputShape, classes }) =>
    sequential("capsnet", inputShape, [
      convolution(filters, kernel, { initializer }),
      activation(options.activation),
      convolution(primary * primaryDimension, kernel, { stride: 2, initializer }),
      primaryCapsules(primaryDimension),
      routedCapsules(classes, { dimension, routings }),
    ]);
});
