// Brightness of colours, and hues.
import type { Image } from "./corruption.js";

/** ITU-R BT.601's weights of red, green and blue. */
export const lumaWeights = [0.299, 0.587, 0.114] as const;

/** [height, width]: 0.299·red + 0.587·green + 0.114·blue, or the one channel there is. */
export function lumaOf({ pixels, channels, height, width }: Image): Float64Array {
  if (channels === 1) return Float64Array.from(pixels);
  const size = height * width;
  return Float64Array.from({ length: size }, (_, i) =>
    lumaWeights.reduce((sum, weight, c) => sum + weight * (pixels[c * size + i] ?? 0), 0),
  );
}

/** The largest of each pixel's channels: the V of HSV. */
export function valueOf({ pixels, channels, height, width }: Image): Float64Array {
  const size = height * width;
  const channel = Array.from({ length: channels }, (_, c) => c * size);
  return Float64Array.from({ length: size }, (_, i) => Math.max(...channel.map((at) => pixels[at + i] ?? 0)));
}

/** Red, green and blue with their hue turned by `turns` (1 is once around), saturation and value kept. */
export function turnHue(
  [red, green, blue]: readonly [number, number, number],
  turns: number,
): readonly [number, number, number] {
  const high = Math.max(red, green, blue);
  const range = high - Math.min(red, green, blue);
  if (range === 0) return [red, green, blue];
  const sixth =
    high === red
      ? (green - blue) / range
      : high === green
        ? 2 + (blue - red) / range
        : 4 + (red - green) / range;
  const hue = sixth + 6 * turns;
  /** How far a primary colour at `at` sixths lies below the value. */
  const channel = (at: number): number => {
    const k = (((hue + at) % 6) + 6) % 6;
    return high - range * Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [channel(5), channel(3), channel(1)];
}
