// Corruptions in recipes and audits: which to run, and what is kept of them.
import { z } from "zod";
import { checkImageShape } from "../corruptions/corrupt.js";
import { parameterSetOf, type ParameterSet } from "../corruptions/parameters.js";
import { isCommon, selectCorruptions } from "../corruptions/select.js";
import {
  corruptionMeans,
  evaluateCorruptions,
  type CorruptionMean,
  type CorruptionOptions,
  type CorruptionRecord,
} from "../evaluation/corruptions.js";
import type { EvaluationData } from "../evaluation/data.js";
import type { Classifier } from "../nn/model.js";

/** Which corruptions to run, as recipes have it. */
export const corruptionsEntry = z
  .union([z.string(), z.array(z.string()).min(1)])
  .transform((given) => (typeof given === "string" ? [given] : given))
  .describe("names of corruptions, or all, common, disturbances");

export const severitiesEntry = z
  .array(z.int().min(1).max(5))
  .min(1)
  .describe("severities of the corruptions, 1 to 5 (default: all five)");

/** Corruptions to run, as they were asked for. */
export interface CorruptionPlan {
  /** Names, or the groups `all`, `common` and `disturbances`. */
  readonly names: readonly string[];
  /** Each 1 to 5; default all five. */
  readonly severities?: readonly number[];
}

/** The plan of a recipe's `evaluation:`, if it names corruptions. */
export const corruptionPlan = (given: {
  readonly corruptions?: readonly string[] | undefined;
  readonly severities?: readonly number[] | undefined;
}): CorruptionPlan | undefined =>
  given.corruptions && {
    names: given.corruptions,
    ...(given.severities && { severities: given.severities }),
  };

/** Throws unless every name is one of a corruption that fits images of this shape, or of a group of them. */
export function checkCorruptions(
  where: string,
  names: readonly string[],
  imageShape?: CorruptionOptions["imageShape"],
): void {
  for (const corruption of selectCorruptions(where, names, imageShape?.[0]))
    if (imageShape) checkImageShape(corruption, imageShape);
}

/** What a record keeps; nothing where no corruptions were asked for. */
export interface CorruptionResults {
  readonly corruptions?: CorruptionRecord[];
  readonly corruptionMeans?: CorruptionMean[];
  /** Whose published parameters the common ones have: those of the images nearest in size. */
  readonly corruptionParameters?: ParameterSet;
}

/** Accuracy of `classifier` under the corruptions of `plan`, and its means. */
export async function assessCorruptions(
  classifier: Classifier,
  data: EvaluationData,
  plan: CorruptionPlan | undefined,
  options: Omit<CorruptionOptions, "corruptions" | "severities">,
): Promise<CorruptionResults> {
  if (plan === undefined) return {};
  const severities = [...new Set(plan.severities ?? [1, 2, 3, 4, 5])].sort((a, b) => a - b);
  const corruptions = await evaluateCorruptions(classifier, data, {
    ...options,
    corruptions: selectCorruptions("corruptions", plan.names, options.imageShape[0]),
    severities,
  });
  const [, height, width] = options.imageShape;
  return {
    corruptions,
    corruptionMeans: corruptionMeans(corruptions, isCommon),
    corruptionParameters: parameterSetOf({ height, width }),
  };
}
