// Elastic transform (Simard et al. 2003; parameters of Hendrycks & Dietterich 2019): a stretched, wavy image.
import { byChannel, common, type Image, type ImageRandom } from "./corruption.js";
import { gaussianBlur } from "./filter.js";
import { resampler, type Places } from "./resample.js";

interface Elastic {
  /** Of the waves, in pixels before smoothing. */
  readonly amplitude: number;
  /** Of the smoothing, pixels. */
  readonly sigma: number;
  /** Farthest that the corners of the affine map move, pixels. */
  readonly shift: number;
}

/** Published as shares of a side. */
const elastic =
  (side: number) =>
  (amplitude: number, sigma: number, shift: number): Elastic => ({
    amplitude: side * amplitude,
    sigma: side * sigma,
    shift: side * shift,
  });

/** Side 244, as in the published script, for images of 224. */
const [cifar, tiny, imagenet] = [elastic(32), elastic(64), elastic(244)];

/** The place of every pixel: `at` its row and column. */
function placesOf({ height, width }: Image, at: (y: number, x: number) => readonly [number, number]): Places {
  const [y, x] = [new Float64Array(height * width), new Float64Array(height * width)];
  for (let i = 0; i < y.length; i++) [y[i], x[i]] = at(Math.floor(i / width), i % width);
  return { y, x };
}

/**
 * Where the pixels of an affinely moved image come from: three corners of a square of two thirds of the image, each
 * moved by up to `shift` in both axes.
 */
function affinePlaces(image: Image, shift: number, random: ImageRandom): Places {
  const reach = Math.floor(Math.min(image.height, image.width) / 3);
  const [top, left] = [Math.floor(image.height / 2) - reach, Math.floor(image.width / 2) - reach];
  const moves = random.uniform(6, [-1, 1]).map((u) => u * shift);
  const side = 2 * reach;
  const corner = (i: number, x: number, y: number) =>
    [left + x + (moves[2 * i] ?? 0), top + y + (moves[2 * i + 1] ?? 0)] as const;
  const [ax, ay] = corner(0, side, side);
  const [bx, by] = corner(1, side, 0);
  const [cx, cy] = corner(2, 0, 0);
  // Columns of the map: the moved square's edges for one pixel to the right, and one down.
  const [xx, yx] = [(bx - cx) / side, (by - cy) / side];
  const [xy, yy] = [(ax - bx) / side, (ay - by) / side];
  const determinant = xx * yy - xy * yx;
  return placesOf(image, (y, x) => [
    top + (xx * (y - cy) - yx * (x - cx)) / determinant,
    left + (yy * (x - cx) - xy * (y - cy)) / determinant,
  ]);
}

/** Smoothed uniform noise in [−amplitude, amplitude) for each pixel. */
function waves({ height, width }: Image, { amplitude, sigma }: Elastic, random: ImageRandom): Float64Array {
  const values = random.uniform(height * width, [-1, 1]);
  const smooth = gaussianBlur({ values, height, width }, sigma, { truncate: 3, edge: "reflect" });
  return smooth.map((v) => v * amplitude);
}

/** A random affine map, then waves; beyond its edges the image is mirrored. */
export const elasticTransform = common(
  "elastic-transform",
  "digital",
  "stretched and wavy, as seen through water",
  {
    "cifar-10-c": [
      cifar(0, 0, 0.08),
      cifar(0.05, 0.2, 0.07),
      cifar(0.08, 0.06, 0.06),
      cifar(0.1, 0.04, 0.05),
      cifar(0.1, 0.03, 0.03),
    ],
    "tiny-imagenet-c": [
      tiny(0, 0, 0.08),
      tiny(0.05, 0.3, 0.06),
      tiny(0.1, 0.08, 0.06),
      tiny(0.1, 0.03, 0.03),
      tiny(0.16, 0.03, 0.02),
    ],
    "imagenet-c": [
      imagenet(2, 0.7, 0.1),
      imagenet(2, 0.08, 0.2),
      imagenet(0.05, 0.01, 0.02),
      imagenet(0.07, 0.01, 0.02),
      imagenet(0.12, 0.01, 0.02),
    ],
  },
  (image, parameters, random) => {
    const affine = affinePlaces(image, parameters.shift, random);
    const [right, down] = [waves(image, parameters, random), waves(image, parameters, random)];
    const waved = placesOf(image, (y, x) => {
      const i = y * image.width + x;
      return [y + (down[i] ?? 0), x + (right[i] ?? 0)];
    });
    const [move, wave] = [resampler(image, affine, "mirror"), resampler(image, waved, "reflect")];
    return byChannel(image, (values) => wave(move(values)));
  },
);
