// Square's noise on the host: where it starts, and which window it changes how in each query that may change anything.
import { randomStream, type RandomStream } from "../base/random.js";
import { count, stridesOf } from "../base/shape.js";
import { floats } from "../base/tensor.js";
import type { Tensors } from "../runtime/engine.js";
import type { Bounds, Threat } from "../threat/threat.js";
import { cellAt, offsetsIn, openWindows, type Corners } from "./square-corners.js";
import { cellsOf, profileShape, pyramids, type Grid } from "./square-windows.js";

/** One input's search, apart from the point where it stands. */
export interface Search {
  readonly grid: Grid;
  readonly threat: Threat;
  readonly bounds: Bounds;
  readonly epsilon: number;
  readonly seed: number;
}

const wordsFor = (bits: number): number => Math.ceil(bits / 32);

/** ±1 from bit number `i` of `words` from `at` on. */
const signAt = (words: Uint32Array, at: number, i: number): number =>
  (((words[at + (i >>> 5)] ?? 0) >>> (i & 31)) & 1) === 0 ? -1 : 1;

/** A whole number from 0 to n − 1. */
const below = (n: number, word = 0): number => Math.floor((word / 2 ** 32) * n);

const clipped = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** The ends of each coordinate's interval in the L∞ ball and the box. */
export function intervals(
  originals: Float32Array,
  { epsilon, bounds: [low, high] }: Search,
): { readonly low: Float32Array; readonly high: Float32Array } {
  const to = (shift: number): Float32Array => originals.map((v) => clipped(v + shift, low, high));
  return { low: to(-epsilon), high: to(epsilon) };
}

/** The pattern of a window in all orientations, and where its cells lie relative to its corner. */
interface Pattern {
  readonly byAxis: readonly Float32Array[];
  readonly offsets: readonly number[];
}

/** Patterns by the sides of the window, each made once. */
function patternsOf({ grid, threat }: Search): (sides: readonly number[]) => Pattern {
  const known = new Map<string, Pattern>();
  const offsetsOf = offsetsIn(grid);
  const lengthOf = (values: readonly number[]): number =>
    threat.distance(Float32Array.from(values), values.length)[0] ?? 0;
  return (sides) => {
    const key = sides.join();
    const pattern = known.get(key) ?? {
      byAxis: sides.map((_, axis) => pyramids(sides, axis, lengthOf)),
      offsets: offsetsOf(sides),
    };
    known.set(key, pattern);
    return pattern;
  };
}

/** L∞: vertical stripes, each at one end of the intervals, channel by channel. */
function stripes(originals: Float32Array, sample: number, search: Search, stream: RandomStream) {
  const { channels, spatial } = search.grid;
  const columns = spatial.at(-1) ?? 1;
  const perChannel = count(spatial);
  const words = new Uint32Array(wordsFor(channels * columns));
  stream.words(words, { sample });
  const { low, high } = intervals(originals, search);
  return originals.map((_, i) => {
    const stripe = Math.floor(i / perChannel) * columns + (i % columns);
    return (signAt(words, 0, stripe) > 0 ? high[i] : low[i]) ?? NaN;
  });
}

