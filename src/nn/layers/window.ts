// Windows over images: padding by mode, and how many windows fit.
import { check, fail } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";

/** `same`: ⌈size / stride⌉, the odd row of zeros at the end; `valid`: none; a number: that many each side. */
export type Padding = "same" | "valid" | number;

/** Zeros [before, after] along one axis of `size`. */
function padding(mode: Padding, size: number, kernel: number, stride: number): [number, number] {
  if (typeof mode === "number") return [mode, mode];
  if (mode === "valid") return [0, 0];
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Pixels of a window: a side, or [height, width]. */
export type Size = number | readonly [height: number, width: number];

export const sidesOf = (size: Size): readonly [height: number, width: number] =>
  typeof size === "number" ? [size, size] : size;

/** Where a window goes over an image. */
export interface Windows {
  readonly channels: number;
  /** [height, width] of what comes out. */
  readonly out: readonly number[];
  /** [top, left, bottom, right]. */
  readonly pads: readonly number[];
}

/** Padding [top, left, bottom, right] and output size of a window over [channels, height, width]. */
export function windowOver(
  name: string,
  shape: readonly number[],
  kernel: Size,
  stride: number,
  mode: Padding,
): Windows {
  const [tall, wide] = sidesOf(kernel);
  check(shape.length === 3, name, "an input [channels, height, width]", () => formatShape(shape));
  const [channels = 0, height = 0, width = 0] = shape;
  const [rows, columns] = [padding(mode, height, tall, stride), padding(mode, width, wide, stride)];
  const fitting = (size: number, side: number): number => Math.floor((size - side) / stride) + 1;
  const out = [fitting(height + rows[0] + rows[1], tall), fitting(width + columns[0] + columns[1], wide)];
  if (out.some((size) => size < 1)) fail(name, `an input of at least ${tall}×${wide}`, formatShape(shape));
  return { channels, out, pads: [rows[0], columns[0], rows[1], columns[1]] };
}
