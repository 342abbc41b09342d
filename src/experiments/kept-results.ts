// results/NAME.json: what is kept of a recipe's finished trials once their folders are gone. Records, not checkpoints.
import { z } from "zod";
import { correctFile } from "./correctness.js";
import { publishedSchema } from "./published.js";
import { questionsSchema } from "./questions.js";
import { resultRow, searchRecord, trialEnvironment } from "./records.js";

/** One finished trial. */
const keptTrial = z.strictObject({
  trial: z.string(),
  identity: z.string().describe("hash of all that decides the row"),
  row: resultRow,
  split: z.literal("test"),
  n: z.int().min(1).nullable().describe("images of the split that were read; null where not recorded"),
  model: z.string().describe("sha256 of the model's file"),
  seconds: z.strictObject({
    training: z.number(),
    evaluation: z.number(),
    processor: z
      .number()
      .nullable()
      .default(null)
      .describe("of all processors, spent on training; null where not recorded"),
  }),
  environment: z.strictObject({
    training: trialEnvironment.nullable(),
    evaluation: trialEnvironment.nullable(),
  }),
  curves: z
    .record(z.string(), z.array(z.number().nullable()))
    .describe("errors by epoch, shares; null where none was measured"),
});

export const keptResults = z.strictObject({
  schema: z.literal(1),
  kind: z.literal("temper-results"),
  name: z.string(),
  recipe: z.string().describe("the recipe's file in the repository"),
  description: z.string().nullable(),
  dataset: z.string().describe("several, with commas between, where cases differ in it"),
  published: publishedSchema,
  questions: questionsSchema.default([]),
  searches: z.array(searchRecord).optional().describe("those that are done, where the recipe has any"),
  trials: z.array(z.string()).describe("all of the recipe's, in its order"),
  kept: z.array(keptTrial).describe("those that are finished, in the same order"),
});

/** results/NAME.images.json: which images each kept trial's model reads rightly. */
export const keptImages = z.strictObject({
  schema: z.literal(1),
  kind: z.literal("temper-results-images"),
  trials: z.record(z.string(), correctFile),
});

export type KeptTrial = z.output<typeof keptTrial>;
export type KeptResults = z.output<typeof keptResults>;
export type KeptImages = z.output<typeof keptImages>;
