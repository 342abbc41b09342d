// From a decoded image to the bytes that a model's input is made of: channels, size, centre crop, as torchvision does.
import { check, fail } from "../../base/errors.js";
import type { ImageShape } from "../dataset.js";
import { withChannels, type Pixels } from "./pixels.js";
import { resample, type Interpolation } from "./resample.js";

/** [height, width] or the length of the shorter side (of both sides, for a crop). */
export type Extent = number | readonly [height: number, width: number];

export interface Geometry {
  /** A number scales the shorter side to it and the other in proportion; default none. */
  readonly resize?: Extent | undefined;
  readonly interpolation: Interpolation;
  /** Cut from the centre after resizing; default none. */
  readonly crop?: Extent | undefined;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** The size after `resize`; the longer side is rounded down, as torchvision does. */
function resized({ width, height }: Size, resize: Extent): Size {
  if (typeof resize !== "number") return { height: resize[0], width: resize[1] };
  return width <= height
    ? { width: resize, height: Math.max(Math.trunc((resize * height) / width), 1) }
    : { height: resize, width: Math.max(Math.trunc((resize * width) / height), 1) };
}

const cropSize = (crop: Extent): Size =>
  typeof crop === "number" ? { height: crop, width: crop } : { height: crop[0], width: crop[1] };

/** The size of every image after resizing and cropping; null where that depends on the image. */
export function sizeAfter({ resize, crop }: Pick<Geometry, "resize" | "crop">): Size | null {
  const said = crop ?? (typeof resize === "number" ? undefined : resize);
  return said === undefined ? null : cropSize(said);
}

/** Halves go to the even neighbour, as in Python. */
function roundToEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down & 1) : Math.round(value);
}

/** The image as bytes [channels, height, width] of `imageShape`; throws where it has another size in the end. */
export function prepareImage(
  path: string,
  decoded: Pixels,
  [channels, height, width]: ImageShape,
  { resize, interpolation, crop }: Geometry,
): Uint8Array {
  if (channels !== 1 && channels !== 3) return fail(path, "a model of 1 or 3 channels", String(channels));
  const plain = withChannels(decoded, channels);
  const pixels = resize === undefined ? plain : resample(plain, resized(plain, resize), interpolation);
  const kept = crop === undefined ? pixels : cropSize(crop);
  const sizeOf = (size: Size): string => `${size.height}×${size.width} (height × width)`;
  const isInside = kept.height <= pixels.height && kept.width <= pixels.width;
  check(isInside, path, `an image of at least ${sizeOf(kept)} for the crop`, () => {
    return `${sizeOf(pixels)}; a larger resize would do`;
  });
  check(kept.height === height && kept.width === width, path, `an image of ${height}×${width}`, () => {
    const untouched = resize === undefined && crop === undefined;
    return `${sizeOf(kept)}${untouched ? "; give resize and crop" : ", resized and cropped"}`;
  });
  const top = roundToEven((pixels.height - height) / 2);
  const left = roundToEven((pixels.width - width) / 2);
  const out = new Uint8Array(channels * height * width);
  for (let c = 0, to = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++, to++)
        out[to] = pixels.data[((top + y) * pixels.width + left + x) * channels + c] ?? 0;
  return out;
}
