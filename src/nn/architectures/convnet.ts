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
  dropped,
  flatten,
  maxPooling,
  type Layer,
} from "../layers/index.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const rate = z.number().min(0).max(0.99);

const convolutionSchema = z.strictObject({
  filters: z.int().min(1),
  kernel: z.int().min(1).describe("side of the square filters, pixels"),
  stride: z.int().min(1).default(1),
  padding: z.union([z.enum(["same", "valid"]), z.int().min(0)]).default("same"),
  pool: z
    .union([z.int().min(2), z.strictObject({ size: z.int().min(2), stride: z.int().min(1) })], {
      error: "expected a side in pixels, at least 2, or { size, stride }",
    })
    .optional()
    .describe("max-pooling after it: side and stride of the windows, pixels"),
  dropout: rate.optional().describe("rate after it, in [0, 1)"),
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
  dropout: rate.default(0).describe("rate after each dense hidden layer, in [0, 1)"),
  inputDropout: rate.optional().describe("rate at the inputs, in [0, 1)"),
});

type Pool = z.output<typeof convolutionSchema>["pool"];

const pooled = (pool: Pool): Layer[] => {
  if (pool === undefined) return [];
  return [typeof pool === "number" ? maxPooling(pool) : maxPooling(pool.size, { stride: pool.stride })];
};

/**
 * dropout – (conv – batch-norm – activation – max-pool – dropout)* – flatten – (dense – batch-norm – activation –
 * dropout)* – dense – batch-norm, each only where asked for.
 */
export const convnet = unit("convnet", "plain convolutional network", schema, (options): Architecture => {
  const { initializer } = options;
  const tail = (): Layer[] => [...(options.batchNorm ? [batchNorm()] : []), activation(options.activation)];
  const convolutions = options.convolutions.flatMap(({ filters, kernel, pool, dropout: rate, ...rest }) => [
    convolution(filters, kernel, { ...rest, initializer, bias: true }),
    ...tail(),
    ...pooled(pool),
    ...dropped(rate),
  ]);
  const hidden = options.hidden.flatMap((units) => [
    dense(units, { initializer }),
    ...tail(),
    ...dropped(options.dropout),
  ]);
  return ({ inputShape, classes }) =>
    sequential("convnet", inputShape, [
      ...dropped(options.inputDropout),
      ...convolutions,
      flatten(),
      ...hidden,
      dense(classes, { initializer }),
      ...(options.outputBatchNorm ? [batchNorm()] : []),
    ]);
});
