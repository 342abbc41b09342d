// Sizes of a convolution: its options, its shape rule and the products it sums.
import { check, fail } from "../base/errors.js";
import { count, formatShape, isStatic, sameShape, type Shape } from "../base/shape.js";
import { checkFloat, type TensorType } from "../graph/node.js";
import { repeated, spatialOf, tapsOf, windowCounts, type Window } from "./windows.js";

export interface ConvOptions {
  /** Distance between windows along each spatial axis; default 1. */
  readonly strides?: readonly number[];
  /** Distance between the taps of a window; default 1. */
  readonly dilations?: readonly number[];
  /** Zeros around the input in ONNX order, e.g. [top, left, bottom, right]; default 0. */
  readonly pads?: readonly number[];
  /** Groups of channels that do not mix; default 1. */
  readonly groups?: number;
}

/** The options with nothing left open: what a node stores. */
export type ConvAttributes = { readonly [K in keyof ConvOptions]-?: NonNullable<ConvOptions[K]> };

/** Shapes x [N, C, …], w [K, C/groups, …], y [N, K, …] of one convolution. */
export interface ConvSizes {
  readonly x: Shape;
  readonly w: readonly number[];
  readonly y: Shape;
  readonly window: Window;
  readonly groups: number;
}

/** `options` with defaults for the spatial axes of a tensor of `rank`. */
export const convAttributes = (rank: number, options: ConvOptions): ConvAttributes => ({
  strides: options.strides ?? repeated(1, rank - 2),
  dilations: options.dilations ?? repeated(1, rank - 2),
  pads: options.pads ?? repeated(0, 2 * (rank - 2)),
  groups: options.groups ?? 1,
});

/** Sizes of the convolution of x with w, or what the user reads. */
export function convSizes(where: string, x: Shape, w: Shape, attributes: ConvAttributes): ConvSizes {
  const { strides, dilations, pads, groups } = attributes;
  const spatial = spatialOf(where, x);
  if (!isStatic(w) || w.length !== x.length)
    return fail(where, `filters [K, C/groups, …] of rank ${x.length}`, formatShape(w));
  const [filters = 1, perGroup = 1, ...kernel] = w;
  check(groups >= 1 && filters % groups === 0, where, `filters in ${groups} equal groups`, () =>
    String(filters),
  );
  check(x[1] === perGroup * groups, where, `${perGroup * groups} channels (${groups} × ${perGroup})`, () =>
    formatShape(x),
  );
  const window = { kernel, strides, dilations, pads };
  return { x, w, y: [x[0] ?? 1, filters, ...windowCounts(where, spatial, window)], window, groups };
}

/** Throws unless `g` is a float32 tensor of the convolution's result shape. */
export function checkCotangent(where: string, g: TensorType, { y }: ConvSizes): void {
  checkFloat(where, g);
  check(sameShape(g.shape, y), where, `a cotangent of shape ${formatShape(y)}`, () => formatShape(g.shape));
}

/** Calls `visit` with the offsets into x, w and y of every product x·w that is part of y. */
export function eachTerm(sizes: ConvSizes, visit: (x: number, w: number, y: number) => void): void {
  const { w, window, groups } = sizes;
  const [samples = 1, channels = 1, ...spatial] = sizes.x.map(Number);
  const [filters = 1, perGroup = 1] = w;
  const counts = sizes.y.slice(2).map(Number);
  const taps = tapsOf(spatial, counts, window);
  const [xPlane, wPlane, yPlane] = [count(spatial), count(window.kernel), count(counts)];
  for (let n = 0; n < samples; n++)
    for (let k = 0; k < filters; k++)
      for (let c = 0; c < perGroup; c++) {
        const channel = Math.floor((k * groups) / filters) * perGroup + c;
        const [x0, w0, y0] = [n * channels + channel, k * perGroup + c, n * filters + k];
        for (const { input, kernel, result } of taps)
          visit(x0 * xPlane + input, w0 * wPlane + kernel, y0 * yPlane + result);
      }
}