/** L2 and L1: patterns side by side, five along each axis, scaled to length ε. */
function tiles(originals: Float32Array, sample: number, search: Search, stream: RandomStream): Float32Array {
  const { grid, threat, epsilon, bounds } = search;
  const { channels, spatial } = grid;
  const sides = spatial.map((size) => Math.max(Math.floor(size / 5), 1));
  const corners = cellsOf(spatial.map((size, axis) => Math.floor(size / (sides[axis] ?? 1))));
  const { byAxis, offsets } = patternsOf(search)(sides);
  const strides = stridesOf(spatial);
  const margins = spatial.map((size, axis) => Math.floor((size % (sides[axis] ?? 1)) / 2));
  const perTile = 1 + wordsFor(channels);
  const words = new Uint32Array(perTile * corners.length);
  stream.words(words, { sample });
  const delta = new Float32Array(originals.length);
  corners.forEach((corner, tile) => {
    const from = corner.reduce((at, i, axis) => {
      return at + (i * (sides[axis] ?? 0) + (margins[axis] ?? 0)) * (strides[axis] ?? 0);
    }, 0);
    const pattern = byAxis[below(byAxis.length, words[tile * perTile])];
    for (let channel = 0; channel < channels; channel++) {
      const sign = signAt(words, tile * perTile + 1, channel);
      offsets.forEach((offset, i) => {
        delta[channel * count(spatial) + from + offset] = sign * (pattern?.[i] ?? 0);
      });
    }
  });
  const [length = 0] = threat.distance(delta, delta.length);
  return originals.map((v, i) => clipped(v + (epsilon / length) * (delta[i] ?? 0), bounds[0], bounds[1]));
}

/** Where the search of one input begins, keyed by its sample. */
export function squareStart(originals: Float32Array, sample: number, search: Search): Float32Array {
  const stream = randomStream(search.seed, "square-start");
  return (search.threat.name === "linf" ? stripes : tiles)(originals, sample, search, stream);
}

/**
 * Fills what one query of one row scans, `at` counting the queries of all rows in the arrays; or does nothing and
 * returns false, where the query would leave the row as it is.
 */
type Writer = (at: number, words: Uint32Array, sides: readonly number[]) => boolean;

interface Scans {
  /** Called before the queries of a row, in their order. */
  readonly begin?: (row: number) => void;
  readonly arrays: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
  >;
  readonly write: Writer;
}

const zeros = (queries: number, shape: readonly number[]) => ({
  shape,
  data: new Float32Array(queries * count(shape)),
});

/** Profiles of one window: `heights` by channel along the first axis, 1 along the others, 0 outside. */
function profiles(name: string, queries: number, grid: Grid, perChannel: boolean) {
  const arrays = grid.spatial.map((_, axis) =>
    zeros(queries, profileShape(grid, axis, perChannel && axis === 0)),
  );
  const sizes = arrays.map(({ shape }) => count(shape));
  // Plain loops: this runs once a query and row.
  const write = (
    at: number,
    corner: ArrayLike<number>,
    sides: readonly number[],
    heights: ArrayLike<number>,
  ): void => {
    for (let axis = 0; axis < arrays.length; axis++) {
      const data = arrays[axis]?.data;
      if (data === undefined) continue;
      let from = at * (sizes[axis] ?? 0) + (corner[axis] ?? 0);
      for (let row = 0; row < (axis === 0 ? heights.length : 1); row++) {
        const height = axis === 0 ? (heights[row] ?? 0) : 1;
        const end = from + (sides[axis] ?? 0);
        for (let i = from; i < end; i++) data[i] = height;
        from += grid.spatial[axis] ?? 1;
      }
    }
  };
  return { named: Object.fromEntries(arrays.map((array, axis) => [`${name}.${axis}`, array])), write };
}

/** Where a window of these `sides` lies, by the words from `from` on: `corner`, filled anew. */
function cornerInto(
  corner: number[],
  { spatial }: Grid,
  sides: readonly number[],
  words: Uint32Array,
  from: number,
): number[] {
  for (let axis = 0; axis < spatial.length; axis++)
    corner[axis] = below((spatial[axis] ?? 1) - (sides[axis] ?? 1) + 1, words[from + axis]);
  return corner;
}

/** L∞: one window, in each channel far beyond one end of the interval; none where the row has these ends already. */
function cornerScans(queries: number, { grid, epsilon }: Search, corners: Corners): Scans {
  const window = profiles("window", queries, grid, true);
  const { begin, mayChange } = openWindows(grid, corners);
  const axes = grid.spatial.length;
  const heights = new Float64Array(grid.channels);
  const corner: number[] = [];
  return {
    arrays: window.named,
    begin,
    write(at, words, sides) {
      for (let c = 0; c < heights.length; c++) heights[c] = 4 * epsilon * signAt(words, 2 * axes + 1, c);
      cornerInto(corner, grid, sides, words, 0);
      if (!mayChange(corner, sides, heights)) return false;
      window.write(at, corner, sides, heights);
      return true;
    },
  };
}

