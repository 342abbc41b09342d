// All-CNN-C (Springenberg et al. 2015, "Striving for simplicity") as SGM's authors use it for CIFAR.
import { z } from "zod";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  batchNorm,
  convolution,
  dropped,
  globalAveragePooling,
  type Layer,
} from "../layers/index.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  filters: z
    .tuple([z.int().min(1), z.int().min(1)])
    .default([96, 192])
    .describe("filters of the first three convolutions, and of those after them"),
  activation: z.enum(activationNames).default("relu").describe("after each convolution"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
  batchNorm: z.boolean().default(true).describe("before each activation"),
  dropout: z
    .number()
    .min(0)
    .max(0.99)
    .default(0.5)
    .describe("rate after each convolution of stride 2, in [0, 1)"),
});

/**
 * (3×3 – 3×3 – 3×3 of stride 2 – dropout) twice – 3×3 – 1×1 – 1×1 to the classes – global average; batch-norm and
 * activation after each convolution, the last one too; 3×3 pads one pixel on each side.
 */
export const allCnnC = unit("all-cnn-c", "All-CNN-C with batch-norm", schema, (options): Architecture => {
  const { initializer } = options;
  const conv = (filters: number, kernel: number, stride = 1): Layer[] => [
    convolution(filters, kernel, { stride, padding: kernel === 3 ? 1 : 0, initializer }),
    ...(options.batchNorm ? [batchNorm()] : []),
    activation(options.activation),
  ];
  const stage = (filters: number): Layer[] => [
    ...conv(filters, 3),
    ...conv(filters, 3),
    ...conv(filters, 3, 2),
    ...dropped(options.dropout),
  ];
  const [narrow, wide] = options.filters;
  return ({ inputShape, classes }) =>
    sequential("all-cnn-c", inputShape, [
      ...stage(narrow),
      ...stage(wide),
      ...conv(wide, 3),
      ...conv(wide, 1),
      ...conv(classes, 1),
      globalAveragePooling(),
    ]);
});
