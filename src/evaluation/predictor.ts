// What a classifier says about points: the one judge of clean and of adversarial images.
import { floatsOf } from "../attacks/attack.js";
import { drawing, withDraws } from "../attacks/draws.js";
import { outputNamed, range, runRows } from "../attacks/rows.js";
import { argMaxRows, tensor } from "../base/tensor.js";
import { classifierFunction, fileNames } from "../nn/classifier.js";
import { deployed, type Classifier } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import { loadFunction } from "../runtime/load.js";

/** A class, or −1 where an output is not a number: such a point counts as wrongly classified. */
export interface Predictions {
  /** [rows, classes]. */
  readonly outputs: Float32Array;
  readonly classes: Int32Array;
  /** Rows with an output that is infinite or not a number. */
  readonly nonFinite: number;
  /** Whether every row is ≥ 0 and sums to 1: probabilities, not logits. */
  readonly sumToOne: boolean;
}

export interface Predictor {
  /** Predictions for the rows of `points`, which belong to the images at `indices`. */
  predict(points: Float32Array, indices: readonly number[]): Promise<Predictions>;
  release(): Promise<void>;
}

const isDistribution = (row: Float32Array): boolean =>
  row.every((p) => p >= 0) && Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-3;

/** What the outputs [rows, columns] say. */
function read(outputs: Float32Array, columns: number): Predictions {
  const classes = argMaxRows(outputs, columns);
  let nonFinite = 0;
  let sumToOne = true;
  classes.forEach((_, i) => {
    const row = outputs.subarray(i * columns, (i + 1) * columns);
    if (!row.every(Number.isFinite)) nonFinite++;
    if (row.some(Number.isNaN)) classes[i] = -1;
    sumToOne &&= isDistribution(row);
  });
  return { outputs, classes, nonFinite, sumToOne };
}

/**
 * The graph of the classifier's own file (weights as initializers), the form in which it is exported and audited. Of a
 * random model every image has one draw under `seed`, the same for each of its points.
 */
export async function openPredictor(classifier: Classifier, bare: Engine, seed: number): Promise<Predictor> {
  const { model, weights } = deployed(classifier);
  const engine = drawing(bare, model, "judge");
  const names = fileNames(model);
  const program = await loadFunction(engine, classifierFunction(model), { weights });
  return {
    async predict(points, indices) {
      const n = indices.length;
      const input = tensor("float32", [n, ...model.inputShape], points);
      const run = () => runRows(program, range(n), { perRow: { [names.input]: input } });
      const outputs = await withDraws(engine, { indices, seed }, run);
      const logits = floatsOf(outputNamed(outputs, names.output));
      return read(logits.subarray(0, n * model.classes), model.classes);
    },
    release: () => program.release(),
  };
}
