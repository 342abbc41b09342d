// Colour jitter (Krizhevsky et al. 2012 and later): random brightness, contrast, saturation and hue.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { floats } from "../base/tensor.js";
import { lumaWeights } from "../corruptions/color.js";
import { constant, type Node } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { matmul } from "../ops/matmul.js";
import { clip } from "../ops/piecewise.js";
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

/** Each pixel's colour multiplied by `mix` [rows, 3, 3]. */
function mixed(images: Node, mix: Node): Node {
  const { rows, height, width } = sizesOf(images);
  return reshape(matmul(mix, reshape(images, [rows, 3, height * width])), images.shape);
}

/** Each pixel's colour at `factor` [rows, 1, 1] times its distance from its luma. */
const saturated = (images: Node, factor: Node): Node =>
  mixed(images, add(matrix(identity), mul(matrix(chroma), sub(factor, 1))));

/** Each pixel's colour turned about the grey axis by `angle` [rows, 1, 1]. */
function turned(images: Node, angle: Node): Node {
  const turn = add(mul(matrix(chroma), sub(cos(angle), 1)), mul(matrix(quarterTurn), sin(angle)));
  return mixed(images, add(matrix(identity), turn));
}

/** Of each image in grey or colour, [rows, 1, 1, 1]. A product, since the bits of a sum over rows depend on where they lie in memory. */
function meanLuma(images: Node): Node {
  const { rows, channels, height, width } = sizesOf(images);
  const weights = channels === 3 ? lumaWeights : [1];
  const area = height * width;
  const shares = weights.flatMap((weight) => new Array<number>(area).fill(weight / area));
  const column = constant(floats([shares.length, 1], shares));
  return reshape(matmul(reshape(images, [rows, shares.length]), column), [rows, 1, 1, 1]);
}

/**
 * One after the other, each clipped to the images' bounds (pixels: [0, 1]): b·x; c·x + (1 − c)·m, m the image's mean luma;
 * luma + s·(x − luma) for each pixel; luma + R(θ)(x − luma), R(θ) a turn of (U, V). b, c, s ~ U(1 − strength, 1 + strength),
 * θ ~ 2π·U(−hue, hue), for each image. That is torchvision's `ColorJitter` in a fixed order, but hues turn about the grey
 * axis, so linearly, where HSV turns them about a hexagon. Images of one channel have neither saturation nor hue. All 0:
 * as it was.
 */
export const colorJitter = augmentation(
  "color-jitter",
  "random brightness, contrast, saturation and hue, one after the other, clipped to the images' bounds after each; of grey images brightness and contrast alone",
  schema,
  { neutral: { brightness: 0, contrast: 0, saturation: 0, hue: 0 }, channels: [1, 3] },
  ({ brightness, contrast, saturation, hue }) =>
    (images, noise, bounds) => {
      const { rows, channels } = sizesOf(images);
      const within = (values: Node): Node =>
        bounds.some(Number.isFinite) ? clip(values, ...bounds) : values;
      const either = (name: string, most: number, shape: readonly number[]): Node => {
        const u = noise.draw({ name, shape: [rows, ...shape], kind: "uniform" });
        return mul(sub(mul(u, 2), 1), most);
      };
      const factor = (name: string, most: number, shape: readonly number[]): Node =>
        add(1, either(name, most, shape));
      const lit = within(mul(images, factor("brightness", brightness, [1, 1, 1])));
      const spread = factor("contrast", contrast, [1, 1, 1]);
      const spaced = within(add(mul(lit, spread), mul(meanLuma(lit), sub(1, spread))));
      if (channels !== 3) return spaced;
      const colorful = within(saturated(spaced, factor("saturation", saturation, [1, 1])));
      return within(turned(colorful, either("hue", 2 * Math.PI * hue, [1, 1])));
    },
);
