// Which of Square's queries in L∞ may change a row: at the ends of its intervals, a point often has what a window asks.
import { count, stridesOf } from "../base/shape.js";
import { cellsOf, type Grid } from "./square-windows.js";

/** Where rows stand, and the ends of their coordinates' intervals: [rows · elements] each. */
export interface Corners {
  readonly best: Float32Array;
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** The number of a cell in row-major order. */
export function cellAt(cell: readonly number[], strides: readonly number[]): number {
  let at = 0;
  for (let axis = 0; axis < cell.length; axis++) at += (cell[axis] ?? 0) * (strides[axis] ?? 0);
  return at;
}

/** Where a window's cells lie relative to its corner, by its sides; computed once for each. */
export function offsetsIn({ spatial }: Grid): (sides: readonly number[]) => readonly number[] {
  const known = new Map<string, readonly number[]>();
  const strides = stridesOf(spatial);
  return (sides) => {
    const key = sides.join();
    const offsets = known.get(key) ?? cellsOf(sides).map((cell) => cellAt(cell, strides));
    known.set(key, offsets);
    return offsets;
  };
}

/** Goes through the queries of one row after the other, from where each stood when `begin` was called. */
export interface OpenWindows {
  readonly begin: (row: number) => void;
  /**
   * Whether a window, with the sign of `heights` in each channel, may change the row: false where the row has these
   * ends in all of it, and no window that may change the row has touched it since.
   */
  readonly mayChange: (
    corner: readonly number[],
    sides: readonly number[],
    heights: ArrayLike<number>,
  ) => boolean;
}

export function openWindows(grid: Grid, { best, low, high }: Corners): OpenWindows {
  const cells = count(grid.spatial);
  const strides = stridesOf(grid.spatial);
  const offsetsOf = offsetsIn(grid);
  const touched = new Uint8Array(cells);
  let start = 0;
  const differs = (cell: number, heights: ArrayLike<number>): boolean => {
    for (let channel = 0; channel < grid.channels; channel++) {
      const at = start + channel * cells + cell;
      if (best[at] !== ((heights[channel] ?? 0) > 0 ? high : low)[at]) return true;
    }
    return false;
  };
  return {
    begin(row) {
      touched.fill(0);
      start = row * grid.channels * cells;
    },
    mayChange(corner, sides, heights) {
      const from = cellAt(corner, strides);
      const offsets = offsetsOf(sides);
      if (!offsets.some((offset) => touched[from + offset] === 1 || differs(from + offset, heights)))
        return false;
      for (const offset of offsets) touched[from + offset] = 1;
      return true;
    },
  };
}
