// Each defence on a linear softmax model, against its formula written out by hand.
import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/base/random.js";
import { compose } from "../../src/defenses/compose.js";
import type { Defense } from "../../src/defenses/defense.js";
import * as defenses from "../../src/defenses/index.js";
import { interpret } from "../../src/graph/interpret.js";
import type { Array64 } from "../../src/graph/op.js";
import { dense, flatten } from "../../src/nn/layers/index.js";
import { sequential } from "../../src/nn/sequential.js";
import { toyShape } from "../support/toy-data.js";
import { toyStep } from "../support/toy-training.js";

const [batch, size, classes] = [3, 36, 4];
const model = sequential("linear", toyShape, [flatten(), dense(classes)]);
const drawn = (name: string, length: number, low: number): number[] => {
  const out = new Float32Array(length);
  randomStream(0, name).uniform(out, { sample: 0 }, [low, 1]);
  return [...out];
};
const x = drawn("x", batch * size, 0);
const W = drawn("W", size * classes, -1);
const labels = [2, 0, 3];

const softmaxRow = (z: readonly number[]): number[] => {
  const top = Math.max(...z);
  const e = z.map((v) => Math.exp(v - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
};
const at = (values: readonly number[], i: number): number => values[i] ?? NaN;

/** Probabilities, loss and input gradient (of the summed loss) of each row. */
function reference(inputs: readonly number[]) {
  return labels.map((label, r) => {
    const row = inputs.slice(r * size, (r + 1) * size);
    const z = Array.from({ length: classes }, (_, k) =>
      row.reduce((a, v, j) => a + v * at(W, j * classes + k), 0),
    );
    const p = softmaxRow(z);
    const residual = p.map((v, k) => v - (k === label ? 1 : 0));
    const gradient = row.map((_, j) => residual.reduce((a, v, k) => a + v * at(W, j * classes + k), 0));
    return { p, loss: -Math.log(at(p, label)), gradient };
  });
}
const meanLoss = (inputs: readonly number[]): number =>
  reference(inputs).reduce((a, { loss }) => a + loss, 0) / batch;
const gradients = reference(x).flatMap(({ gradient }) => gradient);

/** Loss and moved inputs of one step of `defense`; Bernoulli noise alternates 1, 0, 1 … */
function stepOf(defense: Defense): { loss: number; stored: Float64Array | undefined } {
  const step = toyStep(defense, { model, pixels: "float32" });
  const values: Record<string, Array64> = {
    inputs: { shape: [batch, 1, 6, 6], data: Float64Array.from(x) },
    originals: { shape: [batch, 1, 6, 6], data: Float64Array.from(x) },
    labels: { shape: [batch], data: Float64Array.from(labels) },
    "dense1.weight": { shape: [size, classes], data: Float64Array.from(W) },
    "dense1.bias": { shape: [classes], data: new Float64Array(classes) },
  };
  for (const [name, value] of Object.entries(step.scalars(0)))
    values[name] = { shape: [], data: Float64Array.of(value) };
  for (const { input } of step.noise) {
    const shape = input.shape.map((d) => (typeof d === "number" ? d : d.batch * batch));
    const length = shape.reduce((a, b) => a * b, 1);
    values[input.name] = { shape, data: Float64Array.from({ length }, (_, i) => (i + 1) % 2) };
  }
  const { loss, storedInputs } = step.loop.outputs;
  const results = interpret(
    [loss, storedInputs].filter((node) => node !== undefined),
    { batch, values },
  );
  return { loss: results[0]?.data[0] ?? NaN, stored: results[1]?.data };
}

const expectAll = (actual: Float64Array | undefined, expected: readonly number[]): void => {
  expect(actual?.length).toBe(expected.length);
  expected.forEach((value, i) => expect(actual?.[i]).toBeCloseTo(value, 6));
};

describe("one step on a linear softmax model", () => {
  it("standard: the mean cross-entropy", () => {
    expect(stepOf(defenses.standard()).loss).toBeCloseTo(meanLoss(x), 6);
  });

  it("sgm: x + λ̄·∂(mean loss)/∂x, and per sample without the division by the batch", () => {
    const { loss, stored } = stepOf(defenses.sgm({ lambda: 0.2 }));
    expect(loss).toBeCloseTo(meanLoss(x), 6);
    expectAll(
      stored,
      x.map((v, i) => v + (0.2 * at(gradients, i)) / batch),
    );
    const own = stepOf(defenses.sgm({ lambda: -0.5, gradientScale: "per-sample" })).stored;
    expectAll(
      own,
      x.map((v, i) => v - 0.5 * at(gradients, i)),
    );
  });

  it("sgm: radius and clipping keep the inputs in the ball and the bounds", () => {
    const { stored } = stepOf(
      defenses.sgm({ lambda: 1, gradientScale: "per-sample", radius: 0.01, clip: true }),
    );
    expectAll(
      stored,
      x.map((v, i) => {
        const moved = Math.min(Math.max(v + at(gradients, i), v - 0.01), v + 0.01);
        return Math.min(Math.max(moved, 0), 1);
      }),
    );
  });

  it("input-gradient-penalty: λ times the mean over rows of the squares, or sizes, of each row's gradient", () => {
    const squares = gradients.reduce((a, g) => a + g * g, 0) / batch;
    const sizes = gradients.reduce((a, g) => a + Math.abs(g), 0) / batch;
    const penalty = defenses["input-gradient-penalty"];
    expect(stepOf(penalty({ lambda: 0.7 })).loss).toBeCloseTo(meanLoss(x) + 0.7 * squares, 5);
    expect(stepOf(penalty({ lambda: 0.7, norm: "l1" })).loss).toBeCloseTo(meanLoss(x) + 0.7 * sizes, 5);
  });

  it("adversarial-backprop: the loss at x + ε·sign ∂E/∂x, unclipped and clipped", () => {
    const moved = x.map((v, i) => v + 0.3 * Math.sign(at(gradients, i)));
    expect(stepOf(defenses["adversarial-backprop"]({ epsilon: 0.3 })).loss).toBeCloseTo(meanLoss(moved), 6);
    const clipped = moved.map((v) => Math.min(Math.max(v, 0), 1));
    const both = stepOf(defenses["adversarial-backprop"]({ epsilon: 0.3, clip: true })).loss;
    expect(both).toBeCloseTo(meanLoss(clipped), 6);
  });

  it("fgsm-training: a weighted mean of the loss on the batch and on its clipped FGSM images", () => {
    const moved = x.map((v, i) => Math.min(Math.max(v + 0.1 * Math.sign(at(gradients, i)), 0), 1));
    for (const ratio of [0.5, 0.3, 1])
      expect(stepOf(defenses["fgsm-training"]({ epsilon: 0.1, ratio })).loss).toBeCloseTo(
        (1 - ratio) * meanLoss(x) + ratio * meanLoss(moved),
        6,
      );
  });

  it("sign-noise: the loss at x + ε·|x|·s", () => {
    const moved = x.map((v, i) => v + 0.5 * Math.abs(v) * (i % 2 === 0 ? 1 : -1));
    expect(stepOf(defenses["sign-noise"]({ epsilon: 0.5 })).loss).toBeCloseTo(meanLoss(moved), 6);
    const bySample = x.map((v, i) => v + 0.5 * Math.abs(v) * (Math.floor(i / size) % 2 === 0 ? 1 : -1));
    const { loss } = stepOf(defenses["sign-noise"]({ epsilon: 0.5, granularity: "sample" }));
    expect(loss).toBeCloseTo(meanLoss(bySample), 6);
  });

  it("jacobian-penalty: exact and summed, of logits and probabilities, in three reductions", () => {
    // ∂z/∂x = Wᵀ in every row; ∂pᵢ/∂xⱼ = pᵢ·(Wⱼᵢ − Σₖ pₖWⱼₖ).
    const logitRows = Array.from({ length: size }, (_, j) =>
      Array.from({ length: classes }, (_k, k) => at(W, j * classes + k)),
    );
    const probabilityRows = reference(x).map(({ p }) =>
      logitRows.map((row) => {
        const average = row.reduce((a, w, k) => a + w * at(p, k), 0);
        return row.map((w, k) => at(p, k) * (w - average));
      }),
    );
    const total = (f: (row: readonly number[]) => number, rows: readonly (readonly number[])[]): number =>
      rows.reduce((a, row) => a + f(row), 0);
    const absolute = (row: readonly number[]): number => row.reduce((a, v) => a + Math.abs(v), 0);
    const ofSum = (row: readonly number[]): number => Math.abs(row.reduce((a, v) => a + v, 0));
    const penaltyOf = (options: Parameters<(typeof defenses)["jacobian-penalty"]>[0]): number =>
      (stepOf(defenses["jacobian-penalty"]({ lambda: 2, ...options })).loss - meanLoss(x)) / 2;
    const exact = { form: "exact", of: "logits" } as const;
    expect(penaltyOf({ ...exact, reduction: "sum" })).toBeCloseTo(total(absolute, logitRows), 5);
    expect(penaltyOf({ ...exact, reduction: "mean-pixels" })).toBeCloseTo(
      total(absolute, logitRows) / size,
      5,
    );
    expect(penaltyOf({ ...exact, reduction: "mean" })).toBeCloseTo(
      total(absolute, logitRows) / size / classes,
      5,
    );
    expect(penaltyOf({ form: "summed", of: "logits", reduction: "sum" })).toBeCloseTo(
      total(ofSum, logitRows),
      5,
    );
    const ofProbabilities = probabilityRows.reduce((a, rows) => a + total(absolute, rows), 0) / batch;
    expect(penaltyOf({ form: "exact", of: "probabilities", reduction: "sum" })).toBeCloseTo(
      ofProbabilities,
      5,
    );
    expect(penaltyOf({ form: "summed", of: "probabilities", reduction: "sum" })).toBeCloseTo(0, 9);
  });

  it("label smoothing: t ← t − s·(t − 1/classes)", () => {
    const step = (s: number): number => {
      const built = toyStep(defenses.standard(), { model, pixels: "float32", labelSmoothing: s });
      const values = {
        inputs: { shape: [batch, 1, 6, 6], data: Float64Array.from(x) },
        labels: { shape: [batch], data: Float64Array.from(labels) },
        "dense1.weight": { shape: [size, classes], data: Float64Array.from(W) },
        "dense1.bias": { shape: [classes], data: new Float64Array(classes) },
      };
      const { loss } = built.loop.outputs;
      return interpret(loss ? [loss] : [], { batch, values })[0]?.data[0] ?? NaN;
    };
    const smoothed = reference(x).reduce((a, { p }, r) => {
      const targets = p.map((_, k) => (k === labels[r] ? 1 : 0)).map((t) => t - 0.1 * (t - 1 / classes));
      return a - targets.reduce((b, t, k) => b + t * Math.log(at(p, k)), 0);
    }, 0);
    expect(step(0.1)).toBeCloseTo(smoothed / batch, 6);
  });

  it("compose: SGM moves the stored inputs along the gradient of what the others make of the loss", () => {
    const moved = x.map((v, i) => v + 0.3 * Math.sign(at(gradients, i)));
    const there = reference(moved).flatMap(({ gradient }) => gradient);
    const both = stepOf(
      compose([defenses.sgm({ lambda: 1 }), defenses["adversarial-backprop"]({ epsilon: 0.3 })]),
    );
    expect(both.loss).toBeCloseTo(meanLoss(moved), 6);
    expectAll(
      both.stored,
      x.map((v, i) => v + at(there, i) / batch),
    );
  });

  it("two defences that both move the stored inputs are refused", () => {
    expect(() => compose([defenses.sgm(), defenses.sgm()])).toThrow(
      "compose: expected at most one defence that moves the stored inputs, got 2",
    );
  });
});
