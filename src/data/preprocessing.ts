// What is done to images before a model sees them: one set of keys for the YAML beside a model and for --preprocess.
import { z } from "zod";
import { parseOptions, quantity } from "../base/options.js";
import { interpolations } from "./images/resample.js";

/** `a,b` on the command line is the list [a, b]; one value is a list of one. */
const list = (given: unknown): unknown => {
  if (typeof given === "string") return given.split(",").map((part) => part.trim());
  return Array.isArray(given) ? given : [given];
};

const sizeText = "expected a whole number of at least 1, or [height, width]";
const pixels = z.coerce.number(sizeText).pipe(z.int(sizeText).min(1, sizeText));

/** Sides of an image: one length, or [height, width]. */
export const extent = z
  .preprocess(list, z.array(pixels, sizeText).min(1, sizeText).max(2, sizeText))
  .transform(([height = 1, width]) => (width === undefined ? height : ([height, width] as const)));

const perChannel = (min: number) => z.preprocess(list, z.array(quantity(min)).min(1));

const range = z
  .preprocess(list, z.tuple([quantity(), quantity()], "expected [low, high]"))
  .refine(([low, high]) => low < high, "expected low < high");

const names = z.preprocess(
  (given) =>
    Array.isArray(given)
      ? given.map((name) => (typeof name === "number" ? String(name) : (name as unknown)))
      : list(given),
  z.array(z.string()).min(2, "expected at least 2 class names"),
);

export const preprocessingSchema = z.strictObject({
  resize: extent.optional().describe("folder: length of the shorter side, or [height, width]"),
  interpolation: z
    .enum(interpolations)
    .default("bilinear")
    .describe("of resize, with antialiasing, as in Pillow"),
  crop: extent.optional().describe("folder: what to cut from the centre, one side or [height, width]"),
  range: range.default([0, 1]).describe("what black and white are to the model, before mean and std"),
  mean: perChannel(-Infinity)
    .default([0])
    .describe("to subtract, one number or one per channel, in units of range"),
  std: perChannel(1e-6).default([1]).describe("to divide by, likewise"),
  channels: z
    .enum(["gray", "rgb", "bgr"])
    .optional()
    .describe("order in which the model takes them; mean and std too"),
  layout: z
    .enum(["nchw", "nhwc"])
    .optional()
    .describe("channels first or last; default as the model's input looks"),
  classes: names
    .optional()
    .describe("names of the classes in the model's order; default sub-folders sorted by name"),
});

/** Checked, with defaults; pixels in [0, 1] become (low + x·(high − low) − mean)/std per channel. */
export type Preprocessing = z.output<typeof preprocessingSchema>;

/** `given` checked and completed; errors name the key under `where`. */
export const readPreprocessing = (where: string, given: unknown): Preprocessing =>
  parseOptions(where, preprocessingSchema, given ?? {});
