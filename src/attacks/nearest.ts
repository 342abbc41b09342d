// What minimal-norm attacks share: the nearest adversarial point of each row, in the loop and on the host.
import { B, type Shape } from "../base/shape.js";
import { argMaxRows, tensor, type Tensor } from "../base/tensor.js";
import { graphFunction } from "../graph/function.js";
import { input, type InputNode, type Node } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import type { Model } from "../nn/model.js";
import type { LoopFunction } from "../onnx/export.js";
import { sub } from "../ops/arithmetic.js";
import { and, less, where } from "../ops/compare.js";
import { reshape } from "../ops/reshape.js";
import type { Program, Tensors } from "../runtime/engine.js";
import { loadFunction } from "../runtime/load.js";
import { floatsOf, type AttackBatch, type AttackContext, type AttackTarget } from "./attack.js";
import { counted, query } from "./passes.js";
import { outputNamed, range, runRows } from "./rows.js";
import { attackInputs, logitsAt } from "./white-box.js";

const columnShape = ({ inputShape }: Model): Shape => [B, ...inputShape.map(() => 1)];

/** An input of one number per row, [n, 1, …] beside inputs [n, …]. */
export const columnInput = (model: Model, name: string): InputNode => input(name, columnShape(model));

/** [n] or [n, 1] → [n, 1, …]. */
export const asColumn = (model: Model, values: Node): Node => reshape(values, columnShape(model));

/** Values of `columnInput`, one per row. */
export const columnOf = ({ inputs }: AttackBatch, values: Float32Array): Tensor =>
  tensor("float32", [values.length, ...inputs.shape.slice(1).map(() => 1)], values);

export interface Sighting {
  /** Points of this iteration, [n, …]. */
  readonly point: Node;
  /** The originals, [n, …]. */
  readonly from: Node;
  /** Whether each point is adversarial, [n]. */
  readonly down: Node;
}

/** States `nearest` [n, …] and `distance` [n, 1, …]: of each row the nearest adversarial point seen so far. */
export function keepNearest(
  { classifier: { model }, threat }: AttackTarget,
  { point, from, down }: Sighting,
): LoopFunction["carried"] {
  const nearest = input("nearest", [B, ...model.inputShape]);
  const distance = columnInput(model, "distance");
  const here = threat.norm(sub(point, from));
  const closer = and(asColumn(model, down), less(here, distance));
  return [
    { input: nearest, next: where(closer, point, nearest) },
    { input: distance, next: where(closer, here, distance) },
  ];
}

/** What float32 sums may make of a distance: points this much nearer than ε are surely within. */
const margin = 2 ** -18;

/** The host's side of `keepNearest`. */
export class Nearest {
  readonly points: Float32Array;
  /** Of each row; infinite where nothing was found. */
  readonly distances: Float32Array;
  readonly states: Tensors;
  readonly #enough: number;

  constructor(batch: AttackBatch) {
    const { inputs, labels, epsilon } = batch;
    this.points = floatsOf(inputs).slice();
    this.distances = new Float32Array(labels.length).fill(Infinity);
    this.states = {
      nearest: tensor("float32", inputs.shape, this.points),
      distance: columnOf(batch, this.distances),
    };
    this.#enough = epsilon < Infinity ? epsilon * (1 - margin) : -1;
  }

  /** The rows of which no point within a finite ε is known; with an infinite one every row. */
  standing(rows: readonly number[]): readonly number[] {
    return rows.filter((row) => !((this.distances[row] ?? NaN) <= this.#enough));
  }
}

/** A program for the logits [n, classes] of `input`. */
export function loadLogits({ engine, classifier }: AttackContext): Promise<Program> {
  const inputs = attackInputs(classifier.model);
  const logits = logitsAt(classifier, inputs.input, inputs);
  const all = [inputs.input, ...inputs.weights.values()];
  return loadFunction(engine, simplify(graphFunction("logits", all, { logits })), {
    weights: classifier.weights,
  });
}

export interface Outlook {
  /** Rows whose originals are not yet adversarial. */
  readonly rows: readonly number[];
  /** Classes of each row but its label, by falling logits, ties by index. */
  readonly rivals: readonly Int32Array[];
}

/** What the logits of the originals say. */
export async function outlookOf(program: Program, batch: AttackBatch): Promise<Outlook> {
  const { inputs, labels, targeted } = batch;
  const all = range(labels.length);
  const asked = await runRows(program, all, { perRow: { input: inputs }, passes: counted(batch, query) });
  const logits = floatsOf(outputNamed(asked, "logits"));
  const classes = logits.length / Math.max(labels.length, 2);
  const predictions = argMaxRows(logits, classes);
  const rivals = all.map((row) => {
    const z = logits.subarray(row * classes, (row + 1) * classes);
    const others = range(classes).filter((k) => k !== labels[row]);
    return Int32Array.from(others.sort((i, j) => (z[j] ?? NaN) - (z[i] ?? NaN) || i - j));
  });
  return { rows: all.filter((row) => (predictions[row] === labels[row]) !== targeted), rivals };
}

/** Rivals of ranks [from, to) of each row: [n, to − from], int32. */
export function rivalsOf({ rivals }: Outlook, from: number, to: number): Tensor {
  const ranks = range(to - from).map((i) => from + i);
  const classes = rivals.flatMap((row) => ranks.map((rank) => row[rank] ?? 0));
  return tensor("int32", [rivals.length, to - from], Int32Array.from(classes));
}
