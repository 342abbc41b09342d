// Random erasing (Zhong et al. 2020, algorithm 1): a random rectangle of the image overwritten.
import { z } from "zod";
import { check } from "../base/errors.js";
import { quantity } from "../base/options.js";
import type { Dim } from "../base/shape.js";
import { floats } from "../base/tensor.js";
import { constant, type Node } from "../graph/node.js";
import type { NoiseSource } from "../nn/model.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { sqrt } from "../ops/exponential.js";
import { clip, round } from "../ops/piecewise.js";
import { reshape } from "../ops/reshape.js";
import { slice } from "../ops/structure.js";
import { augmentation, sizesOf } from "./augmentation.js";
import { firstThatFits, startOf } from "./rectangles.js";

const schema = z
  .strictObject({
    p: z.number().min(0).max(1).default(0.5).describe("share of the images that lose a rectangle"),
    low: quantity(0, 1).default(0.02).describe("smallest area, as a share of the image"),
    high: quantity(0, 1).default(0.4).describe("largest area"),
    aspect: quantity(0.01, 1).default(0.3).describe("smallest height/width; the largest is 1 over it"),
    fill: z
      .union([z.literal("random"), z.array(quantity()).min(1)], {
        error: "expected random, or a list of one value for each channel",
      })
      .default([0])
      .describe("value for each channel (one: for all), input units; random: U(0, 1) for each pixel"),
  })
  .refine(({ low, high }) => low <= high, { error: "expected low ≤ high", path: ["low"] });

type Options = z.output<typeof schema>;

/** Rectangles drawn for an image, of which the first that fits is taken. */
const tries = 20;

interface Sizes {
  readonly rows: Dim;
  readonly height: number;
  readonly width: number;
}

/** Height and width [rows, 1] of the first rectangle that fits, and 1 where one does, else 0. */
function rectangle({ rows, height, width }: Sizes, noise: NoiseSource, { low, high, aspect }: Options) {
  const uniform = (name: string, from: number, to: number): Node =>
    add(from, mul(to - from, noise.draw({ name, shape: [rows, tries], kind: "uniform" })));
  const areas = mul(uniform("areas", low, high), height * width);
  const aspects = uniform("aspects", aspect, 1 / aspect);
  const heights = round(sqrt(mul(areas, aspects)));
  const widths = round(sqrt(div(areas, aspects)));
  const most = { height: height - 1, width: width - 1 };
  return firstThatFits({ tall: heights, wide: widths }, { tries, most });
}

/** [rows, n]: 1 from a random start on, for `length` [rows, 1] of n pixels. */
function interval(n: number, length: Node, start: Node): Node {
  const first = startOf(n, length, start);
  const at = constant(
    floats(
      [1, n],
      Float32Array.from({ length: n }, (_, i) => i),
    ),
  );
  return mul(clip(add(sub(at, first), 1), 0, 1), clip(sub(add(first, length), at), 0, 1));
}

function fillOf(images: Node, noise: NoiseSource, { fill }: Options): Node {
  const { channels } = sizesOf(images);
  if (fill === "random") return noise.draw({ name: "fill", shape: images.shape, kind: "uniform" });
  check(
    fill.length === 1 || fill.length === channels,
    "random-erasing.fill",
    channels === 1 ? "1 value" : `1 value or ${channels}`,
    () => String(fill.length),
  );
  return constant(floats([1, fill.length, 1, 1], fill));
}

/**
 * With probability p, a rectangle of area U(low, high) of the image and height/width U(aspect, 1/aspect), anywhere
 * within it, becomes `fill`; of 20 rectangles the first that fits, none where none does. p = 0: as it was.
 */
export const randomErasing = augmentation(
  "random-erasing",
  "a random rectangle overwritten in a share of the images",
  schema,
  { neutral: { p: 0 } },
  (options) => (images, noise) => {
    const { rows, height, width } = sizesOf(images);
    const { tall, wide, fits } = rectangle({ rows, height, width }, noise, options);
    const erased = noise.draw({ name: "erased", shape: [rows, 1], kind: "bernoulli", p: options.p });
    const corner = noise.draw({ name: "corner", shape: [rows, 2], kind: "uniform" });
    const along = (axis: number): Node => slice(corner, { axes: [1], starts: [axis], ends: [axis + 1] });
    const down = mul(interval(height, tall, along(0)), mul(erased, fits));
    const mask = mul(
      reshape(down, [rows, 1, height, 1]),
      reshape(interval(width, wide, along(1)), [rows, 1, 1, width]),
    );
    return add(mul(images, sub(1, mask)), mul(fillOf(images, noise, options), mask));
  },
);
