// Plain convolutional networks: convolutions with optional batch-norm, pooling and dropout, then dense layers.
import { z } from "zod";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  batchNorm,
  convolution,
  dense,
  dropout,
  flatten,
  maxPooling,
  type Layer,
} from "../layers/index.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const convolutionSchema = z.strictObject({
  filters: z.int().min(1),
  kernel: z.int().min(1).describe("side of the square filters, pixels"),
  stride: z.int().min(1).default(1),
  padding: z.union([z.enum(["same", "valid"]), z.int().min(0)]).default("same"),
  pool: z.int().min(2).optional().describe("side and stride of max-pooling after it, pixels"),
});

const schema = z.strictObject({
  convolutions: z
    .array(convolutionSchema)
    .default([
      { filters: 32, kernel: 5, stride: 1, padding: "same", pool: 2 },
      { filters: 64, kernel: 5, stride: 1, padding: "same", pool: 2 },
    ])
    .describe("convolutional layers, in order"),
  hidden: z.array(z.int().min(1)).default([1024]).describe("units of each dense hidden layer"),
  activation: z.enum(activationNames).default("relu"),
  initializer: z.enum(initializerNames).default("he-normal"),
  batchNorm: z.boolean().default(false).describe("before each activation"),
  outputBatchNorm: z.boolean().default(false).describe("batch-norm after the output layer"),
  dropout: z.number().min(0).max(0.99).default(0).describe("rate after each dense hidden layer, in [0, 1)"),
});

/** (conv – batch-norm – activation – max-pool)* – flatten – (dense – batch-norm – activation – dropout)* – dense – batch-norm. */
export const convnet = unit("convnet", "plain convolutional network", schema, (options): Architecture => {
  const { initializer } = options;
  const tail = (): Layer[] => [...(options.batchNorm ? [batchNorm()] : []), activation(options.activation)];
  const convolutions = options.convolutions.flatMap(({ filters, kernel, pool, ...rest }) => [
    convolution(filters, kernel, { ...rest, initializer, bias: true }),
    ...tail(),
    ...(pool === undefined ? [] : [maxPooling(pool)]),
  ]);
  const hidden = options.hidden.flatMap((units) => [
    dense(units, { initializer }),
    ...tail(),
    ...(options.dropout > 0 ? [dropout(options.dropout)] : []),
  ]);
  return ({ inputShape, classes }) =>
    sequential("convnet", inputShape, [
      ...convolutions,
      flatten(),
      ...hidden,
      dense(classes, { initializer }),
      ...(options.outputBatchNorm ? [batchNorm()] : []),
    ]);
});
