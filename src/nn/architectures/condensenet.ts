// CondenseNet (Huang, Liu, van der Maaten and Weinberger 2018, "CondenseNet: an efficient DenseNet using learned group
// convolutions"), for small images and for 224×224 pixels.
import { z } from "zod";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  averagePooling,
  batchNorm,
  branches,
  condensedGroups,
  convolution,
  dense,
  dropped,
  globalAveragePooling,
  learnedGroups,
  type Layer,
  type LearnedGroups,
} from "../layers/index.js";
import { valuesOf, type Model } from "../model.js";
import { mostRepeats } from "../network-limits.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const sizes = z.array(z.int().min(1)).min(1);
const repeats = z.array(z.int().min(1).max(mostRepeats)).min(1);

const schema = z.strictObject({
  stages: repeats.default([14, 14, 14]).describe("layers of each stage; ImageNet [4, 6, 8, 10, 8]"),
  growth: sizes
    .default([8, 16, 32])
    .describe("channels that a layer of each stage adds; ImageNet [8, 16, 32, 64, 128]"),
  stride: z.int().min(1).default(1).describe("of the first convolution; ImageNet 2"),
  bottleneck: z.int().min(1).default(4).describe("maps of the 1×1 convolutions, per channel that is added"),
  groups: z.int().min(1).default(4).describe("of both convolutions of a layer (G)"),
  factor: z
    .int()
    .min(1)
    .optional()
    .describe("each group of a 1×1 convolution ends up with one in so many channels (C); default the groups"),
  denseFactor: z
    .int()
    .min(1)
    .default(1)
    .describe("the last layer ends up with one in so many of its inputs; ImageNet 2"),
  groupLasso: z
    .number()
    .min(0)
    .default(0)
    .describe("weight of the group lasso while channels are dropped; ImageNet 1e-5"),
  dropout: z.number().min(0).max(0.99).default(0).describe("rate ahead of the 1×1 convolutions, in [0, 1)"),
  activation: z.enum(activationNames).default("relu"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
});

type Options = z.output<typeof schema>;

/** Channels that each layer reads, and at last those that the dense one does. */
function channelsRead({ stages, growth }: Options): number[] {
  const added = growth.flatMap((channels, stage) =>
    Array<number>(Math.min(stages[stage] ?? 0, mostRepeats)).fill(channels),
  );
  let channels = 2 * (growth[0] ?? 1);
  return [channels, ...added.map((more) => (channels += more))];
}

const lastRead = (options: Options): number => channelsRead(options).at(-1) ?? 0;

const greatest = (a: number, b: number): number => (b === 0 ? a : greatest(b, a % b));

/** The largest number that divides the channels of every layer with learned groups but the dense one. */
const divisorOfAll = (options: Options): number => channelsRead(options).slice(0, -1).reduce(greatest, 0);

const factorOf = ({ factor, groups }: Options): number => factor ?? groups;

/** The image with `growth` channels more: 1×1 with learned groups, 3×3 in groups, each behind batch-norm and activation. */
function layer(growth: number, learned: LearnedGroups, options: Options): Layer {
  const { groups, bottleneck, groupLasso, initializer } = options;
  const active = [batchNorm(), activation(options.activation)];
  return branches(
    [],
    [
      ...active,
      ...dropped(options.dropout),
      learned(bottleneck * growth, {
        groups,
        factor: factorOf(options),
        groupLasso,
        bias: false,
        initializer,
      }),
      ...active,
      convolution(growth, 3, { padding: 1, groups, bias: false, initializer }),
    ],
  );
}

function layers(classes: number, learned: LearnedGroups, options: Options): Layer[] {
  const { stages, growth, stride, denseFactor: factor, groupLasso, initializer } = options;
  const first = 2 * (growth[0] ?? 1);
  return [
    convolution(first, 3, { stride, padding: 1, bias: false, initializer }),
    ...growth.flatMap((channels, stage) => [
      ...(stage > 0 ? [averagePooling(2)] : []),
      ...Array.from({ length: stages[stage] ?? 0 }, () => layer(channels, learned, options)),
    ]),
    ...[batchNorm(), activation(options.activation), globalAveragePooling()],
    factor === 1
      ? dense(classes, { initializer })
      : learned(classes, { groups: 1, factor, groupLasso, bias: true, initializer }),
  ];
}

/**
 * 3×3 convolution – stages of layers that each add channels to all before them, halved images between – batch-norm –
 * activation – average – dense. While training, the groups of the 1×1 convolutions drop channels until the middle of the
 * epochs; the exported form has an index layer, a group convolution and a shuffle for each. ImageNet, condensed: 4,773,944
 * parameters with G = C = 4, 2,935,416 with 8.
 */
export const condensenet = unit(
  "condensenet",
  "CondenseNet",
  schema
    .refine(({ stages, growth }) => stages.length === growth.length, {
      error: "expected as many numbers as stages",
      path: ["growth"],
      abort: true,
    })
    .refine(({ growth, groups }) => growth.every((channels) => channels % groups === 0), {
      error: ({ input }) => `expected multiples of groups, ${(input as Options).groups}`,
      path: ["growth"],
    })
    .refine((options) => divisorOfAll(options) % factorOf(options) === 0, {
      error: ({ input }) =>
        `expected a divisor of ${divisorOfAll(input as Options)}, the largest one of the channels that each layer reads`,
      path: ["factor"],
    })
    .refine((options) => lastRead(options) % options.denseFactor === 0, {
      error: ({ input }) =>
        `expected a divisor of ${lastRead(input as Options)}, the channels that the last layer reads`,
      path: ["denseFactor"],
    }),
  (options): Architecture =>
    ({ inputShape, classes }) => {
      const made = (learned: LearnedGroups): Model =>
        sequential("condensenet", inputShape, layers(classes, learned, options));
      return {
        ...made(learnedGroups),
        deployed: (weights) => {
          const model = made(condensedGroups(weights));
          return { model, weights: { ...model.initialize(0), ...valuesOf(model, weights) } };
        },
      };
    },
);
