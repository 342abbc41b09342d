// The host's side of Auto-PGD: the loop in short runs on the rows still standing, restarts, and balls of several sizes.
import { tensor, type Tensor } from "../base/tensor.js";
import { count } from "../base/shape.js";
import type { Program, Tensors } from "../runtime/engine.js";
import { floatsOf, labelsOf, type AttackBatch, type AttackContext } from "./attack.js";
import { largeLoss } from "./apgd-rule.js";
import { ascent, counted, overDraws } from "./passes.js";
import { randomPoints } from "./random-start.js";
import { outputNamed, putRows, runRows } from "./rows.js";
import { aim } from "./white-box.js";

/** Iterations of the first run and of the longest; each is twice as long as the one before. */
const firstRun = 3;
export const longestRun = 24;

/** The parts of an attack: in a ball of radius `scale`·ε for so many steps, from where the part before has come. */
export interface Part {
  readonly scale: number;
  readonly steps: number;
}

/** A part with its programs. */
export interface PreparedPart extends Part {
  readonly begin: Program;
  readonly loop: Program;
  /** Draws of a random model that a step looks at. */
  readonly copies: number;
}

/** One run from one start. */
export interface Round {
  readonly start: Float32Array;
  /** A class for each row beside its label, where the loss takes one: [n]. */
  readonly candidates?: Int32Array | undefined;
}

/** The states of the first iteration of `rows`; what other rows have is not looked at. */
async function begun(
  { begin }: PreparedPart,
  { inputs }: AttackBatch,
  { start, epsilon }: { readonly start: Float32Array; readonly epsilon: number },
  rows: readonly number[],
): Promise<Tensors> {
  const perRow = { input: inputs, start: tensor("float32", inputs.shape, start) };
  const values = await runRows(begin, rows, { perRow, scalars: { epsilon } });
  const [n = 0] = inputs.shape;
  const whole = (value: Tensor): Tensor => {
    const rest = value.shape.slice(1);
    const data = new Float32Array(n * count(rest));
    putRows(data, count(rest), rows, floatsOf(value));
    return tensor("float32", [n, ...rest], data);
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, whole(value)]));
}

/** The rows that have not fallen. */
const standingOf = (losses: Float32Array, rows: readonly number[]): readonly number[] =>
  rows.filter((row) => !((losses[row] ?? NaN) >= largeLoss / 2));

interface Reached {
  readonly points: Float32Array;
  /** Best loss of each row; of fallen ones above every loss. */
  readonly losses: Float32Array;
}

/** One part on `standing` rows: their best points. */
async function runPart(
  part: PreparedPart,
  batch: AttackBatch,
  { start, candidates, settles, signal }: Round & { settles: boolean; signal: AbortSignal | undefined },
  standing: readonly number[],
): Promise<Reached> {
  const { inputs, targeted } = batch;
  const epsilon = part.scale * batch.epsilon;
  const states = await begun(part, batch, { start, epsilon }, standing);
  const losses = floatsOf(outputNamed(states, "best_loss"));
  const taken = candidates && { candidates: tensor("int32", [candidates.length], candidates) };
  const feeds = {
    states,
    perRow: { input: inputs, labels: labelsOf(batch), ...taken },
    scalars: { epsilon, direction: aim(targeted), settling: settles ? 1 : 0 },
    passes: counted(batch, overDraws(ascent, part.copies)),
  };
  // The first iteration looks at the start.
  let left = part.steps + 1;
  let rows = standing;
  for (let length = firstRun; left > 0 && rows.length > 0; length = Math.min(2 * length, longestRun)) {
    signal?.throwIfAborted();
    const iterations = Math.min(length, left);
    await runRows(part.loop, rows, { ...feeds, iterations });
    left -= iterations;
    rows = standingOf(losses, rows);
  }
  return { points: floatsOf(outputNamed(states, "best")), losses };
}

export interface Climb {
  readonly rows: readonly number[];
  readonly rounds: Iterable<Round>;
  /** Whether rows that have fallen in the last part leave. */
  readonly rest: boolean;
}

/** Rounds one after another on the rows that stand; of each row the fallen point, or else that of highest loss. */
export async function climb(
  parts: readonly PreparedPart[],
  batch: AttackBatch,
  { signal }: Pick<AttackContext, "signal">,
  { rows: first, rounds, rest }: Climb,
): Promise<Float32Array> {
  const points = floatsOf(batch.inputs).slice();
  const losses = new Float32Array(batch.labels.length).fill(-Infinity);
  const width = points.length / losses.length;
  let rows = first;
  for (const round of rounds) {
    let { start } = round;
    let reached: Reached | undefined;
    for (const [i, part] of parts.entries()) {
      const settles = rest && i === parts.length - 1;
      reached = await runPart(part, batch, { ...round, start, settles, signal }, rows);
      start = reached.points;
    }
    if (reached === undefined) break;
    const better = rows.filter((row) => (reached.losses[row] ?? NaN) > (losses[row] ?? NaN));
    for (const row of better) {
      points.set(reached.points.subarray(row * width, (row + 1) * width), row * width);
      losses[row] = reached.losses[row] ?? NaN;
    }
    rows = standingOf(losses, rows);
    if (rows.length === 0) break;
  }
  return points;
}

/** Where round `round` begins: a random point of the first part's ball, or the image itself. */
export const startOf = (
  batch: AttackBatch,
  context: AttackContext,
  { random, scale, round }: { readonly random: boolean; readonly scale: number; readonly round: number },
): Float32Array =>
  random
    ? randomPoints({ ...batch, epsilon: scale * batch.epsilon }, context, round)
    : floatsOf(batch.inputs);
