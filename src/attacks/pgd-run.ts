// The host's side of PGD: short runs of the loop on the rows still standing.
import { floats, tensor } from "../base/tensor.js";
import type { Program } from "../runtime/engine.js";
import { floatsOf, labelsOf, type AttackBatch } from "./attack.js";
import { ascent, counted, overDraws, query } from "./passes.js";
import { outputNamed, putRows, runRows, takeRows } from "./rows.js";
import { aim } from "./white-box.js";

/** Iterations a run: between two runs fallen rows leave the batch. The result does not depend on it. */
export const iterationsPerRun = 5;

/** One batch under attack. */
export interface Walk {
  readonly batch: AttackBatch;
  readonly steps: number;
  /** In input units. */
  readonly stepSize: number;
  readonly momentum: number;
  /** Whether rows that have fallen leave. */
  readonly rest: boolean;
  /** Draws of a random model that a step looks at; default 1. */
  readonly copies?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Numbers in one row. */
const widthOf = ({ inputs, labels }: AttackBatch): number => floatsOf(inputs).length / labels.length;

/** Moves the `standing` rows of `start` for all steps or until they fall: `start`, changed in place. */
export async function ascend(
  loop: Program,
  { batch, steps, stepSize, momentum, rest, copies = 1, signal }: Walk,
  start: Float32Array,
  standing: readonly number[],
): Promise<Float32Array> {
  const { inputs, epsilon, targeted } = batch;
  const feeds = {
    states: {
      start: tensor("float32", inputs.shape, start),
      ...(momentum > 0 && { momentum: floats(inputs.shape, new Float32Array(start.length)) }),
    },
    perRow: { input: inputs, labels: labelsOf(batch) },
    scalars: { epsilon, step_size: stepSize, direction: aim(targeted) },
    passes: counted(batch, overDraws(ascent, copies)),
  };
  let rows = standing;
  for (let done = 0; done < steps && rows.length > 0; done += iterationsPerRun) {
    signal?.throwIfAborted();
    const iterations = Math.min(iterationsPerRun, steps - done);
    const { data, shape } = outputNamed(await runRows(loop, rows, { ...feeds, iterations }), "fallen");
    // Flags are [iterations, rows]: the last iteration's say who had fallen when it began.
    const fallen = data.slice(-(shape[1] ?? 0));
    rows = rows.filter((_, i) => !rest || !fallen[i]);
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
  { batch, copies = 1 }: Pick<Walk, "batch" | "copies">,
  points: Float32Array,
  rows: readonly number[],
): Promise<Verdicts> {
  const direction = aim(batch.targeted);
  const outputs = await runRows(judge, rows, {
    perRow: { input: tensor("float32", batch.inputs.shape, points), labels: labelsOf(batch) },
    scalars: { direction },
    passes: counted(batch, overDraws(query, copies)),
  });
  const flags = outputNamed(outputs, "fallen").data;
  const losses = floatsOf(outputNamed(outputs, "loss")).map((loss) => direction * loss);
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
