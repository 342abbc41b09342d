// The exact Jacobian penalty in groups of rows: the same step, whatever the groups.
import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/base/random.js";
import { toNumbers } from "../../src/base/tensor.js";
import * as defenses from "../../src/defenses/index.js";
import { interpret } from "../../src/graph/interpret.js";
import type { Array64 } from "../../src/graph/op.js";
import { mlp } from "../../src/nn/architectures/mlp.js";
import { sgd } from "../../src/optim/index.js";
import { toyShape } from "../support/toy-data.js";
import { toyStep } from "../support/toy-training.js";

const batch = 3;
const model = mlp({ hidden: [7], activation: "tanh" })({ inputShape: toyShape, classes: 4 });
const penalty = defenses["jacobian-penalty"];

/** The state after one step from the same weights and inputs. */
function after(options: Parameters<typeof penalty>[0]): readonly number[] {
  const step = toyStep(penalty(options), { model, pixels: "float32", optimizer: sgd({}) });
  const inputs = new Float32Array(batch * 36);
  randomStream(0, "x").uniform(inputs, { sample: 0 }, [0, 1]);
  const weights = Object.entries(model.initialize(0)).map(([name, value]): [string, Array64] => [
    name,
    { shape: value.shape, data: toNumbers(value) },
  ]);
  const numbers = { learningRate: 0.1, step: 0, ...step.scalars(0) };
  const values: Record<string, Array64> = {
    ...Object.fromEntries(weights),
    ...Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [name, { shape: [], data: Float64Array.of(value) }]),
    ),
    inputs: { shape: [batch, ...toyShape], data: Float64Array.from(inputs) },
    labels: { shape: [batch], data: Float64Array.of(2, 0, 3) },
  };
  return interpret(
    step.loop.carried.map((state) => state.next),
    { batch, values },
  ).flatMap(({ data }) => [...data]);
}

describe("the rows of the exact Jacobian penalty", () => {
  it("give the same step in one group, in two and one by one", () => {
    const together = after({ lambda: 3 });
    for (const rowsAtOnce of [3, 1])
      after({ lambda: 3, rowsAtOnce }).forEach((value, i) =>
        expect(value).toBeCloseTo(together[i] ?? NaN, 12),
      );
    expect(together).not.toEqual(after({ lambda: 0 }));
  });

  it("are at most 100 unless asked for", () => {
    const wide = mlp({ hidden: [] })({ inputShape: toyShape, classes: 101 });
    const step = (manyOutputs: boolean) => () => toyStep(penalty({ manyOutputs }), { model: wide });
    expect(step(false)).toThrow(
      "jacobian-penalty: expected at most 100 outputs for the exact form, got 101 (allowed: the summed form, or manyOutputs: true)",
    );
    expect(step(true)).not.toThrow();
  });
});
