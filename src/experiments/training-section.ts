// The `training` section of a recipe: how every method of it is trained.
import { z } from "zod";
import { OptionError, parseOptions } from "../base/options.js";
import { lossNames, type LossName } from "../nn/loss-names.js";
import * as optimizerRegistry from "../optim/index.js";
import { scheduleSchema } from "../optim/schedule.js";
import { augmentationEntry, readAugmentation } from "./augmentation.js";
import { readAttack, type AttackPlan } from "./attack-plan.js";
import { inputUpdatesEntry } from "./input-updates.js";
import { create, readReference, type Reference } from "./references.js";

/** Keys that came after the first recipes are optional without a default: it would change the identity of trainings. */
export const validationSchema = z.union(
  [z.strictObject({ last: z.int().min(1) }), z.strictObject({ fraction: z.number().gt(0).lt(1) })],
  { error: "expected { last: IMAGES } or { fraction: SHARE in (0, 1) }" },
);

export const earlyStoppingSchema = z.strictObject({
  patience: z.int().min(1).default(10).describe("epochs without a gain in validation accuracy"),
  minDelta: z.number().min(0).default(1e-4).describe("a gain is more than this, a share"),
});

export const curvesSchema = z.strictObject({
  splits: z
    .array(z.enum(["test", "validation"]))
    .default(["test"])
    .describe("images on which the error is measured"),
  every: z.int().min(1).default(1).describe("epochs between measurements"),
  attacks: z.array(z.unknown()).default([]).describe("accuracy under these, on validation images"),
  limit: z.int().min(1).default(1000).describe("attack the first so many validation images only"),
});

export const weightDecaySchema = z.strictObject({
  lambda: z
    .number()
    .min(0)
    .describe("of λ·Σw², whose gradient 2λw is added; an optimizer's own weightDecay adds decay·w"),
  layers: z.enum(["conv", "dense", "all"]).default("all").describe("whose weights"),
  biases: z.boolean().default(false).describe("their biases too"),
});

export const trainingSchema = z.strictObject({
  optimizer: z.unknown().default("sgd"),
  learningRate: scheduleSchema.optional().describe("default the optimizer's own"),
  batchSize: z.int().min(2).default(128),
  epochs: z.int().min(1).default(10),
  loss: z
    .enum(lossNames)
    .optional()
    .describe("default the network's own: margin for capsnet, else softmax-cross-entropy"),
  labelSmoothing: z.number().min(0).max(1).default(0),
  limit: z.int().min(2).optional().describe("train on the first so many images only"),
  augmentation: augmentationEntry,
  inputUpdates: inputUpdatesEntry,
  validation: validationSchema.optional().describe("training images, the last ones, that are held out"),
  curves: curvesSchema.optional().describe("what is measured after each epoch"),
  meanOfLast: z.int().min(1).optional().describe("epochs whose mean test error the row states"),
  restoreBest: z.boolean().optional().describe("end with the weights of the best validation accuracy"),
  earlyStopping: earlyStoppingSchema.optional(),
  weightDecay: weightDecaySchema.optional(),
  maxNorm: z
    .number()
    .min(0)
    .optional()
    .describe("bound on the L2 norm of each unit's incoming weights when a step begins; 0 is none"),
});

type Given = z.output<typeof trainingSchema>;

/** What is measured of the weights after epochs. */
export interface Curves extends Omit<z.output<typeof curvesSchema>, "attacks" | "splits"> {
  readonly splits: readonly ("test" | "validation")[];
  readonly attacks: readonly AttackPlan[];
}

export interface Training extends Omit<
  Given,
  "optimizer" | "learningRate" | "curves" | "augmentation" | "loss"
> {
  readonly optimizer: Reference;
  readonly loss: LossName;
  /** In this order. */
  readonly augmentation?: readonly Reference[];
  readonly learningRate: z.output<typeof scheduleSchema>;
  readonly curves?: Curves;
}

/** The keys that ask something of each other. */
type Dependent = Pick<Given, "validation" | "meanOfLast" | "restoreBest" | "earlyStopping"> & {
  readonly curves?: (Pick<Curves, "splits" | "every"> & { readonly attacks: readonly unknown[] }) | undefined;
};

/** Throws where a key lacks what it looks at; messages begin with the key. */
export function checkTraining({
  validation,
  curves,
  meanOfLast,
  restoreBest,
  earlyStopping,
}: Dependent): void {
  const looking: readonly (readonly [string, boolean | undefined])[] = [
    ["restoreBest", restoreBest],
    ["earlyStopping", earlyStopping !== undefined],
    ["curves.splits", curves?.splits.includes("validation")],
    ["curves.attacks", curves && curves.attacks.length > 0],
  ];
  for (const [key, looks] of looking)
    if (looks === true && validation === undefined)
      throw new OptionError(
        `${key}: expected validation images to look at, got none (allowed: training.validation: { last: N } or { fraction: F })`,
        key.split("."),
      );
  const sees = curves?.every === 1 && curves.splits.includes("test");
  if (meanOfLast !== undefined && !sees)
    throw new OptionError(
      "meanOfLast: expected the test error of every epoch, got none (allowed: training.curves: { splits: [test], every: 1 })",
      ["meanOfLast"],
    );
}

/** What names of attacks and radii are called among an epoch's metrics. */
export const robustMetric = (attack: string, norm: string, epsilon: number): string =>
  `robustAccuracy/${attack}/${norm}/${epsilon}`;

function readCurves({ attacks, ...rest }: NonNullable<Given["curves"]>): Curves {
  const plans = attacks.map((attack, i) => readAttack(attack, ["curves", "attacks", i]));
  const seen = new Set<string>();
  plans.forEach(({ name, norm, epsilons }, i) => {
    for (const key of epsilons.map((epsilon) => robustMetric(name, norm, epsilon))) {
      if (seen.has(key)) throw new OptionError(`${key} comes twice`, ["curves", "attacks", i]);
      seen.add(key);
    }
    if (epsilons.length === 0)
      throw new OptionError(`${name}: expected epsilon, the radius to count at, got none`, [
        "curves",
        "attacks",
        i,
      ]);
  });
  return { ...rest, attacks: plans };
}

/** What a search may change, whatever the method. */
const searchedSchema = trainingSchema
  .pick({ learningRate: true, batchSize: true, labelSmoothing: true, weightDecay: true, maxNorm: true })
  .partial();

/** Keys of the section that a search gives, checked. */
export function readSearched(
  given: Readonly<Record<string, unknown>>,
): Partial<Pick<Training, keyof z.output<typeof searchedSchema>>> {
  const read = parseOptions("training", searchedSchema, given);
  return Object.fromEntries(Object.entries(read).filter(([key]) => key in given));
}

/** The section of a network whose own loss is `own`, with its references resolved; errors carry the path of the key at fault. */
export function readTraining(
  {
    optimizer: named,
    learningRate: rate,
    batchSize,
    epochs,
    loss,
    curves: given,
    augmentation: listed,
    ...rest
  }: Given,
  own: LossName,
): Training {
  const optimizer = readReference(optimizerRegistry, "optimizer", named, ["optimizer"]);
  // Identities hash keys in this order.
  const learningRate = rate ?? create(optimizerRegistry, "optimizer", optimizer).learningRate;
  const curves = given && readCurves(given);
  checkTraining({ ...rest, ...(curves && { curves }) });
  const augmentation = readAugmentation(listed, ["augmentation"]);
  const first = { optimizer, learningRate, batchSize, epochs, loss: loss ?? own };
  return { ...first, ...rest, ...(curves && { curves }), ...augmentation };
}
