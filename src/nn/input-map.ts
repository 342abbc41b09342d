// From pixels in [0, 1] to what a model was trained on, as part of its graph: attacks see through it.
import { check } from "../base/errors.js";
import { floats } from "../base/tensor.js";
import { constant, type Node } from "../graph/node.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { concat, slice, transpose } from "../ops/structure.js";

export interface InputMap {
  /** What 0 and 1 become, before mean and std. */
  readonly range: readonly [low: number, high: number];
  /** One number, or one for each channel in the model's order. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Whether the model takes blue first. */
  readonly isReversed: boolean;
  /** Whether the model takes channels last. */
  readonly isChannelsLast: boolean;
}

/** Whether the map leaves everything as it is. */
export const isIdentity = ({
  range: [low, high],
  mean,
  std,
  isReversed,
  isChannelsLast,
}: InputMap): boolean =>
  low === 0 &&
  high === 1 &&
  [...mean, ...std.map((s) => s - 1)].every((v) => v === 0) &&
  !isReversed &&
  !isChannelsLast;

/** Throws unless the map fits images of `channels`. */
export function checkInputMap(where: string, { mean, std, isReversed }: InputMap, channels: number): void {
  for (const [key, values] of Object.entries({ mean, std })) {
    const fits = values.length === 1 || values.length === channels;
    check(fits, `${where}.${key}`, channels === 1 ? "1 number" : `1 or ${channels} numbers`, () =>
      String(values.length),
    );
  }
  check(!isReversed || channels === 3, `${where}.channels`, "bgr for 3 channels", () => `${channels}`);
}

/** One number, or [channels, 1, 1]. */
const spread = (values: readonly number[]): Node => {
  const all = values.every((value) => value === values[0]) ? values.slice(0, 1) : values;
  return constant(floats(all.length === 1 ? [] : [all.length, 1, 1], all));
};

/** Channels in reverse order. */
function reversed(x: Node): Node {
  const planes = [2, 1, 0].map((channel) => slice(x, { axes: [1], starts: [channel], ends: [channel + 1] }));
  return concat(planes, 1);
}

/** (low + x·(high − low) − mean)/std of images x [batch, channels, height, width] in RGB, as the model takes them. */
export function mapInput(
  x: Node,
  { range: [low, high], mean, std, isReversed, isChannelsLast }: InputMap,
): Node {
  const ordered = isReversed ? reversed(x) : x;
  const scaled = high - low === 1 ? ordered : mul(ordered, high - low);
  const shifted = low === 0 ? scaled : add(scaled, low);
  const centered = mean.every((m) => m === 0) ? shifted : sub(shifted, spread(mean));
  const normal = std.every((s) => s === 1) ? centered : div(centered, spread(std));
  return isChannelsLast ? transpose(normal, [0, 2, 3, 1]) : normal;
}
