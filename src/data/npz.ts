// NumPy's .npz archives of images and labels, held whole in memory: x and y, images and labels, x_test and y_test.
import { check, fail } from "../base/errors.js";
import { formatShape } from "../base/shape.js";
import { imageSize, type ImageShape } from "./dataset.js";
import { checkClassNames, type ImageSet, type SplitName } from "./image-set.js";
import { readNpy, type NpyArray } from "./npy.js";
import { withArchive } from "./zip.js";

export interface NpzOptions {
  /** What each image must be; default what the array's own shape says. */
  readonly imageShape?: ImageShape | undefined;
  /** How many classes the model tells apart; default one more than the largest label. */
  readonly classes?: number;
  readonly classNames?: readonly string[] | undefined;
  /** Takes `x_test` or `x_train` alone; default the first there is of `x_test` (`preferred`), `x`, `images`. */
  readonly split?: SplitName | undefined;
  /** Which part to look for first where `split` is not given; default `test`. */
  readonly preferred?: SplitName | undefined;
  /** What black and white are in arrays of floats; default 0 and 1. */
  readonly range?: readonly [low: number, high: number];
}

interface Pair {
  readonly images: string;
  readonly labels: string;
  readonly split: string;
}

const ofSplit = (split: SplitName): Pair => ({ images: `x_${split}`, labels: `y_${split}`, split });

function pairsFor({ split, preferred = "test" }: NpzOptions): Pair[] {
  if (split !== undefined) return [ofSplit(split)];
  const whole = [
    { images: "x", labels: "y", split: "all" },
    { images: "images", labels: "labels", split: "all" },
  ];
  return [ofSplit(preferred), ...whole];
}

interface Arrays {
  readonly pair: Pair;
  readonly x: NpyArray;
  readonly y: NpyArray;
  readonly identity: string;
}

const readArrays = (path: string, options: NpzOptions): Promise<Arrays> =>
  withArchive(path, async (archive) => {
    const { names } = archive;
    const has = (name: string): boolean => names.includes(`${name}.npy`);
    const pairs = pairsFor(options);
    const pair = pairs.find(({ images, labels }) => has(images) && has(labels));
    if (pair === undefined) {
      const wanted = pairs.map(({ images, labels }) => `${images} and ${labels}`).join(", or ");
      return fail(
        path,
        `arrays ${wanted}`,
        names.map((name) => name.replace(/\.npy$/, "")).join(", ") || "none",
      );
    }
    const array = async (name: string): Promise<NpyArray> =>
      readNpy(`${path}: ${name}`, await archive.read(`${name}.npy`));
    const [x, y] = [await array(pair.images), await array(pair.labels)];
    const checksums = [pair.images, pair.labels].map((name) => archive.checksum(`${name}.npy`));
    return { pair, x, y, identity: checksums.join(" ") };
  });

/** Whether channels come last. */
interface Layout {
  readonly imageShape: ImageShape;
  readonly isChannelsLast: boolean;
}

const imagesText = (shape: readonly number[]): string => `[${["n", ...shape].join(", ")}]`;

const isColor = (size: number | undefined): boolean => size === 1 || size === 3;

/** The layout that the shape of one image says by itself. */
function ownLayout(where: string, shape: readonly number[]): Layout {
  const [a = 1, b = 1, c = 1] = shape;
  if (shape.length === 1) return { imageShape: [1, 1, a], isChannelsLast: false };
  if (shape.length === 2) return { imageShape: [1, a, b], isChannelsLast: false };
  if (shape.length === 3 && isColor(a)) return { imageShape: [a, b, c], isChannelsLast: false };
  if (shape.length === 3 && isColor(c)) return { imageShape: [c, a, b], isChannelsLast: true };
  return fail(where, "images of 1 or 3 channels, first or last", imagesText(shape));
}

/** The layout of images that must be `wanted`. */
function layoutAs(where: string, shape: readonly number[], wanted: ImageShape): Layout {
  const [channels, height, width] = wanted;
  const first = [channels, height, width].join();
  const last = [height, width, channels].join();
  const given = shape.join();
  const isFlat = given === String(imageSize(wanted));
  const isGrey = channels === 1 && given === [height, width].join();
  if (given === first || isFlat || isGrey) return { imageShape: wanted, isChannelsLast: false };
  if (given === last) return { imageShape: wanted, isChannelsLast: true };
  const allowed = [first, last, String(imageSize(wanted))].map(
    (sizes) => `[n, ${sizes.replaceAll(",", ", ")}]`,
  );
  return fail(where, allowed.join(" or "), imagesText(shape));
}

/** Throws unless all values lie in [low, high]. */
function checkValues(
  where: string,
  values: NpyArray["data"],
  size: number,
  [low, high]: readonly number[],
): void {
  const [from = 0, to = 1] = [low, high];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (value >= from && value <= to) continue;
    fail(
      where,
      `values in [${from}, ${to}]`,
      `${value} at image ${Math.floor(i / size)}; say what black and white are with range, and give images before mean and std`,
    );
  }
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, value), 1);

/** [count], whole numbers in [0, classes). */
function labelsOf(where: string, { shape, data }: NpyArray, count: number, classes: number): Int32Array {
  const isList = shape[0] === count && shape.slice(1).every((size) => size === 1);
  check(isList, where, `one label for each of ${count} images`, () => formatShape(shape));
  return Int32Array.from(data, (label, i) => {
    const valid = Number.isInteger(label) && label >= 0 && label < classes;
    check(valid, where, `labels from 0 to ${classes - 1}`, () => `${label} at index ${i}`);
    return label;
  });
}

/** Where each number of [channels, height, width] lies in an image whose channels come last. */
function fromChannelsLast([channels, height, width]: ImageShape): Int32Array {
  const plane = height * width;
  return Int32Array.from(
    { length: channels * plane },
    (_, i) => (i % plane) * channels + Math.floor(i / plane),
  );
}

/** The images and labels of the archive at `path`. Throws one line that names the array at fault. */
export async function openNpz(path: string, options: NpzOptions): Promise<ImageSet> {
  const { classNames, range = [0, 1] } = options;
  const { pair, x, y, identity } = await readArrays(path, options);
  const where = `${path}: ${pair.images}`;
  const isBytes = x.type === "u1";
  check(isBytes || x.type.startsWith("f"), where, "uint8, float32 or float64", () => `type '${x.type}'`);
  const [count = 0, ...shape] = x.shape;
  check(count >= 1 && shape.length >= 1, where, "at least one image", () => formatShape(x.shape));
  const wanted = options.imageShape;
  const { imageShape, isChannelsLast } =
    wanted === undefined ? ownLayout(where, shape) : layoutAs(where, shape, wanted);
  const size = imageSize(imageShape);
  if (!isBytes) checkValues(where, x.data, size, range);
  const classes = options.classes ?? 1 + largest(y.data);
  if (classNames !== undefined) checkClassNames(path, classNames, classes);
  const [low, high] = isBytes ? [0, 255] : range;
  const source = isChannelsLast ? fromChannelsLast(imageShape) : null;
  return {
    name: path,
    source: "npz",
    split: pair.split,
    imageShape,
    classes,
    ...(classNames && { classNames }),
    identity,
    count,
    labels: labelsOf(`${path}: ${pair.labels}`, y, count, classes),
    notes: [],
    rows(indices) {
      const out = new Float32Array(indices.length * size);
      indices.forEach((index, row) => {
        for (let i = 0; i < size; i++)
          out[row * size + i] = ((x.data[index * size + (source?.[i] ?? i)] ?? 0) - low) * (1 / (high - low));
      });
      return out;
    },
  };
}
