// Published parameters exist for images of three sizes; any other size takes those of the nearest.

type Five<P> = readonly [P, P, P, P, P];

/** Parameters of severities 1 to 5 for images of 32, 64 and 224 pixels (Hendrycks & Dietterich 2019, their scripts). */
export interface Published<P> {
  readonly "cifar-10-c": Five<P>;
  readonly "tiny-imagenet-c": Five<P>;
  readonly "imagenet-c": Five<P>;
}

export type ParameterSet = keyof Published<unknown>;

const sides: readonly (readonly [ParameterSet, number])[] = [
  ["cifar-10-c", 32],
  ["tiny-imagenet-c", 64],
  ["imagenet-c", 224],
];

/**
 * The set whose images are nearest in size, by the ratio of the shorter sides: CIFAR-10-C up to 45 pixels (28×28
 * too), Tiny-ImageNet-C up to 119, ImageNet-C from 120 on.
 */
export function parameterSetOf({
  height,
  width,
}: {
  readonly height: number;
  readonly width: number;
}): ParameterSet {
  const side = Math.min(height, width);
  const ratio = (own: number): number => Math.abs(Math.log(side / own));
  return sides.reduce((best, each) => (ratio(each[1]) < ratio(best[1]) ? each : best))[0];
}
