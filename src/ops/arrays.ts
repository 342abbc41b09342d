// Walking over dense arrays in the interpreter: index arithmetic shared by several families.
import { stridesOf } from "../base/shape.js";
import type { Array64 } from "../graph/op.js";

/** Calls `visit(outIndex, offset)` for each element of `shape`, `offset` following `strides` into another array. */
export function walk(
  shape: readonly number[],
  strides: readonly number[],
  visit: (outIndex: number, offset: number) => void,
): void {
  const size = shape.reduce((a, b) => a * b, 1);
  const index = new Array<number>(shape.length).fill(0);
  let offset = 0;
  for (let i = 0; i < size; i++) {
    visit(i, offset);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      offset += strides[axis] ?? 0;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      offset -= (strides[axis] ?? 0) * (shape[axis] ?? 0);
      index[axis] = 0;
    }
  }
}

/** Strides that read an array of shape `from` as if it were broadcast to `to`. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from);
  return to.map((_, i) => {
    const axis = i - to.length + from.length;
    return axis < 0 || from[axis] === 1 ? 0 : (strides[axis] ?? 0);
  });
}

/** The elements of `array` broadcast to `shape`. */
export function broadcastData(array: Array64, shape: readonly number[]): Float64Array {
  const size = shape.reduce((a, b) => a * b, 1);
  if (array.data.length === size) return array.data;
  const out = new Float64Array(size);
  walk(shape, broadcastStrides(array.shape, shape), (i, offset) => {
    out[i] = array.data[offset] ?? 0;
  });
  return out;
}
