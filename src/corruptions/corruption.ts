// What a corruption is: a disturbance of one image that nobody aimed at the model, at severities from 1 to 5.
import { randomStream } from "../base/random.js";
import { parameterSetOf, type Published } from "./parameters.js";

/** One image, values in [0, 1]. */
export interface Image {
  /** [channels, height, width]. */
  readonly pixels: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Random numbers of one image: each call draws anew, and the same for every severity. */
export interface ImageRandom {
  /** Uniform in [low, high), default [0, 1). */
  uniform(count: number, range?: readonly [low: number, high: number]): Float32Array;
  /** Standard normal. */
  normal(count: number): Float32Array;
}

/** The four of Hendrycks & Dietterich 2019, and the disturbances of Di, Yu & Tian. */
export const families = ["noise", "blur", "weather", "digital", "disturbance"] as const;
export type Family = (typeof families)[number];

export type Severity = 1 | 2 | 3 | 4 | 5;
export const severities = [1, 2, 3, 4, 5] as const;

export interface Corruption {
  /** File, export and command-line name, one word. */
  readonly name: string;
  /** One line for `temper list`. */
  readonly summary: string;
  readonly family: Family;
  /** It does nothing to images of one channel. */
  readonly colorOnly: boolean;
  /** Pixels of the corrupted image; the caller clips them to [0, 1]. */
  readonly apply: (image: Image, severity: Severity, random: ImageRandom) => ArrayLike<number>;
}

/** A corruption of Hendrycks & Dietterich with its published parameters for each size of image. */
export const common = <P>(
  name: string,
  family: Exclude<Family, "disturbance">,
  summary: string,
  published: Published<P>,
  apply: (image: Image, parameters: P, random: ImageRandom) => ArrayLike<number>,
): Corruption => ({
  name,
  summary,
  family,
  colorOnly: false,
  apply: (image, severity, random) =>
    // A severity is 1 to 5, and each list has five entries.
    apply(image, published[parameterSetOf(image)][severity - 1] as P, random),
});

/** A corruption without published parameters, such as the five disturbances that Di, Yu & Tian name. */
export const disturbance = (
  name: string,
  summary: string,
  apply: Corruption["apply"],
  { colorOnly = false }: { readonly colorOnly?: boolean } = {},
): Corruption => ({ name, summary, family: "disturbance", colorOnly, apply });

/** Draws from the stream of `name` under `seed` that belong to the image `sample`. */
export function imageRandom(name: string, seed: number): (sample: number) => ImageRandom {
  const stream = randomStream(seed, `corruption/${name}`);
  return (sample) => {
    let iteration = 0;
    const filled = (
      count: number,
      fill: (out: Float32Array, at: { sample: number; iteration: number }) => void,
    ) => {
      const out = new Float32Array(count);
      fill(out, { sample, iteration: iteration++ });
      return out;
    };
    return {
      uniform: (count, range) => filled(count, (out, at) => stream.uniform(out, at, range)),
      normal: (count) => filled(count, (out, at) => stream.normal(out, at)),
    };
  };
}

/** The same function of every channel: [height, width] in, [height, width] out. */
export function byChannel(
  { pixels, channels }: Image,
  plane: (values: Float32Array) => ArrayLike<number>,
): Float32Array {
  const size = pixels.length / channels;
  const out = new Float32Array(pixels.length);
  for (let c = 0; c < channels; c++) out.set(plane(pixels.subarray(c * size, (c + 1) * size)), c * size);
  return out;
}
