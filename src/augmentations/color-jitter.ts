// Colour jitter (Krizhevsky et al. 2012 and later): random brightness, contrast, saturation and hue.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { floats } from "../base/tensor.js";
import { lumaWeights } from "../corruptions/color.js";
import { constant, type Node } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { matmul } from "../ops/matmul.js";
import { reshape } from "../ops/reshape.js";
import { cos, sin } from "../ops/trigonometry.js";
import { augmentation, sizesOf } from "./augmentation.js";

const strength = (what: string, most: number, standard: number) =>
  quantity(0, most).default(standard).describe(what);

const schema = z.strictObject({
  brightness: strength("the image is multiplied by 1 ± this", 1, 0.4),
  contrast: strength("distances from the image's mean luma are multiplied by 1 ± this", 1, 0.4),
  saturation: strength("distances from each pixel's luma are multiplied by 1 ± this", 1, 0.4),
  hue: strength("colours are turned about the grey axis by ± this; 1 is once around", 0.5, 0.1),
});

const [red, green, blue] = lumaWeights;
/** U = 0.492·(blue − luma) over V = 0.877·(red − luma): the scales in which hues lie on circles (ITU-R BT.470). */
const scales = 0.492 / 0.877;
/** Rows: what red, green and blue are above the luma. */
const chroma = [
  [1 - red, -green, -blue],
  [-red, 1 - green, -blue],
  [-red, -green, 1 - blue],
] as const;
/** What red and blue gain from a quarter turn of (U, V); green gains what keeps the luma. */
const redTurned = chroma[2].map((v) => scales * v);
const blueTurned = chroma[0].map((v) => -v / scales);
const greenTurned = redTurned.map((v, i) => -(red * v + blue * (blueTurned[i] ?? NaN)) / green);
const quarterTurn = [redTurned, greenTurned, blueTurned];

const matrix = (rows: readonly (readonly number[])[]): Node => constant(floats([1, 3, 3], rows.flat()));

const identity = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
] as const;

/** Each pixel's colour at `saturation` times its distance from grey, turned by `angle`; both [rows, 1, 1]. */
function recolored(images: Node, saturation: Node, angle: Node): Node {
  const { rows, height, width } = sizesOf(images);
  const stays = mul(matrix(chroma), sub(mul(saturation, cos(angle)), 1));
  const turns = mul(matrix(quarterTurn), mul(saturation, sin(angle)));
  const mix = add(matrix(identity), add(stays, turns));
  return reshape(matmul(mix, reshape(images, [rows, 3, height * width])), images.shape);
}

/** Of each image, [rows, 1, 1, 1]. A product, since the bits of a sum over rows depend on where they lie in memory. */
function meanLuma(images: Node, weights: readonly number[]): Node {
  const { rows, height, width } = sizesOf(images);
  const area = height * width;
  const shares = weights.flatMap((weight) => new Array<number>(area).fill(weight / area));
  const column = constant(floats([shares.length, 1], shares));
  return reshape(matmul(reshape(images, [rows, shares.length]), column), [rows, 1, 1, 1]);
}

/**
 * b·(c·x′ + (1 − c)·m): x′ = luma + s·R(θ)(x − luma) for each pixel, R(θ) a turn of (U, V), m the image's mean luma;
 * b, c, s ~ U(1 − strength, 1 + strength), θ ~ 2π·U(−hue, hue), for each image. That is torchvision's `ColorJitter` in a
 * fixed order, but linear: nothing is clipped, so values may leave [0, 1], and hues turn about the grey axis where HSV
 * turns them about a hexagon. Images of one channel have neither saturation nor hue. All 0: as it was.
 */
export const colorJitter = augmentation(
  "color-jitter",
  "random brightness, contrast, saturation and hue",
  schema,
  { neutral: { brightness: 0, contrast: 0, saturation: 0, hue: 0 }, channels: [1, 3] },
  ({ brightness, contrast, saturation, hue }) =>
    (images, noise) => {
      const { rows, channels } = sizesOf(images);
      const either = (name: string, most: number, shape: readonly number[]): Node => {
        const u = noise.draw({ name, shape: [rows, ...shape], kind: "uniform" });
        return mul(sub(mul(u, 2), 1), most);
      };
      const factor = (name: string, most: number, shape = [1, 1, 1]): Node =>
        add(1, either(name, most, shape));
      const [light, spread] = [factor("brightness", brightness), factor("contrast", contrast)];
      const isColor = channels === 3;
      const mean = meanLuma(images, isColor ? lumaWeights : [1]);
      const colors = isColor
        ? recolored(
            images,
            factor("saturation", saturation, [1, 1]),
            either("hue", 2 * Math.PI * hue, [1, 1]),
          )
        : images;
      return add(mul(colors, mul(light, spread)), mul(mean, mul(light, sub(1, spread))));
    },
);
