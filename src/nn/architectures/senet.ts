// SENet-154 (Hu et al. 2018, "Squeeze-and-Excitation networks"): grouped bottleneck blocks with weighted channels.
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
  maxPooling,
  residual,
  squeezeExcite,
  type ConvOptions,
  type Layer,
} from "../layers/index.js";
import { mostRepeats } from "../network-limits.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  blocks: z
    .array(z.int().min(1).max(mostRepeats))
    .min(1)
    .default([3, 8, 36, 3])
    .describe("blocks of each group"),
  groups: z
    .int()
    .min(1)
    .default(64)
    .describe("groups of channels that the 3×3 convolutions read apart; also the stem's filters"),
  reduction: z.int().min(1).default(16).describe("channels per unit of the squeeze"),
  dropout: z.number().min(0).max(0.99).default(0.2).describe("rate before the last layer, in [0, 1)"),
  activation: z.enum(activationNames).default("relu"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
});

type Options = z.output<typeof schema>;

type Conv = (filters: number, kernel: number, options?: ConvOptions) => Layer[];

const convWith =
  ({ initializer }: Options): Conv =>
  (filters, kernel, options = {}) => [
    convolution(filters, kernel, { padding: (kernel - 1) / 2, bias: false, initializer, ...options }),
    batchNorm(),
  ];

/** 1×1 to twice the width – grouped 3×3 to four times it – 1×1 – squeeze and excitation, plus the shortcut. */
function block(from: number, width: number, group: number, stride: number, options: Options): Layer {
  const conv = convWith(options);
  const { groups, reduction, initializer } = options;
  const active = activation(options.activation);
  const body = [
    ...conv(2 * width, 1),
    active,
    ...conv(4 * width, 3, { stride, groups }),
    active,
    ...conv(4 * width, 1),
    squeezeExcite({ reduction, initializer }),
  ];
  const shortcut = from === 4 * width ? [] : conv(4 * width, group === 0 ? 1 : 3, { stride });
  return residual(body, shortcut, { after: [active] });
}

/**
 * three 3×3 convolutions and max-pooling – groups of blocks, each but the first halving the image – average – dropout –
 * dense. 115,088,984 parameters, 42.2·10⁹ multiply–adds at 320×320 pixels.
 */
export const senet = unit("senet", "SENet-154", schema, (options): Architecture => {
  const conv = convWith(options);
  const { initializer, groups } = options;
  const active = activation(options.activation);
  let from = 2 * groups;
  const blocks = options.blocks.flatMap((count, group) =>
    Array.from({ length: count }, (_, i) => {
      const width = groups * 2 ** group;
      const layer = block(from, width, group, group > 0 && i === 0 ? 2 : 1, options);
      from = 4 * width;
      return layer;
    }),
  );
  return ({ inputShape, classes }) =>
    sequential("senet", inputShape, [
      ...[...conv(groups, 3, { stride: 2 }), active],
      ...[...conv(groups, 3), active],
      ...[...conv(2 * groups, 3), active],
      maxPooling(3, { stride: 2, padding: "same" }),
      ...blocks,
      globalAveragePooling(),
      ...dropped(options.dropout),
      dense(classes, { initializer }),
    ]);
});
