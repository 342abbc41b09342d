// How small the images may be that layers take.
import { TemperError } from "../base/errors.js";

/** Sides that are tried, pixels. */
const largestSide = 1024;

/**
 * The side of the smallest square images [channels, side, side] that `build` takes, where it takes all larger ones;
 * null where `inputShape` is no image or no size would do.
 */
export function smallestSide(
  build: (inputShape: readonly number[]) => unknown,
  [channels = 1, ...sides]: readonly number[],
): number | null {
  if (sides.length !== 2) return null;
  const takes = (side: number): boolean => {
    try {
      build([channels, side, side]);
      return true;
    } catch (error) {
      if (error instanceof TemperError) return false;
      throw error;
    }
  };
  let [refused, taken] = [0, 1];
  while (!takes(taken)) {
    [refused, taken] = [taken, 2 * taken];
    if (taken > largestSide) return null;
  }
  while (taken - refused > 1) {
    const middle = Math.floor((refused + taken) / 2);
    if (takes(middle)) taken = middle;
    else refused = middle;
  }
  return taken;
}
