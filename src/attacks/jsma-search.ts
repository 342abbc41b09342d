// The host's side of JSMA: of each row which elements move next, until its class changes or nothing is salient.
import { tensor } from "../base/tensor.js";
import type { Program, Tensors } from "../runtime/engine.js";
import { floatsOf, type AttackBatch, type AttackContext } from "./attack.js";
import { counted } from "./passes.js";
import { outputNamed, runRows } from "./rows.js";
import { bestPair, bestSingle, roomForMoves, type Moves } from "./saliency.js";

export interface Search {
  readonly batch: AttackBatch;
  readonly context: AttackContext;
  /** Gives `gain`, `relief` (of logits; of probabilities it is the gain) and `found` at `input` for `targets`. */
  readonly program: Program;
  readonly options: SearchOptions;
  /** The rows' best so far; rounds that come later must do with fewer changes. */
  readonly found: Found;
}

export interface SearchOptions {
  readonly of: "logits" | "probabilities";
  readonly map: "pairs" | "single";
  readonly theta: number;
  readonly bothWays: boolean;
  readonly leastRoom: number;
  readonly gamma: number;
}

/** Of each row the point with the fewest changes, and their number: the original and infinity where there is none. */
export interface Found {
  readonly points: Float32Array;
  readonly changes: Float64Array;
}

export const nothingFound = ({ inputs, labels }: AttackBatch): Found => ({
  points: floatsOf(inputs).slice(),
  changes: new Float64Array(labels.length).fill(Infinity),
});

/** One row in the course of a search. */
interface Walker {
  readonly point: Float32Array;
  readonly original: Float32Array;
  readonly gain: Float32Array;
  readonly relief: Float32Array;
  /** How many more elements may change. */
  readonly spare: number;
}

/** Fills `moves` with what may be done at a row: elements go on the way they went until they are near the bounds. */
function openMoves(
  moves: Moves,
  { point, original, gain, relief, spare }: Walker,
  { options: { theta, bothWays, leastRoom }, context }: Search,
): void {
  const [low, high] = context.classifier.bounds;
  const least = leastRoom * (high - low);
  const [rise, fall] = [theta > 0 || bothWays, theta < 0 || bothWays];
  let count = 0;
  const offer = (element: number, sign: number): void => {
    moves.element[count] = element;
    moves.sign[count] = sign;
    moves.gain[count] = sign * (gain[element] ?? 0);
    moves.relief[count++] = sign * (relief[element] ?? 0);
  };
  for (let i = 0; i < point.length; i++) {
    const [x = 0, x0 = 0] = [point[i], original[i]];
    if (spare <= 0 && x === x0) continue;
    if (rise && high - x > least && x >= x0) offer(i, 1);
    if (fall && x - low > least && x <= x0) offer(i, -1);
  }
  moves.count = count;
}

/** Moves the most salient elements of a row; returns how many were moved, and how many of them for the first time. */
function stepOf(moves: Moves, walker: Walker, search: Search): { moved: number; fresh: number } {
  const { map, theta } = search.options;
  const [low, high] = search.context.classifier.bounds;
  const { point, original, spare } = walker;
  openMoves(moves, walker, search);
  const chosen = (map === "pairs" && spare !== 1 ? bestPair : bestSingle)(moves);
  let fresh = 0;
  for (const move of chosen) {
    const element = moves.element[move] ?? 0;
    const x = point[element] ?? 0;
    if (x === original[element]) fresh++;
    point[element] = Math.min(Math.max(x + (moves.sign[move] ?? 0) * Math.abs(theta), low), high);
  }
  return { moved: chosen.length, fresh };
}

/**
 * Moves elements of `rows` step by step towards the classes `targets` [n]; takes what brings a row down over into
 * `found`. A row ends where its aim is reached, where nothing is salient, or where more changes are not allowed. With
 * one change left a single element is moved in place of a pair.
 */
export async function moveElements(
  search: Search,
  rows: readonly number[],
  targets: Int32Array,
): Promise<void> {
  const { batch, context, program, options, found } = search;
  const { inputs, labels, targeted, epsilon } = batch;
  const originals = floatsOf(inputs);
  const width = originals.length / labels.length;
  const points = originals.slice();
  const changes = new Uint32Array(labels.length);
  const moves = roomForMoves(width);
  const most = Math.min(epsilon, Math.floor(options.gamma * width + 1e-9));
  const rowOf = (values: Float32Array, row: number): Float32Array =>
    values.subarray(row * width, (row + 1) * width);
  const perRow: Tensors = {
    input: tensor("float32", inputs.shape, points),
    targets: tensor("int32", [labels.length], targets),
  };
  const passes = counted(batch, { forward: 1, gradient: options.of === "logits" ? 2 : 1 });
  for (let left = rows; left.length > 0;) {
    context.signal?.throwIfAborted();
    const outputs = await runRows(program, left, { perRow, passes });
    const gain = floatsOf(outputNamed(outputs, "gain"));
    const relief = options.of === "logits" ? floatsOf(outputNamed(outputs, "relief")) : gain;
    const classes = outputNamed(outputs, "found").data;
    left = left.filter((row, i) => {
      const own = changes[row] ?? 0;
      const point = rowOf(points, row);
      if ((classes[i] === labels[row]) === targeted) {
        rowOf(found.points, row).set(point);
        found.changes[row] = own;
        return false;
      }
      const spare = Math.min(most, (found.changes[row] ?? Infinity) - 1) - own;
      const original = rowOf(originals, row);
      const walker = { point, original, gain: rowOf(gain, i), relief: rowOf(relief, i), spare };
      const { moved, fresh } = stepOf(moves, walker, search);
      changes[row] = own + fresh;
      return moved > 0;
    });
  }
}