/** L2 and L1: two windows, the first's pattern and its sign in each channel. */
function redistributionScans(queries: number, search: Search): Scans {
  const { grid } = search;
  const [first, second] = ["first", "second"].map((name) => profiles(name, queries, grid, false));
  const pattern = zeros(queries, [1, ...grid.spatial]);
  const signs = zeros(queries, [grid.channels, ...grid.spatial.map(() => 1)]);
  const patternFor = patternsOf(search);
  const axes = grid.spatial.length;
  const strides = stridesOf(grid.spatial);
  const [corner, other]: [number[], number[]] = [[], []];
  return {
    arrays: { ...first?.named, ...second?.named, pattern, signs },
    write(at, words, sides) {
      cornerInto(corner, grid, sides, words, 0);
      first?.write(at, corner, sides, [1]);
      second?.write(at, cornerInto(other, grid, sides, words, axes), sides, [1]);
      const { byAxis, offsets } = patternFor(sides);
      const values = byAxis[below(axes, words[2 * axes])];
      const from = at * count(grid.spatial) + cellAt(corner, strides);
      offsets.forEach((offset, i) => (pattern.data[from + offset] = values?.[i] ?? 0));
      for (let c = 0; c < grid.channels; c++)
        signs.data[at * grid.channels + c] = signAt(words, 2 * axes + 1, c);
      return true;
    },
  };
}

/** About how many numbers one query of one row scans. */
export const scannedPerQuery = ({ grid: { channels, spatial }, threat }: Search): number =>
  threat.name === "linf" ? channels * spatial.reduce((sum, size) => sum + size, 0) : count(spatial);

/** A row, and the number of the first query that is not decided. */
export interface Pending {
  readonly row: number;
  readonly sample: number;
  readonly query: number;
}

/** What a run scans. */
export interface Proposals {
  readonly scanned: Tensors;
  readonly iterations: number;
  /** For each row the number of the query with which it goes on after the run. */
  readonly next: readonly number[];
}

/**
 * The next queries of each row, up to `most`, keyed by sample and query; `sides` are the windows' in all queries ([]:
 * none, the point itself is asked). With `corners` (L∞), queries that would leave a row as it is are passed over. A row
 * with fewer left than others has empty windows at the end.
 */
export function squareProposals(
  search: Search,
  pending: readonly Pending[],
  sides: readonly (readonly number[])[],
  { most, corners }: { readonly most: number; readonly corners: Corners | null },
): Proposals {
  const { grid, seed } = search;
  const stream = randomStream(seed, "square");
  const rows = pending.length;
  const { arrays, begin, write } =
    corners === null ? redistributionScans(most * rows, search) : cornerScans(most * rows, search, corners);
  const words = new Uint32Array(2 * grid.spatial.length + 1 + wordsFor(grid.channels));
  let iterations = 0;
  const next = pending.map(({ row, sample, query: from }, i) => {
    begin?.(row);
    let [query, made] = [from, 0];
    for (; query < sides.length && made < most; query++) {
      const window = sides[query] ?? [];
      if (window.length > 0) stream.words(words, { sample, iteration: query });
      if (window.length === 0 || write(made * rows + i, words, window)) made++;
    }
    iterations = Math.max(iterations, made);
    return query;
  });
  const scanned = Object.entries(arrays).map(([name, { shape, data }]) => [
    name,
    floats([iterations, rows, ...shape], data.subarray(0, iterations * rows * count(shape))),
  ]);
  return { scanned: Object.fromEntries(scanned) as Tensors, iterations, next };
}
