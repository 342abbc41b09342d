// Hidden activations in recipes and rows: whether to measure them, and what is kept of them.
import { z } from "zod";
import { measureActivations, type ActivationOptions } from "../evaluation/activations.js";
import type { EvaluationData } from "../evaluation/data.js";
import type { Classifier } from "../nn/model.js";

/** Optional without a default: it would change the identity of rows that do not ask for it. */
export const activationsEntry = z
  .boolean()
  .optional()
  .describe("measure zeros, mean and histogram of the hidden activations on the test images");

const counts = {
  units: z.int().min(1).describe("numbers for each image"),
  zeros: z.number().min(0).max(1).describe("share that is exactly 0"),
  mean: z.number().nullable().describe("null where one of them is infinite or not a number"),
  counts: z
    .array(z.int().min(0))
    .describe("by bin, closed away from zero: [−0.1, 0), (0, 0.1]; exact zeros are in none"),
  below: z.int().min(0).describe("numbers below the first bin"),
  above: z.int().min(0).describe("numbers above the last bin"),
};

/** Hidden activations over the test images. */
export const activationRecord = z.strictObject({
  n: z.int().min(1).describe("images"),
  bins: z
    .strictObject({ low: z.number(), high: z.number(), width: z.number() })
    .describe("of the histograms"),
  all: z
    .strictObject(counts)
    .optional()
    .describe("all hidden units together; absent where the network has none"),
  sites: z.array(z.strictObject({ site: z.string(), ...counts })).describe("in the network's order"),
});

/** What a row keeps; nothing where activations were not asked for. */
export interface ActivationResults {
  readonly activations?: z.output<typeof activationRecord>;
}

/** Hidden activations of `classifier` on the first images of `data`, where the recipe asks for them. */
export async function assessActivations(
  classifier: Classifier,
  data: EvaluationData,
  asked: boolean | undefined,
  options: ActivationOptions,
): Promise<ActivationResults> {
  if (asked !== true) return {};
  return { activations: activationRecord.parse(await measureActivations(classifier, data, options)) };
}
