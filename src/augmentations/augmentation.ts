// What an augmentation is: a random change of training images, as a graph that is linear in them within their bounds.
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
   * not depend on x, so that its gradient is the exact transpose Aᵀ. What would leave the `bounds` of the images' values
   * is clipped to them, and has no gradient there.
   */
  readonly apply: (images: Node, noise: NoiseSource, bounds: Bounds) => Node;
}

/** Smallest and largest value of an image, may be infinite. */
export type Bounds = readonly [low: number, high: number];

interface Facts<S extends z.ZodType> {
  /** Options with which images stay as they are, bit for bit. */
  readonly neutral: z.input<S>;
  /** How many channels images may have; absent where that does not matter. */
  readonly channels?: readonly number[];
}

/** What a file under `augmentations/` exports. */
export interface AugmentationUnit<S extends z.ZodType = z.ZodType> extends Unit<S, Augmentation>, Facts<S> {}

/** Declares an augmentation, which throws for images of other than its `channels`. */
export const augmentation = <S extends z.ZodType>(
  name: string,
  summary: string,
  schema: S,
  facts: Facts<S>,
  apply: (options: z.output<S>) => Augmentation["apply"],
): AugmentationUnit<S> => {
  const { channels } = facts;
  const checked =
    (change: Augmentation["apply"]): Augmentation["apply"] =>
    (images, noise, bounds) => {
      const found = sizesOf(images).channels;
      const wanted = `images of ${channels?.join(" or ") ?? "any"} channels`;
      check(channels?.includes(found) !== false, name, wanted, () => String(found));
      return change(images, noise, bounds);
    };
  return Object.assign(
    unit(name, summary, schema, (options): Augmentation => ({ name, apply: checked(apply(options)) })),
    facts,
  );
};

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

/** `transforms` one after the other on images within `bounds`, each with noise of its own place in the order. */
export const augmented = (
  transforms: readonly Augmentation[],
  images: Node,
  noise: (pass: string) => NoiseSource,
  bounds: Bounds,
): Node =>
  transforms.reduce(
    (x, { name, apply }, i) =>
      scope(`augmentation/${name}`, () => apply(x, noise(`augmentation.${i}`), bounds)),
    images,
  );
