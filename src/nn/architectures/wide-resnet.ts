// Wide residual networks of basic pre-activation blocks (Zagoruyko and Komodakis 2016).
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
  globalAveragePooling,
  residual,
  type Layer,
} from "../layers/index.js";
import { mostLayers } from "../network-limits.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  depth: z
    .int()
    .min(10)
    .max(mostLayers)
    .refine((depth) => (depth - 4) % 6 === 0, { error: "expected a depth of 6n + 4: 10, 16, 22, 28 …" })
    .default(16)
    .describe("layers with weights: 6n + 4 for three groups of n blocks"),
  width: z
    .int()
    .min(1)
    .default(4)
    .describe("widening factor: groups have 16, 32 and 64 times as many filters"),
  dropout: z
    .number()
    .min(0)
    .max(0.99)
    .default(0)
    .describe("rate between the convolutions of a block, in [0, 1)"),
  activation: z.enum(activationNames).default("relu"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
});

type Options = z.output<typeof schema>;

const groups = [
  { filters: 16, stride: 1 },
  { filters: 32, stride: 2 },
  { filters: 64, stride: 2 },
] as const;

/** Batch-norm and activation ahead of each convolution. Where the block widens, the shortcut begins behind the first. */
function block(from: number, to: number, stride: number, options: Options): Layer {
  const { initializer } = options;
  const active = (): Layer[] => [batchNorm(), activation(options.activation)];
  const conv = (kernel: number, by: number): Layer =>
    convolution(to, kernel, { stride: by, padding: (kernel - 1) / 2, bias: false, initializer });
  const body = [conv(3, stride), ...active(), ...dropped(options.dropout), conv(3, 1)];
  return from === to
    ? residual([...active(), ...body])
    : residual(body, [conv(1, stride)], { before: active() });
}

/** 3×3 convolution – three groups of blocks, the last two halve the image – batch-norm – activation – average – dense. */
export const wideResnet = unit("wide-resnet", "wide residual network", schema, (options): Architecture => {
  const { depth, width, initializer } = options;
  const perGroup = (depth - 4) / 6;
  let filters = 16;
  const blocks = groups.flatMap((group) =>
    Array.from({ length: perGroup }, (_, i) => {
      const from = filters;
      filters = group.filters * width;
      return block(from, filters, i === 0 ? group.stride : 1, options);
    }),
  );
  return ({ inputShape, classes }) =>
    sequential("wide-resnet", inputShape, [
      convolution(16, 3, { padding: 1, bias: false, initializer }),
      ...blocks,
      batchNorm(),
      activation(options.activation),
      globalAveragePooling(),
      dense(classes, { initializer }),
    ]);
});
