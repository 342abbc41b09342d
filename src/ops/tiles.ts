// Windows that cut a plane into tiles: no overlap, gap, padding or remainder.
import { sizeOf, type Shape } from "../base/shape.js";
import type { Emitter } from "../graph/op.js";
import { emitReshape } from "./reshape.js";
import { repeated, type Window } from "./windows.js";

/** Whether `window` cuts `spatial` into tiles: no overlap, gap, padding or remainder. */
export const isTiling = ({ kernel, strides, dilations, pads }: Window, spatial: readonly number[]): boolean =>
  pads.every((pad) => pad === 0) &&
  kernel.every(
    (taps, axis) => dilations[axis] === 1 && taps === strides[axis] && (spatial[axis] ?? 0) % taps === 0,
  );

/** The window that tiles with `kernel`. */
export const tilesOf = (kernel: readonly number[]): Window => ({
  kernel,
  strides: kernel,
  dilations: repeated(1, kernel.length),
  pads: repeated(0, 2 * kernel.length),
});

/** Columns up to which a product with a constant repeats rows faster than `Resize`, which takes one thread. */
const mostColumns = 64;

/** Each element of y [N, C, spatial …] repeated over its tile. */
export function emitRepeat(emit: Emitter, y: string, shape: Shape, kernel: readonly number[]): string {
  const columns = Number(shape.at(-1));
  if (kernel.length > 2 || columns > mostColumns) {
    const scales = emit.constant([1, 1, ...kernel], "float32");
    const mode = { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
    return emit.node("Resize", [y, "", scales], mode);
  }
  const [rows, taps] = [kernel.length === 2 ? (kernel[0] ?? 1) : 1, kernel.at(-1) ?? 1];
  const width = columns * taps;
  const matrix = repeated(0, columns * rows * width).map((_, i) =>
    Math.floor(i / (rows * width)) === Math.floor((i % width) / taps) ? 1 : 0,
  );
  const lines = emitReshape(emit, y, [sizeOf(shape.slice(0, -1)), columns]);
  const product = emit.node("Gemm", [lines, emit.constant(matrix, "float32", [columns, rows * width])]);
  return emitReshape(emit, product, [
    ...shape.slice(0, 2),
    ...shape.slice(2).map((d, axis) => Number(d) * (kernel[axis] ?? 1)),
  ]);
}
