// What a preprocessor is: a map of images as part of a model's graph, with values that training images decide.
import type { z } from "zod";
import { check } from "../../base/errors.js";
import { unit, type Unit } from "../../base/options.js";
import type { Tensor } from "../../base/tensor.js";
import type { Node } from "../../graph/node.js";
import type { Engine } from "../../runtime/engine.js";
import type { ImageShape } from "../dataset.js";

/** A tensor that fitting finds. */
export interface FittedValue {
  readonly name: string;
  readonly shape: readonly number[];
  /** What all its elements are before it is fitted. */
  readonly initial: number;
}

/** Training images as the preprocessors before this one leave them. */
export interface FitImages {
  readonly imageShape: ImageShape;
  readonly count: number;
  /** All of them in order, [rows, …imageShape] at a time. */
  readonly batches: () => AsyncIterable<Float32Array>;
  /** For products that are worth it. */
  readonly engine: Engine;
  readonly signal?: AbortSignal | undefined;
}

export interface Preprocessor {
  readonly name: string;
  /** What it fits to images of this shape; nothing where its options say all. Throws where that is too large for a model. */
  readonly values: (shape: ImageShape) => readonly FittedValue[];
  /** The values by name, in float32. */
  readonly fit: (images: FitImages) => Promise<Readonly<Record<string, Tensor>>>;
  /** About the memory that fitting takes for `count` images, bytes; absent where it is little. */
  readonly fitBytes?: (shape: ImageShape, count: number) => number;
  /** `images` [rows, channels, height, width], mapped; `value` yields the node of a fitted value. */
  readonly apply: (images: Node, value: (name: string) => Node) => Node;
}

/** What a file under `preprocessors/` exports. */
export type PreprocessorUnit<S extends z.ZodType = z.ZodType> = Unit<S, Preprocessor>;

/** Declares a preprocessor. */
export const preprocessor = <S extends z.ZodType>(
  name: string,
  summary: string,
  schema: S,
  build: (options: z.output<S>) => Omit<Preprocessor, "name">,
): PreprocessorUnit<S> => unit(name, summary, schema, (options) => ({ name, ...build(options) }));

/** Nothing to fit. */
export const unfitted: Pick<Preprocessor, "values" | "fit"> = {
  values: () => [],
  fit: () => Promise.resolve({}),
};

/** Means, and variances (divided by their number), of the elements of rows that belong together by `groupOf`. */
export async function moments(
  { batches, imageShape: [channels, height, width] }: FitImages,
  groups: number,
  groupOf: (element: number) => number,
): Promise<{ readonly means: Float64Array; readonly variances: Float64Array }> {
  const size = channels * height * width;
  const group = Uint32Array.from({ length: size }, (_, element) => groupOf(element));
  const [sums, squares, counts] = [0, 1, 2].map(() => new Float64Array(groups)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for await (const rows of batches())
    for (let from = 0; from < rows.length; from += size)
      for (let i = 0; i < size; i++) {
        const [at, x] = [group[i] ?? 0, rows[from + i] ?? 0];
        sums[at] = (sums[at] ?? 0) + x;
        squares[at] = (squares[at] ?? 0) + x * x;
        counts[at] = (counts[at] ?? 0) + 1;
      }
  const means = sums.map((sum, i) => sum / (counts[i] ?? 1));
  // Where all values are one, rounding may leave the difference on either side of 0.
  const variances = squares.map((sum, i) => Math.max(0, sum / (counts[i] ?? 1) - (means[i] ?? 0) ** 2));
  return { means, variances };
}

/** Throws where nothing can be divided by a deviation, since all pixels, or all of a channel, have one value. */
export function checkVaries(where: string, variances: Float64Array): void {
  const flat = variances.findIndex((variance) => variance <= 1e-12);
  check(flat < 0, where, "pixels that differ from each other", () =>
    variances.length === 1 ? "one value everywhere" : `one value everywhere in channel ${flat}`,
  );
}
