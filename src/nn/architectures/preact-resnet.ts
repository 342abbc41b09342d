// Pre-activation residual networks for small images (He et al. 2016, "Identity mappings in deep residual networks").
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
  type Layer,
} from "../layers/index.js";
import { mostRepeats } from "../network-limits.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  blocks: z
    .array(z.int().min(1).max(mostRepeats))
    .min(1)
    .default([2, 2, 2, 2])
    .describe("blocks of each group; [2, 2, 2, 2] is PreAct ResNet-18"),
  filters: z.int().min(1).default(64).describe("of the first group; each later one has twice as many"),
  lastBatchNorm: z.boolean().default(false).describe("batch-norm and activation before the average"),
  activation: z.enum(activationNames).default("relu"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
});

type Options = z.output<typeof schema>;

interface BlockOptions extends Options {
  readonly stride: number;
  /** Whether no activation comes behind the block, whose sum is then the site after it. */
  readonly isSite: boolean;
}

/** Batch-norm and activation ahead of each of two convolutions; the shortcut of a widening block begins behind the first. */
function block(from: number, to: number, { stride, isSite, ...options }: BlockOptions): Layer {
  const { initializer } = options;
  const active = (): Layer[] => [batchNorm(), activation(options.activation)];
  const conv = (kernel: number, by: number): Layer =>
    convolution(to, kernel, { stride: by, padding: (kernel - 1) / 2, bias: false, initializer });
  const body = [conv(3, stride), ...active(), conv(3, 1)];
  return from === to && stride === 1
    ? residual([...active(), ...body], [], { isSite })
    : residual(body, [conv(1, stride)], { before: active(), isSite });
}

/**
 * 3×3 convolution – groups of blocks, each group but the first halving the image – average – dense. 11,171,146 parameters
 * for PreAct ResNet-18 and 10 classes, 11,172,170 with `lastBatchNorm`.
 */
export const preactResnet = unit(
  "preact-resnet",
  "pre-activation residual network for small images",
  schema,
  (options): Architecture => {
    const { initializer } = options;
    let from = options.filters;
    const blocks = options.blocks.flatMap((count, group) =>
      Array.from({ length: count }, (_, i) => {
        const to = options.filters * 2 ** group;
        const isLast = group === options.blocks.length - 1 && i === count - 1;
        const stride = group > 0 && i === 0 ? 2 : 1;
        const layer = block(from, to, { ...options, stride, isSite: isLast && !options.lastBatchNorm });
        from = to;
        return layer;
      }),
    );
    const last = options.lastBatchNorm ? [batchNorm(), activation(options.activation)] : [];
    return ({ inputShape, classes }) =>
      sequential("preact-resnet", inputShape, [
        convolution(options.filters, 3, { padding: 1, bias: false, initializer }),
        ...blocks,
        ...last,
        globalAveragePooling(),
        dense(classes, { initializer }),
      ]);
  },
);
