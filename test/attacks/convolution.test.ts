// Attacks on a convolutional network: an image's bytes do not depend on its batch, here either.
import { afterAll, describe, expect, it } from "vitest";
import { createAttack } from "../../src/attacks/create.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import {
  activation,
  averagePooling,
  batchNorm,
  convolution,
  dense,
  flatten,
  maxPooling,
} from "../../src/nn/layers/index.js";
import { sequential } from "../../src/nn/sequential.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 2 });
afterAll(() => engine.close());

const inputShape = [3, 13, 13];
const width = 3 * 13 * 13;
const model = sequential("small", inputShape, [
  convolution(8, 3, { stride: 2, padding: "same" }),
  batchNorm(),
  activation("relu"),
  maxPooling(2, { stride: 1 }),
  convolution(12, 3),
  activation("relu"),
  averagePooling(2),
  flatten(),
  dense(6),
]);
const classifier: Classifier = { model, weights: model.initialize(7), bounds: [0, 1] };
const points = uniformPoints(128, classifier);

const labels = await (async () => {
  const program = await engine.load(exportClassifier(classifier));
  const { logits } = await program.run({ input: floats([128, ...inputShape], points.slice()) });
  await program.release();
  return argMaxRows(logits?.data as Float32Array, 6);
})();

describe.each(["linf", "l2", "l1"])("%s", (norm) => {
  it.each(["fgsm", "pgd", "square"])("%s", async (name) => {
    const attack = createAttack(name, { pgd: { steps: 7 }, square: { queries: 60 } }[name] ?? {});
    const prepared = await attack.prepare({ engine, classifier, threat: findThreat(norm) });
    const perturb = (from: number, to: number) =>
      prepared.perturb({
        inputs: floats([to - from, ...inputShape], points.slice(from * width, to * width)),
        labels: labels.slice(from, to),
        targeted: false,
        indices: Array.from({ length: to - from }, (_, i) => from + i),
        epsilon: { linf: 0.02, l2: 0.4, l1: 3 }[norm] ?? 0,
        seed: 1,
      });
    const all = await perturb(0, 128);
    expect(all).not.toEqual(points);
    for (const [from, to] of [
      [0, 1],
      [5, 7],
      [3, 6],
      [64, 97],
      [1, 128],
    ] as const)
      expect(await perturb(from, to)).toEqual(all.slice(from * width, to * width));
    await prepared.release();
  });
});
