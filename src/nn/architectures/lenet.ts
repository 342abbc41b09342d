// LeNet: the small convolutional nets that MNIST is read with, in their two common sizes.
import { z } from "zod";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  averagePooling,
  convolution,
  dense,
  dropped,
  flatten,
  maxPooling,
  type Layer,
} from "../layers/index.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  form: z
    .enum(["caffe", "lenet-5"])
    .default("caffe")
    .describe(
      "caffe: 20 and 50 filters, max-pooling, 500 units; lenet-5: 6 and 16, mean-pooling, 120 and 84",
    ),
  activation: z.enum(activationNames).default("relu").describe("after each layer but the last"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
  dropout: z.number().min(0).max(0.99).default(0.5).describe("rate after each dense hidden layer, in [0, 1)"),
});

const forms = {
  caffe: { filters: [20, 50], padding: "valid", pooling: maxPooling, hidden: [500] },
  "lenet-5": { filters: [6, 16], padding: "same", pooling: averagePooling, hidden: [120, 84] },
} as const;

/**
 * (5×5 convolution – activation – 2×2 pooling)² – (dense – activation – dropout)* – dense. 431,080 parameters on
 * 28×28 pixels (caffe), 61,706 (lenet-5; LeCun et al. 1998, but with all maps joined, plain mean-pooling and a dense output
 * layer; the first convolution pads 28×28 images to the paper's 32×32).
 */
export const lenet = unit(
  "lenet",
  "LeNet, two convolutions with pooling",
  schema,
  (options): Architecture => {
    const { initializer } = options;
    const { filters, padding, pooling, hidden } = forms[options.form];
    const convolutions = filters.flatMap((count, i): Layer[] => [
      convolution(count, 5, { padding: i === 0 ? padding : "valid", initializer }),
      activation(options.activation),
      pooling(2),
    ]);
    const units = hidden.flatMap((count): Layer[] => [
      dense(count, { initializer }),
      activation(options.activation),
      ...dropped(options.dropout),
    ]);
    return ({ inputShape, classes }) =>
      sequential("lenet", inputShape, [
        ...convolutions,
        flatten(),
        ...units,
        dense(classes, { initializer }),
      ]);
  },
);
