// Inception-v3 (Szegedy et al. 2015, "Rethinking the Inception architecture"), for 299×299 pixels and for small images.
import { z } from "zod";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  averagePooling,
  batchNorm,
  branches,
  convolution,
  dense,
  dropped,
  globalAveragePooling,
  maxPooling,
  type ConvOptions,
  type Layer,
  type Size,
} from "../layers/index.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  stem: z
    .enum(["299", "cifar"])
    .default("299")
    .describe("299: six layers that take 299×299 pixels to 35×35; cifar: five that keep 32×32"),
  scale: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("filters of each layer, as a share of the published number, in (0, 1]"),
  dropout: z.number().min(0).max(0.99).default(0.5).describe("rate before the last layer, in [0, 1)"),
  activation: z.enum(activationNames).default("relu"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
});

type Options = z.output<typeof schema>;

/** A convolution with batch-norm and activation. */
type Conv = (filters: number, kernel: Size, options?: ConvOptions) => Layer[];

const same: ConvOptions = { padding: "same" };
const halving: ConvOptions = { stride: 2 };
const row: Size = [1, 7];
const column: Size = [7, 1];
const smoothed = (): Layer => averagePooling(3, { stride: 1, padding: 1 });

const convWith =
  ({ scale, initializer, activation: kind }: Options): Conv =>
  (filters, kernel, options = {}) => [
    convolution(Math.max(1, Math.round(filters * scale)), kernel, { bias: false, initializer, ...options }),
    batchNorm({ epsilon: 1e-3 }),
    activation(kind),
  ];

/** Figure 5: 5×5 as it is and as two of 3×3. */
const blockA = (conv: Conv, pooled: number): Layer =>
  branches(
    conv(64, 1),
    [...conv(48, 1), ...conv(64, 5, same)],
    [...conv(64, 1), ...conv(96, 3, same), ...conv(96, 3, same)],
    [smoothed(), ...conv(pooled, 1)],
  );

/** Figure 10: half the size, from A to C. */
const blockB = (conv: Conv): Layer =>
  branches(
    conv(384, 3, halving),
    [...conv(64, 1), ...conv(96, 3, same), ...conv(96, 3, halving)],
    [maxPooling(3, { stride: 2 })],
  );

/** Figure 6: 7×7 as rows and columns. */
const blockC = (conv: Conv, narrow: number): Layer =>
  branches(
    conv(192, 1),
    [...conv(narrow, 1), ...conv(narrow, row, same), ...conv(192, column, same)],
    [
      ...conv(narrow, 1),
      ...conv(narrow, column, same),
      ...conv(narrow, row, same),
      ...conv(narrow, column, same),
      ...conv(192, row, same),
    ],
    [smoothed(), ...conv(192, 1)],
  );

/** Half the size, from C to E. */
const blockD = (conv: Conv): Layer =>
  branches(
    [...conv(192, 1), ...conv(320, 3, halving)],
    [...conv(192, 1), ...conv(192, row, same), ...conv(192, column, same), ...conv(192, 3, halving)],
    [maxPooling(3, { stride: 2 })],
  );

/** Figure 7: 3×3 as a row and a column side by side. */
const blockE = (conv: Conv): Layer => {
  const split = (): Layer => branches(conv(384, [1, 3], same), conv(384, [3, 1], same));
  return branches(
    conv(320, 1),
    [...conv(384, 1), split()],
    [...conv(448, 1), ...conv(384, 3, same), split()],
    [smoothed(), ...conv(192, 1)],
  );
};

const stems = {
  "299": (conv: Conv): Layer[] => [
    ...conv(32, 3, halving),
    ...conv(32, 3),
    ...conv(64, 3, same),
    maxPooling(3, { stride: 2 }),
    ...conv(80, 1),
    ...conv(192, 3),
    maxPooling(3, { stride: 2 }),
  ],
  cifar: (conv: Conv): Layer[] => [
    ...conv(32, 3, same),
    ...conv(32, 3, same),
    ...conv(64, 3, same),
    ...conv(80, 1),
    ...conv(192, 3),
  ],
};

/**
 * stem – 3 A – B – 4 C – D – 2 E – average – dropout – dense; no auxiliary classifier. 23,834,568 parameters for 1,000
 * classes, 21,990,468 for 100.
 */
export const inceptionV3 = unit("inception-v3", "Inception-v3", schema, (options): Architecture => {
  const conv = convWith(options);
  const over = (stem: Options["stem"], classes: number): Layer[] => [
    ...stems[stem](conv),
    ...[32, 64, 64].map((pooled) => blockA(conv, pooled)),
    blockB(conv),
    ...[128, 160, 160, 192].map((narrow) => blockC(conv, narrow)),
    blockD(conv),
    blockE(conv),
    blockE(conv),
    globalAveragePooling(),
    ...dropped(options.dropout),
    dense(classes, { initializer: options.initializer }),
  ];
  const other = options.stem === "299" ? "cifar" : "299";
  return ({ inputShape, classes }) =>
    sequential("inception-v3", inputShape, over(options.stem, classes), {
      chosen: `stem=${options.stem}`,
      others: { [`stem=${other}`]: over(other, classes) },
    });
});
