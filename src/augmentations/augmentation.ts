// What an augmentation is: a random change of training images, as a graph that is linear in them.
import type { z } from "zod";
import { check } from "../base/errors.js";
import { unit, type Unit } from "../base/options.js";
import type { Dim } from "../base/shape.js";
import { scope, type Node } from "../graph/node.js";
import type { NoiseSource } from "../nn/model.js";

export interface Augmentation {
  readonly name: string;
  /**
   * `images` [rows, channels, height, width], each changed by its own draw from `noise`: x ↦ Ax + b, where A and b do
   * not depend on x. Its gradient is therefore the exact transpose Aᵀ.
   */
  readonly apply: (images: Node, noise: NoiseSource) => Node;
}

/** What a file under `augmentations/` exports. */
export interface AugmentationUnit<S extends z.ZodType = z.ZodType> extends Unit<S, Augmentation> {
  /** Options with which images stay as they are, bit for bit. */
  readonly neutral: z.input<S>;
}

/** Declares an augmentation; `neutral` are the options at which it does nothing. */
export const augmentation = <S extends z.ZodType>(
  name: string,
  summary: string,
  schema: S,
  neutral: z.input<S>,
  apply: (options: z.output<S>) => Augmentation["apply"],
): AugmentationUnit<S> =>
  Object.assign(
    unit(name, summary, schema, (options): Augmentation => ({ name, apply: apply(options) })),
    { neutral },
  );

interface ImageSizes {
  readonly rows: Dim;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Sizes of images [rows, channels, height, width]; throws unless `images` are such. */
export function sizesOf({ shape }: Node): ImageSizes {
  const [rows = 1, channels, height, width] = shape;
  const sizes = [channels, height, width].filter((size) => typeof size === "number");
  check(
    shape.length === 4 && sizes.length === 3,
    "augmentation",
    "images [rows, channels, height, width]",
    () => `inputs of ${shape.length - 1} ${shape.length === 2 ? "axis" : "axes"}`,
  );
  const [c = 1, h = 1, w = 1] = sizes;
  return { rows, channels: c, height: h, width: w };
}

/** `transforms` one after the other, each with noise of its own place in the order. */
export const augmented = (
  transforms: readonly Augmentation[],
  images: Node,
  noise: (pass: string) => NoiseSource,
): Node =>
  transforms.reduce(
    (x, { name, apply }, i) => scope(`augmentation/${name}`, () => apply(x, noise(`augmentation.${i}`))),
    images,
  );
