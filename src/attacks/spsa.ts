// SPSA (Uesato, O'Donoghue, van den Oord & Kohli 2018): gradients from differences along random signs.
import { z } from "zod";
import { quantity, unit } from "../base/options.js";
import { randomStream } from "../base/random.js";
import { count } from "../base/shape.js";
import { tensor, type Tensor } from "../base/tensor.js";
import type { Program } from "../runtime/engine.js";
import { loadFunction, loadLoop } from "../runtime/load.js";
import {
  checkTarget,
  floatsOf,
  guarded,
  labelsOf,
  type Attack,
  type AttackBatch,
  type AttackContext,
} from "./attack.js";
import { counted, query } from "./passes.js";
import { outputNamed, range, runRows } from "./rows.js";
import { RunLength } from "./run-length.js";
import { biasCorrections, slopeLoop, stepFunction } from "./spsa-graph.js";
import { aim } from "./white-box.js";

const schema = z.strictObject({
  steps: z.int().min(1).default(100).describe("iterations"),
  samples: z.int().min(1).default(128).describe("directions of one gradient, two queries each"),
  delta: quantity(1e-6).default(0.01).describe("length of a difference in each coordinate, in input units"),
  learningRate: quantity(0).default(0.01).describe("Adam's, in input units"),
});
type SpsaOptions = z.output<typeof schema>;

interface Programs {
  readonly slopes: Program;
  readonly step: Program;
}

/**
 * Signs […] for directions `from` … of one step. All rows of all batches share them: an image's result depends on no
 * other's, and a step draws as many numbers for a hundred images as for one.
 */
function signsOf(
  shape: readonly number[],
  seed: number,
  { step, from, directions }: { readonly step: number; readonly from: number; readonly directions: number },
): Tensor {
  const stream = randomStream(seed, "spsa");
  const width = count(shape);
  const bits = new Uint8Array(width);
  const signs = new Float32Array(directions * width);
  for (let i = 0; i < directions; i++) {
    stream.bernoulli(bits, { sample: 0, round: step, iteration: from + i }, 0.5);
    bits.forEach((bit, j) => (signs[i * width + j] = 2 * bit - 1));
  }
  return tensor("float32", [directions, ...shape], signs);
}

/** All steps on the rows that still stand. */
async function perturb(
  batch: AttackBatch,
  { classifier, signal }: AttackContext,
  { slopes, step }: Programs,
  { steps, samples, learningRate }: SpsaOptions,
): Promise<Float32Array> {
  const { inputs, labels, epsilon, seed } = batch;
  const { inputShape } = classifier.model;
  const like = (data: Float32Array): Tensor => tensor("float32", inputs.shape, data);
  const zeros = (): Tensor => like(new Float32Array(floatsOf(inputs).length));
  const at = like(floatsOf(inputs).slice());
  const states = { at, first: zeros(), second: zeros() };
  const direction = aim(batch.targeted);
  const length = new RunLength(count(inputShape));
  let rows = range(labels.length);
  for (let t = 0; t < steps && rows.length > 0; t++) {
    const slope = zeros();
    for (let done = 0; done < samples;) {
      signal?.throwIfAborted();
      const from = done;
      done += await length.run(samples - done, (iterations) =>
        runRows(slopes, rows, {
          states: { slope },
          perRow: { input: at, labels: labelsOf(batch) },
          scalars: { direction },
          // Both ends of the difference.
          passes: counted(batch, { forward: 2, gradient: 0 }),
          scanned: { signs: signsOf(inputShape, seed, { step: t, from, directions: iterations }) },
          iterations,
        }),
      );
    }
    const outputs = await runRows(step, rows, {
      states,
      perRow: { input: inputs, labels: labelsOf(batch), slope },
      scalars: { epsilon, direction, rate: learningRate, ...biasCorrections(t + 1) },
      passes: counted(batch, query),
    });
    const flags = outputNamed(outputs, "fallen").data;
    rows = rows.filter((_, i) => !flags[i]);
  }
  return floatsOf(at);
}

/** Adam up the margin of the logits, its gradient estimated from queries alone; L∞. */
export const spsa = unit("spsa", "gradients from random differences (black box)", schema, (options) => {
  const attack: Attack = {
    name: "spsa",
    kind: "black-box",
    options,
    norms: ["linf"],
    async prepare(context) {
      checkTarget(attack, context);
      const { engine } = context;
      const { weights } = context.classifier;
      const slopes = await loadLoop(engine, slopeLoop(context, options.delta), { weights });
      const step = await loadFunction(engine, stepFunction(context), { weights });
      return {
        perturb: guarded(attack, context, (batch) => perturb(batch, context, { slopes, step }, options)),
        release: async () => {
          await slopes.release();
          await step.release();
        },
      };
    },
  };
  return attack;
});
