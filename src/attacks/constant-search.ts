// Minimal-norm attacks that weigh distance against a hinge on the logits, and search the weight of the hinge for each
// row (Carlini & Wagner 2017, sections V and VI).
import { z } from "zod";
import { quantity } from "../base/options.js";
import { B } from "../base/shape.js";
import type { InputNode, Node, Operand } from "../graph/node.js";
import type { LoopFunction } from "../onnx/export.js";
import { mul, neg, sub } from "../ops/arithmetic.js";
import { and, cast, lessEqual } from "../ops/compare.js";
import { maximum } from "../ops/extremum.js";
import { relu, step } from "../ops/piecewise.js";
import { reshape } from "../ops/reshape.js";
import type { Tensor } from "../base/tensor.js";
import type { Model } from "../nn/model.js";
import type { Tensors } from "../runtime/engine.js";
import { floatsOf, labelsOf } from "./attack.js";
import { attackLosses } from "./losses.js";
import type { NearestRun } from "./nearest-attack.js";
import { asColumn, columnInput, columnOf, Nearest } from "./nearest.js";
import { counted, type Passes } from "./passes.js";
import { outputNamed, runRows } from "./rows.js";
import { aim, fallen } from "./white-box.js";

export const constantSearchSchema = z.strictObject({
  searchSteps: z.int().min(1).default(9).describe("weights of the hinge to try, one after another"),
  steps: z.int().min(1).default(10000).describe("iterations for each weight"),
  stepSize: quantity(0).default(0.01).describe("learning rate"),
  initialConstant: quantity(0).default(0.001).describe("first weight; ten times as much until a point falls"),
  confidence: quantity(0).default(0).describe("by how much another class has to lead, in logits"),
  abortEarly: z
    .boolean()
    .default(true)
    .describe("leave a weight once a tenth of the iterations gains less than 0.01 %"),
});
export type ConstantSearchOptions = z.output<typeof constantSearchSchema>;

export interface Hinge {
  /** max(confidence − lead, 0): [n, 1]. */
  readonly value: Node;
  /** ∂value/∂logits: [n, classes]. */
  readonly cotangent: Node;
  /** Whether the point is adversarial with the confidence asked for: [n]. */
  readonly down: Node;
}

/** The hinge on the lead of the class that the attack wants. */
export function hingeOf(
  logits: Node,
  { labels, direction, confidence }: { labels: Node; direction: Operand; confidence: number },
): Hinge {
  const { margin } = attackLosses;
  const value = relu(sub(confidence, mul(margin.value(logits, labels), direction)));
  return {
    value,
    cotangent: mul(neg(mul(margin.ascent(logits, labels), direction)), step(value)),
    down: and(fallen(logits, labels, direction), lessEqual(reshape(value, [B]), 0)),
  };
}

/** State `reached` [n, 1, …]: 1 once the row was down under this weight. */
export function keepReached(model: Model, down: Node): LoopFunction["carried"][number] {
  const reached = columnInput(model, "reached");
  return { input: reached, next: maximum(reached, asColumn(model, cast(down, "float32"))) };
}

/** Input `constant` [n, 1, …], the weight of the hinge. */
export const constantInput = (model: Model): InputNode => columnInput(model, "constant");

/** Most iterations in a run of the engine. */
const longestRun = 100;
/** A tenth of the iterations has to bring the loss below this part of what it was. */
const progress = 0.9999;

export interface ConstantSearch {
  /** States with which each weight begins. */
  readonly states: () => Tensors;
  /** Inputs per row beside the originals and labels. */
  readonly perRow: Tensors;
  /** Slices for iterations [from, from + count). */
  readonly scanned: (from: number, count: number) => Tensors;
  /** What an iteration asks of the model. */
  readonly each: Passes;
}

type Feeds = Parameters<typeof runRows>[2];

/**
 * All iterations under one weight. The loop's result `loss` [iterations, n, 1, …] says which rows still gain; those
 * that do not, and those within a finite ε, leave after each tenth.
 */
async function descend(
  { loop, context }: NearestRun,
  { steps, abortEarly }: ConstantSearchOptions,
  { feeds, rows: all, nearest }: { feeds: Feeds; rows: readonly number[]; nearest: Nearest },
  scanned: ConstantSearch["scanned"],
): Promise<void> {
  const tenth = Math.ceil(steps / 10);
  const losses = new Float32Array(nearest.distances.length);
  let rows = all;
  for (let done = 0; done < steps && rows.length > 0;) {
    context.signal?.throwIfAborted();
    const iterations = Math.min(longestRun, tenth - (done % tenth), steps - done);
    const slices = scanned(done, iterations);
    const found = floatsOf(
      outputNamed(await runRows(loop, rows, { ...feeds, scanned: slices, iterations }), "loss"),
    );
    const width = found.length / iterations;
    if (done === 0) rows.forEach((row, i) => (losses[row] = found[i] ?? NaN));
    done += iterations;
    if (done % tenth !== 0) continue;
    const last = found.subarray(width * (iterations - 1));
    const gains = rows.filter((row, i) => {
      const gained = (last[i] ?? NaN) <= progress * (losses[row] ?? NaN);
      losses[row] = last[i] ?? NaN;
      return gained || !abortEarly;
    });
    rows = nearest.standing(gains);
  }
}

/** Weights of the hinge: from below until a point falls, then between the largest that failed and the least that did not. */
class Constants {
  readonly values: Float32Array;
  readonly #low: Float64Array;
  readonly #high: Float64Array;

  constructor(rows: number, initial: number) {
    this.values = new Float32Array(rows).fill(initial);
    this.#low = new Float64Array(rows);
    this.#high = new Float64Array(rows).fill(Infinity);
  }

  /** The next weight of `row`, after one that brought it down or did not. */
  advance(row: number, reached: boolean): void {
    const value = this.values[row] ?? NaN;
    const bound = reached ? this.#high : this.#low;
    bound[row] = value;
    const [low, high] = [this.#low[row] ?? NaN, this.#high[row] ?? NaN];
    this.values[row] = high < Infinity ? (low + high) / 2 : value * 10;
  }
}

/** The nearest points over all weights. */
export async function searchConstants(
  run: NearestRun,
  options: ConstantSearchOptions,
  { states, perRow, scanned, each }: ConstantSearch,
): Promise<Float32Array> {
  const { batch, outlook } = run;
  const nearest = new Nearest(batch);
  const constants = new Constants(batch.labels.length, options.initialConstant);
  const constant: Tensor = columnOf(batch, constants.values);
  let { rows } = outlook;
  for (let search = 0; search < options.searchSteps && rows.length > 0; search++) {
    const reached = new Float32Array(batch.labels.length);
    const feeds = {
      states: { ...states(), ...nearest.states, reached: columnOf(batch, reached) },
      perRow: { input: batch.inputs, labels: labelsOf(batch), constant, ...perRow },
      scalars: { direction: aim(batch.targeted) },
      passes: counted(batch, each),
    };
    await descend(run, options, { feeds, rows, nearest }, scanned);
    for (const row of rows) constants.advance(row, (reached[row] ?? 0) > 0);
    rows = nearest.standing(rows);
  }
  return nearest.points;
}
