// Where Square changes an input: windows that shrink with the queries made, and the pattern that fills them.
import { count } from "../base/shape.js";

/** An input as windows see it: channels of one spatial shape. */
export interface Grid {
  readonly channels: number;
  readonly spatial: readonly number[];
}

/** [d] is one channel of d numbers in a line; the first axis of any other shape holds the channels. */
export function gridOf(inputShape: readonly number[]): Grid {
  const [channels = 1, ...spatial] = inputShape.length === 1 ? [1, ...inputShape] : inputShape;
  return { channels, spatial };
}

/** The shape of one window's profile along spatial axis `axis`, for all channels alike or for each. */
export const profileShape = ({ channels, spatial }: Grid, axis: number, perChannel: boolean): number[] => [
  perChannel ? channels : 1,
  ...spatial.map((size, i) => (i === axis ? size : 1)),
];

/** The ends of the schedule's stages, in queries out of 10,000; the window's share halves at each. */
const stageEnds = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/**
 * Share of the pixels that query number `query` (from 0) changes: `start` halved at fixed shares of the budget, as if
 * it were 10,000 – or, not `rescaled`, at those numbers of queries.
 */
export function windowShare(
  query: number,
  { start, queries, rescaled }: { start: number; queries: number; rescaled: boolean },
): number {
  const at = rescaled ? Math.floor((query / queries) * 10_000) : query;
  return start / 2 ** stageEnds.filter((end) => at > end).length;
}

/** Sides of a window with that share of the pixels, as near a cube as the grid allows; `least` at least, or all. */
export function windowSides(
  { spatial }: Grid,
  share: number,
  { least, odd }: { readonly least: number; readonly odd: boolean },
): number[] {
  const side = Math.max(Math.round((share * count(spatial)) ** (1 / spatial.length)), least);
  return spatial.map((size) => Math.min(odd ? side | 1 : side, size));
}

/** Places of all cells of a box with these sides, in row-major order. */
export function cellsOf(sides: readonly number[]): readonly (readonly number[])[] {
  return sides.reduce<number[][]>(
    (cells, side) => cells.flatMap((cell) => Array.from({ length: side }, (_, i) => [...cell, i])),
    [[]],
  );
}

/** Σ_{j = m}^{M − 1} 1 / (j + 1)² at distance m from the middle: nested boxes, each weighing less. */
function pyramid(sides: readonly number[]): number[] {
  const middle = sides.map((side) => Math.floor(side / 2));
  const levels = Math.max(...middle) + 1;
  return cellsOf(sides).map((cell) => {
    const distance = Math.max(...cell.map((i, axis) => Math.abs(i - (middle[axis] ?? 0))));
    let height = 0;
    for (let j = distance; j < levels; j++) height += 1 / (j + 1) ** 2;
    return height;
  });
}

/**
 * Two pyramids of equal size and opposite signs, side by side along `axis` (Andriushchenko et al. 2020, section 3.4):
 * [∏ sides] numbers of length 1 by `lengthOf`.
 */
export function pyramids(
  sides: readonly number[],
  axis: number,
  lengthOf: (values: readonly number[]) => number,
): Float32Array {
  const half = Math.floor((sides[axis] ?? 1) / 2);
  const [first, second] = [half, (sides[axis] ?? 1) - half].map((side) => {
    const values = pyramid(sides.map((whole, i) => (i === axis ? side : whole)));
    const length = lengthOf(values);
    return values.map((v) => v / length);
  });
  // Taken in order: both halves run through their cells as the whole does.
  const [left, right] = [first?.values(), second?.values()];
  const values = cellsOf(sides).map((cell) =>
    (cell[axis] ?? 0) < half ? Number(left?.next().value) : -Number(right?.next().value),
  );
  const length = lengthOf(values);
  return Float32Array.from(values, (v) => v / length);
}
