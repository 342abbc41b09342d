// Fully connected networks: the papers' MNIST nets (784-400-400-10 and wider, 2500-…-500, L1DB's model C).
import { z } from "zod";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  batchNorm,
  dense,
  dropped,
  flatten,
  type Layer,
} from "../layers/index.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  hidden: z.array(z.int().min(1)).default([400, 400]).describe("units of each hidden layer"),
  activation: z.enum(activationNames).default("relu").describe("after each hidden layer"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
  batchNorm: z.boolean().default(false).describe("before each activation"),
  outputBatchNorm: z.boolean().default(false).describe("batch-norm after the output layer"),
  dropout: z.number().min(0).max(0.99).default(0).describe("rate after each hidden layer, in [0, 1)"),
  inputDropout: z.number().min(0).max(0.99).optional().describe("rate at the inputs, in [0, 1)"),
});

/** flatten – dropout – (dense – batch-norm – activation – dropout)* – dense – batch-norm, each only where asked for. */
export const mlp = unit("mlp", "fully connected network", schema, (options): Architecture => {
  const { hidden, initializer } = options;
  const layersOf = (units: number): Layer[] => [
    dense(units, { initializer }),
    ...(options.batchNorm ? [batchNorm()] : []),
    activation(options.activation),
    ...dropped(options.dropout),
  ];
  return ({ inputShape, classes }) =>
    sequential("mlp", inputShape, [
      flatten(),
      ...dropped(options.inputDropout),
      ...hidden.flatMap(layersOf),
      dense(classes, { initializer }),
      ...(options.outputBatchNorm ? [batchNorm()] : []),
    ]);
});
