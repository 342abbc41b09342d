// Which images a trial's model reads rightly, clean and under each attack: what comparisons image by image need.
import { z } from "zod";
import { bitsOfText, bitsToText } from "../base/bits.js";
import type { Evaluation } from "../evaluation/records.js";

const bits = z
  .base64()
  .describe("image i is bit i mod 8, the lowest first, of byte ⌊i / 8⌋; 1: read rightly");

export const correctFile = z.strictObject({
  schema: z.literal(1),
  n: z.int().min(1).describe("images, the first of the test split"),
  clean: bits,
  robust: z.array(bits).describe("in the order of the row's robust records"),
});

export type CorrectFile = z.output<typeof correctFile>;

/** What is kept of `evaluation`; `labels` are the true classes of its images. */
export function correctnessOf(
  { n, predictions, outcomes }: Pick<Evaluation, "n" | "predictions" | "outcomes">,
  labels: ArrayLike<number>,
): CorrectFile {
  const clean = Uint8Array.from(predictions, (c, i) => (c === labels[i] ? 1 : 0));
  return {
    schema: 1,
    n,
    clean: bitsToText(clean),
    robust: outcomes.map(({ correct }) => bitsToText(correct)),
  };
}

/** [n]: 1 where the image is read rightly – under the row's robust record `attack`, clean where there is none. */
export function correctImages(where: string, file: CorrectFile, attack?: number): Uint8Array {
  const text = attack === undefined ? file.clean : (file.robust[attack] ?? "");
  return bitsOfText(where, text, file.n);
}
