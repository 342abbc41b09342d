// Residual networks (He et al. 2016) for large images and, with another stem, for small ones.
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
  maxPooling,
  residual,
  type Layer,
} from "../layers/index.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const blocksOf = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const;

const schema = z.strictObject({
  depth: z
    .union([z.literal(18), z.literal(34), z.literal(50), z.literal(101), z.literal(152)], {
      error: "expected 18, 34, 50, 101 or 152",
    })
    .default(50)
    .describe("layers with weights; blocks have three convolutions from 50 on, else two"),
  stem: z
    .enum(["7x7", "3x3"])
    .default("7x7")
    .describe("7x7: stride 2, then max-pooling (224×224 pixels); 3x3: stride 1 (32×32 pixels)"),
  filters: z.int().min(1).default(64).describe("of the first group; each later one has twice as many"),
  activation: z.enum(activationNames).default("relu"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
});

type Options = z.output<typeof schema>;

/** The block's convolutions, each with batch-norm, activations between them; the stride is that of the 3×3 one. */
function body(filters: number, stride: number, isDeep: boolean, options: Options): Layer[] {
  const { initializer } = options;
  const conv = (count: number, kernel: number, by: number): Layer[] => [
    convolution(count, kernel, { stride: by, padding: (kernel - 1) / 2, bias: false, initializer }),
    batchNorm(),
  ];
  const active = activation(options.activation);
  return isDeep
    ? [...conv(filters, 1, 1), active, ...conv(filters, 3, stride), active, ...conv(4 * filters, 1, 1)]
    : [...conv(filters, 3, stride), active, ...conv(filters, 3, 1)];
}

function block(from: number, filters: number, stride: number, isDeep: boolean, options: Options): Layer {
  const to = isDeep ? 4 * filters : filters;
  const { initializer } = options;
  const projected = [convolution(to, 1, { stride, padding: 0, bias: false, initializer }), batchNorm()];
  return residual(body(filters, stride, isDeep, options), from === to && stride === 1 ? [] : projected, {
    after: [activation(options.activation)],
  });
}

/**
 * stem – four groups of residual blocks, each but the first halving the image – average – dense. With the 7x7 stem and
 * 1,000 classes 11,689,512 parameters at depth 18 and 25,557,032 at 50; 11,173,962 at depth 18, 3x3 stem, 10 classes.
 */
export const resnet = unit("resnet", "residual network", schema, (options): Architecture => {
  const { depth, initializer } = options;
  const isDeep = depth >= 50;
  let from = options.filters;
  const blocks = blocksOf[depth].flatMap((count, group) =>
    Array.from({ length: count }, (_, i) => {
      const filters = options.filters * 2 ** group;
      const layer = block(from, filters, group > 0 && i === 0 ? 2 : 1, isDeep, options);
      from = isDeep ? 4 * filters : filters;
      return layer;
    }),
  );
  const isLarge = options.stem === "7x7";
  return ({ inputShape, classes }) =>
    sequential("resnet", inputShape, [
      convolution(options.filters, isLarge ? 7 : 3, {
        ...(isLarge ? { stride: 2, padding: 3 } : { padding: 1 }),
        ...{ bias: false, initializer },
      }),
      batchNorm(),
      activation(options.activation),
      ...(isLarge ? [maxPooling(3, { stride: 2, padding: 1 })] : []),
      ...blocks,
      globalAveragePooling(),
      dense(classes, { initializer }),
    ]);
});
