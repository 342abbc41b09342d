// The host's side of PGD: short runs of the loop on the rows still standing.
import { fromNumbers, scalar, tensor, type Tensor } from "../base/tensor.js";
import type { Program, Tensors } from "../runtime/engine.js";
import { floatsOf, type AttackBatch } from "./attack.js";
import { atLeastTwo, putRows, takeLabels, takeRows } from "./rows.js";
import { aim } from "./white-box.js";

/** Iterations a run: between two runs fallen rows leave the batch. The result does not depend on it. */
const iterationsPerRun = 5;

/** One batch under attack. */
export interface Walk {
  readonly batch: AttackBatch;
  readonly steps: number;
  /** In input units. */
  readonly stepSize: number;
  readonly signal?: AbortSignal | undefined;
}

/** Numbers in one row. */
const widthOf = ({ inputs, labels }: AttackBatch): number => floatsOf(inputs).length / labels.length;

/** The rows of a [n, …] array as a tensor, at least two of them. */
function pointsAt(batch: AttackBatch, values: Float32Array, rows: readonly number[]): Tensor {
  const taken = atLeastTwo(rows);
  const shape = [taken.length, ...batch.inputs.shape.slice(1)];
  return tensor("float32", shape, takeRows(values, widthOf(batch), taken));
}

const labelsAt = ({ labels }: AttackBatch, rows: readonly number[]): Tensor =>
  tensor("int32", [atLeastTwo(rows).length], takeLabels(labels, atLeastTwo(rows)));

function output(outputs: Tensors, name: string): Tensor {
  const found = outputs[name];
  if (found === undefined) throw new Error(`no output '${name}'`);
  return found;
}

/** Runs the loop on `rows` and returns their next points and which of them had fallen before the last iteration. */
async function run(
  loop: Program,
  walk: Walk,
  points: Float32Array,
  rows: readonly number[],
  iterations: number,
) {
  const { batch, stepSize } = walk;
  const outputs = await loop.run({
    iterations: fromNumbers("int64", [], [iterations]),
    start: pointsAt(batch, points, rows),
    input: pointsAt(batch, floatsOf(batch.inputs), rows),
    labels: labelsAt(batch, rows),
    epsilon: scalar(batch.epsilon),
    step_size: scalar(stepSize),
    direction: scalar(aim(batch.targeted)),
  });
  const flags = output(outputs, "fallen");
  const [, n = 0] = flags.shape;
  return { points: floatsOf(output(outputs, "start.next")), fallen: flags.data.slice(-n) };
}

/** Moves the `standing` rows of `start` for all steps or until they fall: `start`, changed in place. */
export async function ascend(
  loop: Program,
  walk: Walk,
  start: Float32Array,
  standing: readonly number[],
): Promise<Float32Array> {
  const width = widthOf(walk.batch);
  let rows = standing;
  for (let done = 0; done < walk.steps && rows.length > 0; done += iterationsPerRun) {
    walk.signal?.throwIfAborted();
    const { points, fallen } = await run(
      loop,
      walk,
      start,
      rows,
      Math.min(iterationsPerRun, walk.steps - done),
    );
    putRows(start, width, rows, points);
    rows = rows.filter((_, i) => !fallen[i]);
  }
  return start;
}

export interface Verdicts {
  readonly losses: Float32Array;
  readonly fallen: readonly boolean[];
}

/** Loss and state of the `rows` of `points`, in their order. */
export async function verdicts(
  judge: Program,
  { batch }: Walk,
  points: Float32Array,
  rows: readonly number[],
): Promise<Verdicts> {
  const outputs = await judge.run({
    input: pointsAt(batch, points, rows),
    labels: labelsAt(batch, rows),
    direction: scalar(aim(batch.targeted)),
  });
  const flags = output(outputs, "fallen").data;
  const sign = aim(batch.targeted);
  const losses = floatsOf(output(outputs, "loss")).map((loss) => sign * loss);
  return { losses, fallen: rows.map((_, i) => Boolean(flags[i])) };
}

/** Of each row the strongest point offered: a fallen one, or else the one of highest loss, the first among equals. */
export class StrongestPoints {
  readonly points: Float32Array;
  readonly #losses: Float32Array;

  constructor(private readonly batch: AttackBatch) {
    this.points = floatsOf(batch.inputs).slice();
    this.#losses = new Float32Array(batch.labels.length).fill(-Infinity);
  }

  /** Takes over the `rows` of `points` that are stronger; returns the rows that still stand. */
  offer(points: Float32Array, rows: readonly number[], { losses, fallen }: Verdicts): readonly number[] {
    const width = widthOf(this.batch);
    const better = rows.filter((row, i) => fallen[i] || (losses[i] ?? NaN) > (this.#losses[row] ?? 0));
    rows.forEach((row, i) => (this.#losses[row] = Math.max(this.#losses[row] ?? 0, losses[i] ?? 0)));
    putRows(this.points, width, better, takeRows(points, width, better));
    return rows.filter((_, i) => !fallen[i]);
  }
}
