// Sliding windows over spatial axes: sizes, and which input element each tap of each window reads.
import { check, fail } from "../base/errors.js";
import { count, formatShape, isStatic, type Shape } from "../base/shape.js";
import type { Array64 } from "../graph/op.js";

/** A window of `kernel` taps along each spatial axis; `pads` in ONNX order: every beginning, then every end. */
export type Window = {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
};

export const repeated = (value: number, times: number): number[] => new Array<number>(times).fill(value);

/** A window's sizes along one spatial axis. */
export interface AxisWindow {
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding at the beginning and at the end. */
  readonly before: number;
  readonly after: number;
}

export const alongAxis = ({ kernel, strides, dilations, pads }: Window, axis: number): AxisWindow => ({
  taps: kernel[axis] ?? 1,
  stride: strides[axis] ?? 1,
  dilation: dilations[axis] ?? 1,
  before: pads[axis] ?? 0,
  after: pads[axis + kernel.length] ?? 0,
});

function checkList(
  where: string,
  what: string,
  values: readonly number[],
  length: number,
  low: number,
): void {
  const valid = values.length === length && values.every((v) => Number.isInteger(v) && v >= low);
  check(valid, where, `${length} ${what} of ${low} or more`, () => values.join(", ") || "none");
}

/** The spatial sizes of [N, C, spatial …], which must not depend on the batch. */
export function spatialOf(where: string, shape: Shape): readonly number[] {
  const spatial = shape.slice(2);
  check(shape.length >= 3, where, "a tensor [N, C, spatial …]", () => formatShape(shape));
  if (!isStatic(spatial)) fail(where, "spatial sizes that do not depend on the batch", formatShape(shape));
  return spatial;
}

/** Steps that the first window can still move along `axis`, in elements: negative where it does not fit. */
export function slack(size: number, window: Window, axis: number): number {
  const { taps, dilation, before, after } = alongAxis(window, axis);
  return size + before + after - dilation * (taps - 1) - 1;
}

/** Number of windows along each axis: ⌊(n + pads − dilation·(taps − 1) − 1) / stride⌋ + 1. */
export function windowCounts(where: string, spatial: readonly number[], window: Window): number[] {
  const rank = spatial.length;
  checkList(where, "kernel sizes", window.kernel, rank, 1);
  checkList(where, "strides", window.strides, rank, 1);
  checkList(where, "dilations", window.dilations, rank, 1);
  checkList(where, "pads", window.pads, 2 * rank, 0);
  return spatial.map((size, axis) => {
    const free = slack(size, window, axis);
    if (free < 0)
      fail(
        where,
        "a padded input at least as large as the window",
        `${-free} too few along axis ${axis + 2}`,
      );
    return Math.floor(free / alongAxis(window, axis).stride) + 1;
  });
}

/** Like `windowCounts` for pooling, where each window must hold an element of the input. */
export function poolCounts(where: string, spatial: readonly number[], window: Window): number[] {
  const counts = windowCounts(where, spatial, window);
  spatial.forEach((size, axis) => {
    const { taps, stride, dilation, before, after } = alongAxis(window, axis);
    check(
      before < taps && after < taps,
      where,
      `pads below the kernel size ${taps} along axis ${axis + 2}`,
      () => [before, after].join(" and "),
    );
    const touches = (position: number): boolean =>
      repeated(0, taps).some((_, tap) => {
        const at = position * stride + tap * dilation - before;
        return at >= 0 && at < size;
      });
    const empty = repeated(0, counts[axis] ?? 0).findIndex((_, position) => !touches(position));
    check(
      empty < 0,
      where,
      "windows that touch the input",
      () => `window ${empty} of padding along axis ${axis + 2}`,
    );
  });
  return counts;
}

/** One read of a window, as flat offsets into the result's, the kernel's and the input's spatial axes. */
export interface Tap {
  readonly result: number;
  readonly kernel: number;
  readonly input: number;
}

/** Every read that falls inside the input; those of one window in row-major order. */
export function tapsOf(spatial: readonly number[], counts: readonly number[], window: Window): Tap[] {
  const found: Tap[] = [];
  const descend = (axis: number, at: Tap): void => {
    const [size, count] = [spatial[axis], counts[axis]];
    if (size === undefined || count === undefined) return void found.push(at);
    const { taps, stride, dilation, before } = alongAxis(window, axis);
    for (let position = 0; position < count; position++)
      for (let tap = 0; tap < taps; tap++) {
        const index = position * stride + tap * dilation - before;
        if (index < 0 || index >= size) continue;
        descend(axis + 1, {
          result: at.result * count + position,
          kernel: at.kernel * taps + tap,
          input: at.input * size + index,
        });
      }
  };
  descend(0, { result: 0, kernel: 0, input: 0 });
  return found;
}

/** Offset into x of each window's maximum; the first one counts. */
export function maximaOf({ shape, data }: Array64, window: Window): Int32Array {
  const [spatial, leading] = [shape.slice(2), shape.slice(0, 2)];
  const counts = poolCounts("maxPool", spatial, window);
  const taps = tapsOf(spatial, counts, window);
  const [xPlane, yPlane] = [count(spatial), count(counts)];
  const best = new Int32Array(count(leading) * yPlane).fill(-1);
  for (let plane = 0; plane < count(leading); plane++)
    for (const { input, result } of taps) {
      const [from, to] = [plane * xPlane + input, plane * yPlane + result];
      const held = best[to] ?? -1;
      if (held < 0 || (data[from] ?? NaN) > (data[held] ?? NaN)) best[to] = from;
    }
  return best;
}

/** The attributes of an ONNX operator on `window`. */
export const onnxWindow = (window: Window): Readonly<Record<string, readonly number[]>> => ({
  kernel_shape: window.kernel,
  strides: window.strides,
  dilations: window.dilations,
  pads: window.pads,
});
