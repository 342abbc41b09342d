// Another range of values for the same pixels.
import { z } from "zod";
import { add, mul } from "../../ops/arithmetic.js";
import { preprocessor, unfitted } from "./preprocessor.js";

const schema = z
  .strictObject({
    low: z.number().default(-1).describe("what black is to the model"),
    high: z.number().default(1).describe("what white is to it"),
  })
  .refine(({ low, high }) => low < high, "expected low < high");

/** low + x·(high − low). */
export const scale = preprocessor(
  "scale",
  "a range of pixels other than [0, 1]",
  schema,
  ({ low, high }) => ({
    ...unfitted,
    apply: (x) => add(mul(x, high - low), low),
  }),
);
