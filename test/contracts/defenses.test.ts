// The defence contract: every defence the registry exports is held to it by existing.
import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/base/tensor.js";
import { compose } from "../../src/defenses/compose.js";
import type { DefenseUnit } from "../../src/defenses/defense.js";
import * as registry from "../../src/defenses/index.js";
import { initialState } from "../../src/defenses/training-state.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import type { Array64 } from "../../src/graph/op.js";
import { activation, dense, flatten } from "../../src/nn/layers/index.js";
import { sequential } from "../../src/nn/sequential.js";
import { sgd } from "../../src/optim/index.js";
import { toyShape, toySplit } from "../support/toy-data.js";
import { toyStep, trainToy } from "../support/toy-training.js";

// The neutral options differ by defence; each factory checks its own.
const defenses = Object.entries(registry as Record<string, DefenseUnit>);

const bytesOf = (tensors: Readonly<Record<string, Tensor>>): Record<string, number[]> =>
  Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, Array.from(data, Number)]));

/** A smooth network, so that finite differences see what the rules say. */
const smooth = sequential("smooth", toyShape, [flatten(), dense(6), activation("tanh"), dense(4)]);

/** Values of every input of a training step on four toy images, in float64. */
function stepValues(step: ReturnType<typeof toyStep>, scale = 1): Record<string, Array64> {
  const split = toySplit(4);
  const weights = smooth.initialize(0);
  const state = initialState(step, weights, split).tensors;
  const values: Record<string, Array64> = {};
  for (const [name, value] of Object.entries(state)) {
    const array = toArray64(value);
    values[name] = name in weights ? { ...array, data: array.data.map((x) => x * scale) } : array;
  }
  for (const [name, value] of Object.entries(step.scalars(0)))
    values[name] = { shape: [], data: Float64Array.of(value) };
  values["learningRate"] = { shape: [], data: Float64Array.of(1) };
  const factor = step.movesInputs ? 1 / 255 : 1;
  const pixels = { shape: [4, 1, 6, 6], data: Float64Array.from(split.images, (x) => x * factor) };
  values["inputs"] = pixels;
  values["originals"] = { ...pixels, data: Float64Array.from(split.images) };
  values["labels"] = { shape: [4], data: Float64Array.from(split.labels) };
  for (const { input, request } of step.noise) {
    const shape = request.shape.map((d) => (typeof d === "number" ? d : d.batch * 4 + d.plus));
    const size = shape.reduce((a, b) => a * b, 1);
    values[input.name] = { shape, data: Float64Array.from({ length: size }, (_, i) => (i * 7) % 2) };
  }
  return values;
}

describe.each(defenses)("%s", (name, unit) => {
  it("with its neutral options is standard training, bit for bit", async () => {
    const [plain, neutral] = [await trainToy(registry.standard()), await trainToy(unit(unit.neutral))];
    expect(bytesOf(neutral.tensors)).toEqual(bytesOf(plain.tensors));
    expect(neutral.history.map((epoch) => epoch.metrics["loss"])).toEqual(
      plain.history.map((epoch) => epoch.metrics["loss"]),
    );
  });

  it("is deterministic, and another seed gives other weights", async () => {
    const [a, b] = [await trainToy(unit()), await trainToy(unit())];
    expect(bytesOf(a.tensors)).toEqual(bytesOf(b.tensors));
    const other = await trainToy(unit(), { seed: 1 });
    expect(bytesOf(other.tensors)).not.toEqual(bytesOf(a.tensors));
  });

  it("with its default options differs from standard training", async () => {
    if (name === "standard") return expect(unit.neutral).toEqual({});
    const [plain, defended] = [await trainToy(registry.standard()), await trainToy(unit())];
    expect(bytesOf(defended.tensors)).not.toEqual(bytesOf(plain.tensors));
  });

  it("moves weights along the gradient of its loss (finite differences)", () => {
    const step = toyStep(unit(), { model: smooth, optimizer: sgd() });
    const values = stepValues(step);
    const loss = step.loop.outputs["loss"];
    const weights = step.loop.carried.filter(({ input }) => input.name.endsWith("weight"));
    if (loss === undefined) return expect.unreachable();
    // With SGD at rate 1 the step is minus the gradient.
    const next = interpret(
      weights.map((state) => state.next),
      { batch: 4, values },
    );
    weights.forEach(({ input }, i) => {
      const before = values[input.name];
      if (before === undefined) return expect.unreachable();
      for (const at of [0, 7, 11]) {
        const lossAt = (h: number): number => {
          const data = before.data.map((x, j) => (j === at ? x + h : x));
          return (
            interpret([loss], { batch: 4, values: { ...values, [input.name]: { ...before, data } } })[0]
              ?.data[0] ?? NaN
          );
        };
        const numeric = (lossAt(1e-6) - lossAt(-1e-6)) / 2e-6;
        const analytic = (before.data[at] ?? NaN) - (next[i]?.data[at] ?? NaN);
        expect(Math.abs(analytic - numeric)).toBeLessThan(1e-5 * Math.max(1, Math.abs(numeric)));
      }
    });
  });

  it.each([1e3, -1e3])("has a finite loss with weights × %d", (scale) => {
    const step = toyStep(unit(), { model: smooth });
    const values = stepValues(step, scale);
    const loss = step.loop.outputs["loss"];
    expect(loss && Number.isFinite(interpret([loss], { batch: 4, values })[0]?.data[0])).toBe(true);
  });

  it("composes with the others", async () => {
    const others = defenses.filter(([other]) => other !== name).map(([, make]) => make());
    const movable = unit().movesInputs
      ? others
      : others.filter((other, i) => !other.movesInputs || i === others.findIndex((o) => o.movesInputs));
    const state = await trainToy(compose([unit(), ...movable]), { epochs: 1, labelSmoothing: 0.1 });
    expect(Number.isFinite(state.history[0]?.metrics["loss"])).toBe(true);
  });
});
