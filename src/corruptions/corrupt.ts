// Corrupts a batch of images, each by itself.
import { check } from "../base/errors.js";
import { imageRandom, severities, type Corruption, type Severity } from "./corruption.js";

export interface CorruptOptions {
  readonly imageShape: readonly [channels: number, height: number, width: number];
  /** Of each image in its dataset: what its random numbers depend on, beside the seed. */
  readonly indices: readonly number[];
  /** 0 (the images as they are) to 5. */
  readonly severity: number;
  /** Default 0. */
  readonly seed?: number;
}

const smallest = 8;

/** Throws unless `corruption` can be applied to images of this shape. */
export function checkImageShape(corruption: Corruption, imageShape: readonly number[]): void {
  const [channels = 0, height = 0, width = 0] = imageShape;
  const allowed = corruption.colorOnly ? [3] : [1, 3];
  const got = (): string => `[${imageShape.join(", ")}]`;
  const channelsText = `images of ${allowed.join(" or ")} channels [channels, height, width]`;
  check(imageShape.length === 3 && allowed.includes(channels), corruption.name, channelsText, got);
  const isLarge = Math.min(height, width) >= smallest;
  check(isLarge, corruption.name, `images of at least ${smallest} × ${smallest} pixels`, got);
}

const isSeverity = (value: number): value is Severity => severities.some((each) => each === value);

/**
 * `images` [n, channels, height, width] in [0, 1], corrupted and clipped to [0, 1]; severity 0 gives them back bit for
 * bit. An image depends on itself, its index, the severity and the seed, not on its neighbours. Values are not rounded
 * to 8 bits, as those of the published sets are. Throws for shapes and severities that do not fit.
 */
export function corrupt(
  corruption: Corruption,
  images: Float32Array,
  { imageShape, indices, severity, seed = 0 }: CorruptOptions,
): Float32Array {
  checkImageShape(corruption, imageShape);
  const [channels, height, width] = imageShape;
  const size = channels * height * width;
  check(images.length === indices.length * size, corruption.name, `${size} numbers an image`, () =>
    String(images.length / indices.length),
  );
  if (severity === 0) return images.slice();
  check(isSeverity(severity), corruption.name, "a severity from 0 to 5", () => String(severity));
  const randomOf = imageRandom(corruption.name, seed);
  const out = new Float32Array(images.length);
  indices.forEach((sample, i) => {
    const image = { pixels: images.subarray(i * size, (i + 1) * size), channels, height, width };
    const values = corruption.apply(image, severity, randomOf(sample));
    for (let k = 0; k < size; k++) out[i * size + k] = Math.min(1, Math.max(0, values[k] ?? NaN));
  });
  return out;
}
