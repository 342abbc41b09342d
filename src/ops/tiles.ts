// Windows that cut a plane into tiles: no overlap, gap, padding or remainder.
import type { Emitter } from "../graph/op.js";
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

/** Each element repeated over its tile. */
export function emitRepeat(emit: Emitter, y: string, kernel: readonly number[]): string {
  const scales = emit.constant([1, 1, ...kernel], "float32");
  const mode = { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
  return emit.node("Resize", [y, "", scales], mode);
}
