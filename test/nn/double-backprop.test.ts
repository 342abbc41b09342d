// Second derivatives through a small conv net with batch-norm and pooling: the exact Jacobian penalty.
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/autodiff/gradient.js";
import { jacobian } from "../../src/autodiff/jacobian.js";
import { randomStream } from "../../src/base/random.js";
import { B } from "../../src/base/shape.js";
import { toNumbers } from "../../src/base/tensor.js";
import { interpret } from "../../src/graph/interpret.js";
import { input, type Node } from "../../src/graph/node.js";
import type { Array64 } from "../../src/graph/op.js";
import { lookup, weightInputs } from "../../src/nn/classifier.js";
import {
  activation,
  batchNorm,
  convolution,
  dense,
  flatten,
  maxPooling,
  averagePooling,
} from "../../src/nn/layers/index.js";
import type { Pass } from "../../src/nn/model.js";
import { sequential } from "../../src/nn/sequential.js";
import { abs, softmax, sum } from "../../src/ops/index.js";

const batch = 3;
const model = sequential(
  "small",
  [1, 8, 8],
  [
    convolution(3, 3, { padding: "same" }),
    batchNorm(),
    activation("tanh"),
    maxPooling(2),
    convolution(4, 3, { padding: "valid" }),
    activation("relu"),
    averagePooling(2),
    flatten(),
    dense(3),
  ],
);

const x = input("x", [B, 1, 8, 8]);
const weights = weightInputs(model);
const values: Record<string, Array64> = Object.fromEntries(
  Object.entries(model.initialize(2)).map(([name, t]) => [name, { shape: t.shape, data: toNumbers(t) }]),
);
const image = new Float32Array(batch * 64);
randomStream(1, "image").uniform(image, { sample: 0 });
values["x"] = { shape: [batch, 1, 8, 8], data: Float64Array.from(image) };

const passOf = (training: boolean): Pass => ({
  training,
  statisticsHeld: false,
  value: lookup(weights),
  noise: { draw: () => expect.unreachable("no noise is asked for") },
  site: (_, activationNode) => activationNode,
  update: () => undefined,
});

/** ∂penalty/∂weights by the rules, and by central differences along a random direction. */
function compare(training: boolean, of: "logits" | "probabilities"): { analytic: number; numeric: number } {
  const logits = model.apply(x, passOf(training));
  const outputs = of === "logits" ? logits : softmax(logits);
  const penalty = sum(abs(jacobian(outputs, x)));
  const trained = model.parameters.map(({ name }) => lookup(weights)(name));
  const gradients = interpret(gradient(penalty, trained), { batch, values });
  const directions = model.parameters.map(({ name, shape }) => {
    const direction = new Float32Array(shape.reduce((a, b) => a * b, 1));
    randomStream(3, name).uniform(direction, { sample: 0 }, [-1, 1]);
    return direction;
  });
  const analytic = gradients.reduce(
    (total, g, i) => total + g.data.reduce((a, value, j) => a + value * (directions[i]?.[j] ?? NaN), 0),
    0,
  );
  const at = (step: number): number => {
    const shifted = { ...values };
    model.parameters.forEach(({ name }, i) => {
      const value = values[name];
      if (value)
        shifted[name] = { ...value, data: value.data.map((v, j) => v + step * (directions[i]?.[j] ?? NaN)) };
    });
    return interpret([penalty], { batch, values: shifted })[0]?.data[0] ?? NaN;
  };
  const h = 1e-6;
  return { analytic, numeric: (at(h) - at(-h)) / (2 * h) };
}

describe("the gradient of the exact Jacobian penalty of a conv net with batch-norm and pooling", () => {
  it.each([
    [false, "logits"],
    [false, "probabilities"],
    [true, "logits"],
    [true, "probabilities"],
  ] as const)("equals finite differences (training mode %s, of %s)", (training, of) => {
    const { analytic, numeric } = compare(training, of);
    expect(Math.abs(numeric)).toBeGreaterThan(0.1);
    expect(Math.abs(analytic - numeric) / Math.abs(numeric)).toBeLessThan(1e-5);
  });

  it("with held statistics equals that of a net whose running statistics are the batch's", () => {
    const trained = model.parameters.map(({ name }) => lookup(weights)(name));
    const penaltyGradients = (pass: Pass): Float64Array[] => {
      const penalty = sum(abs(jacobian(model.apply(x, pass), x)));
      return interpret(gradient(penalty, trained), { batch, values: { ...values, ...statistics } }).map(
        ({ data }) => data,
      );
    };
    const updates = new Map<string, Node>();
    model.apply(x, { ...passOf(true), update: (name, next) => void updates.set(name, next) });
    // running ← 0.9·running + 0.1·batch, so the batch's own statistics can be read off the update.
    const statistics = Object.fromEntries(
      [...updates].map(([name, next]) => {
        const [moved] = interpret([next], { batch, values });
        const before = values[name]?.data ?? new Float64Array();
        const own = moved?.data.map(
          (v, i) => (v - Math.fround(0.9) * (before[i] ?? NaN)) / Math.fround(1 - 0.9),
        );
        return [name, { shape: [before.length], data: own ?? before }] as const;
      }),
    );
    expect(updates.size).toBe(2);
    const [held, running] = [
      penaltyGradients({ ...passOf(true), statisticsHeld: true }),
      penaltyGradients(passOf(false)),
    ];
    held.forEach((g, i) => g.forEach((v, j) => expect(v).toBeCloseTo(running[i]?.[j] ?? NaN, 8)));
  });

  it("equals, row by row, one gradient per output", () => {
    const logits = model.apply(x, passOf(false));
    const rows = jacobian(logits, x);
    const [all] = interpret([rows], { batch, values });
    for (let k = 0; k < 3; k++) {
      const mask = input("mask", [B, 3]);
      const [single] = gradient(logits, [x], { cotangent: mask });
      const oneHot = Float64Array.from({ length: batch * 3 }, (_, i) => (i % 3 === k ? 1 : 0));
      const [row] = interpret(single ? [single] : [], {
        batch,
        values: { ...values, mask: { shape: [batch, 3], data: oneHot } },
      });
      const size = batch * 64;
      row?.data.forEach((value, i) => expect(all?.data[k * size + i]).toBeCloseTo(value, 12));
    }
  });
});
