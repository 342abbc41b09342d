// Gradients averaged over draws of a random model, and what they are good for.
import { afterAll, describe, expect, it } from "vitest";
import type { Attack } from "../../src/attacks/attack.js";
import { drawing } from "../../src/attacks/draws.js";
import { judgedAt, viewAt } from "../../src/attacks/expectation.js";
import { fgsm, pgd } from "../../src/attacks/index.js";
import { attackLosses, attackLossNames } from "../../src/attacks/losses.js";
import { transferFrom } from "../../src/attacks/transfer.js";
import { attackInputs, type AttackInputs } from "../../src/attacks/white-box.js";
import { randomStream } from "../../src/base/random.js";
import { count, resolveShape } from "../../src/base/shape.js";
import { floats } from "../../src/base/tensor.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import type { Node } from "../../src/graph/node.js";
import type { Array64 } from "../../src/graph/op.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { mlpClassifier, randomized, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const width = 21;
const rows = 4;
const copies = 3;
const noisy = randomized(mlpClassifier([3, 7], [16, 5], { scale: 3 }), 0.1);
const points = Float64Array.from(uniformPoints(rows, noisy));

/** Weights of a classifier, and draws of `rows` images, the same each time, for the inputs of a graph. */
const valuesOf = (inputs: AttackInputs, { weights }: Classifier, rows: number): [string, Array64][] =>
  [...inputs.weights.values()].map(({ name, shape, dtype }) => {
    const weight = weights[name];
    if (weight) return [name, toArray64(weight)];
    const size = resolveShape(shape, rows);
    const [numbers, bits] = [new Float32Array(count(size)), new Uint8Array(count(size))];
    randomStream(7, name).normal(numbers, { sample: 0 });
    randomStream(7, name).bernoulli(bits, { sample: 0 }, 0.9);
    return [name, { shape: size, data: Float64Array.from(dtype === "uint8" ? bits : numbers) }];
  });

/** `node` at points x of these labels. */
function valueAt(
  node: Node,
  fixed: readonly [string, Array64][],
  x: Float64Array,
  labels: ArrayLike<number>,
): Array64["data"] {
  const values = {
    ...Object.fromEntries(fixed),
    input: { shape: [labels.length, 3, 7], data: x },
    labels: { shape: [labels.length], data: Float64Array.from(labels) },
  };
  return interpret([node], { batch: labels.length, values })[0]?.data ?? new Float64Array();
}

/** Gradient and mean loss of `copies` draws at points x, with the same draws each time. */
function seen(classifier: Classifier, name: keyof typeof attackLosses, direction: 1 | -1) {
  const inputs = attackInputs(classifier.model);
  const options = { loss: attackLosses[name], direction, copies };
  const view = viewAt(classifier, inputs.input, inputs, options);
  const judged = judgedAt(classifier, inputs.input, inputs, options);
  const fixed = valuesOf(inputs, classifier, rows);
  const of = (node: Node, x: Float64Array) => valueAt(node, fixed, x, [0, 1, 2, 3]);
  return {
    draws: fixed.filter(([key]) => key.startsWith("noise/")).map(([key, { shape }]) => [key, shape[0]]),
    gradient: of(view.gradient, points),
    loss: (x: Float64Array) => of(judged.loss, x),
  };
}

const unitRow = (values: ArrayLike<number>, row: number): number[] => {
  const own = Array.from({ length: width }, (_, i) => values[row * width + i] ?? NaN);
  const norm = Math.hypot(...own);
  return own.map((v) => v / norm);
};

describe("the mean over draws", () => {
  const h = 1e-5;
  it.each(attackLossNames)("of %s has the gradient that finite differences of the mean loss have", (name) => {
    for (const direction of [1, -1] as const) {
      const { draws, gradient, loss } = seen(noisy, name, direction);
      expect(draws).toEqual([
        ["noise/shake/x/3B", copies * rows],
        ["noise/keep/3B", copies * rows],
      ]);
      const numeric = new Float64Array(rows * width);
      for (let i = 0; i < width; i++) {
        // One value of every row: rows do not meet.
        const moved = (by: number) => points.map((v, k) => (k % width === i ? v + by : v));
        const [up, down] = [loss(moved(h)), loss(moved(-h))];
        for (let row = 0; row < rows; row++)
          numeric[row * width + i] = (direction * ((up[row] ?? NaN) - (down[row] ?? NaN))) / (2 * h);
      }
      for (let row = 0; row < rows; row++)
        unitRow(gradient, row).forEach((v, i) => expect(v).toBeCloseTo(unitRow(numeric, row)[i] ?? NaN, 5));
    }
  });

  it("does not vanish where every draw saturates", () => {
    const { gradient } = seen(
      randomized(mlpClassifier([3, 7], [16, 5], { scale: 60 }), 0.01),
      "cross-entropy",
      1,
    );
    for (let row = 0; row < rows; row++)
      expect(Math.hypot(...gradient.slice(row * width, (row + 1) * width))).toBeGreaterThan(1e-3);
  });
});

describe("attacks on random models", () => {
  // Noise of the inputs decides which of many small differences a single draw sees.
  const n = 100;
  const images = floats([n, 3, 7], uniformPoints(n, noisy));
  const labels = Int32Array.from({ length: n }, (_, i) => i % 5);
  const shaky = randomized(mlpClassifier([3, 7], [16, 5], { scale: 3 }), 0.6);

  async function reachedBy(attack: Attack, classifier: Classifier): Promise<Float32Array> {
    const supplied = drawing(engine, classifier.model, "attack");
    const prepared = await attack.prepare({ engine: supplied, classifier, threat: findThreat("linf") });
    const indices = Array.from({ length: n }, (_, i) => i);
    const batch = { inputs: images, labels, targeted: false, indices, epsilon: 0.1, seed: 1 };
    return prepared.perturb(batch).finally(() => prepared.release());
  }

  /** Mean loss over 40 draws of the points that the attack reaches. */
  async function meanLoss(attack: Attack, classifier: Classifier): Promise<number> {
    const reached = await reachedBy(attack, classifier);
    const inputs = attackInputs(classifier.model);
    const { loss } = judgedAt(classifier, inputs.input, inputs, {
      loss: attackLosses["cross-entropy"],
      direction: 1,
      copies: 40,
    });
    const losses = valueAt(loss, valuesOf(inputs, classifier, n), Float64Array.from(reached), labels);
    return losses.reduce((sum, v) => sum + v, 0) / n;
  }

  it("raise the mean loss further when they average", async () => {
    const [one, many] = [await meanLoss(fgsm(), shaky), await meanLoss(fgsm({ eot: 20 }), shaky)];
    expect(many).toBeGreaterThan(one + 0.05);
  });

  it("are the same as without averaging where nothing is drawn", async () => {
    const fixed = mlpClassifier([3, 7], [16, 5], { scale: 3 });
    const plain = await reachedBy(pgd({ steps: 3 }), fixed);
    expect(await reachedBy(pgd({ steps: 3, eot: 20 }), fixed)).toEqual(plain);
  });

  it("can be crafted on a random model for another", async () => {
    const target = mlpClassifier([3, 7], [16, 5], { scale: 3 });
    const source = { classifier: shaky, name: "shaky" };
    const transferred = await reachedBy(transferFrom(source, pgd({ steps: 3, eot: 4 })), target);
    expect(transferred).toEqual(await reachedBy(pgd({ steps: 3, eot: 4 }), shaky));
  });
});
