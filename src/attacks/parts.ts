// Batches in parts: some rows of one, and parts small enough for the draws of a random model.
import { count } from "../base/shape.js";
import { tensor } from "../base/tensor.js";
import { isRandom, type Model } from "../nn/model.js";
import { floatsOf, type AttackBatch, type AttackContext } from "./attack.js";
import { withDraws } from "./draws.js";
import { PassCounts } from "./passes.js";
import { putRows, range, takeRows } from "./rows.js";

/** The batch of the rows at `rows` alone. */
export function batchAt(batch: AttackBatch, rows: readonly number[]): AttackBatch {
  const { inputs, labels, indices } = batch;
  const [, ...rest] = inputs.shape;
  return {
    ...batch,
    inputs: tensor("float32", [rows.length, ...rest], takeRows(floatsOf(inputs), count(rest), rows)),
    labels: takeRows(labels, 1, rows),
    indices: rows.map((row) => indices[row] ?? 0),
    ...(batch.passes && { passes: new PassCounts(rows.length) }),
  };
}

/** Rows of a graph up to which an image's result does not depend on their number. */
const mostRows = 128;
/** Numbers that the draws of one run may take. */
const mostNumbers = 2 ** 25;

/** How many rows to attack at a time, each `copies` times in the graph, in runs of at most `iterations`. */
function rowsOf({ draws = [] }: Model, copies: number, iterations: number): number {
  const numbers = draws.reduce((sum, { shape }) => sum + count(shape.slice(1).map(Number)), 0);
  const room = mostNumbers / Math.max(1, numbers * copies * iterations);
  return Math.max(1, Math.floor(Math.min(mostRows / copies, room)));
}

/** `perturb` on the whole batch, or on parts of it where the model is random: then each row has many copies and draws. */
export async function inParts(
  batch: AttackBatch,
  { engine, classifier: { model } }: AttackContext,
  { copies, iterations }: { readonly copies: number; readonly iterations: number },
  perturb: (part: AttackBatch) => Promise<Float32Array>,
): Promise<Float32Array> {
  if (!isRandom(model)) return perturb(batch);
  const size = rowsOf(model, copies, iterations);
  const points = floatsOf(batch.inputs).slice();
  const all = range(batch.labels.length);
  for (let from = 0; from < all.length; from += size) {
    const rows = all.slice(from, from + size);
    const part = batchAt(batch, rows);
    const reached = await withDraws(engine, part, () => perturb(part));
    putRows(points, count(model.inputShape), rows, reached);
    if (part.passes) batch.passes?.take(rows, part.passes);
  }
  return points;
}
