// L2 terms on chosen layers and bounds on incoming weights: what one step does with them, and nothing where they are 0.
import { describe, expect, it } from "vitest";
import { compose } from "../../src/defenses/compose.js";
import * as defenses from "../../src/defenses/index.js";
import type { TrainingState } from "../../src/defenses/training-state.js";
import { activation, batchNorm, convolution, dense, flatten } from "../../src/nn/layers/index.js";
import type { Model, Weights } from "../../src/nn/model.js";
import { sequential } from "../../src/nn/sequential.js";
import { exportLoop } from "../../src/onnx/export.js";
import { sgd } from "../../src/optim/index.js";
import { toyShape } from "../support/toy-data.js";
import { toyStep, trainToy, type ToyOptions } from "../support/toy-training.js";

const model = (): Model =>
  sequential("small", toyShape, [convolution(3, 3), batchNorm(), activation("tanh"), flatten(), dense(4)]);
/** Weights of which some units exceed the bound and some do not; biases that are not 0. */
const start = (): Weights =>
  Object.fromEntries(
    Object.entries(model().initialize(0)).map(([name, value]) => [
      name,
      { ...value, data: Float32Array.from(Array.from(value.data, Number), (x, i) => x + 0.02 * (i % 3)) },
    ]),
  );
const withWeights = (weights: Weights): Model => ({ ...model(), initialize: () => weights });

const rate = 0.5;
const oneStep = (
  options: ToyOptions,
  defense = defenses.standard(),
  weights = start(),
): Promise<TrainingState> =>
  trainToy(
    defense,
    { epochs: 1, count: 16, optimizer: sgd(), model: withWeights(weights), ...options },
    { schedule: rate },
  );
const valuesOf = ({ tensors }: TrainingState, name: string): number[] =>
  Array.from(tensors[name]?.data ?? [], Number);
const names = [
  "conv1.weight",
  "conv1.bias",
  "batchnorm1.scale",
  "batchnorm1.shift",
  "dense1.weight",
  "dense1.bias",
];

describe("weight decay", () => {
  it.each([
    ["all", true, ["conv1.weight", "conv1.bias", "dense1.weight", "dense1.bias"]],
    ["conv", true, ["conv1.weight", "conv1.bias"]],
    ["conv", false, ["conv1.weight"]],
    ["dense", false, ["dense1.weight"]],
  ] as const)(
    "of %s layers, biases %s, adds 2λw to their gradients alone",
    async (layers, biases, decayed) => {
      const plain = await oneStep({});
      const lambda = 0.03;
      const moved = await oneStep({ weightDecay: { lambda, layers, biases } });
      expect(moved.history).toEqual(plain.history);
      const weights = start();
      for (const name of names) {
        const before = Array.from(weights[name]?.data ?? [], Number);
        const share = (decayed as readonly string[]).includes(name) ? 2 * lambda * rate : 0;
        const expected = valuesOf(plain, name).map((x, i) => x - share * (before[i] ?? NaN));
        valuesOf(moved, name).forEach((x, i) => expect(x, name).toBeCloseTo(expected[i] ?? NaN, 6));
      }
    },
  );

  it("asks for layers that are there", () => {
    const step = () =>
      toyStep(defenses.standard(), { weightDecay: { lambda: 1, layers: "conv", biases: true } });
    expect(step).toThrow("weightDecay.layers: expected layers that toy trains, got 'conv'");
  });

  it("of biases asks for a network whose layers are known", () => {
    const { layers: _, ...unknown } = model();
    const step = (biases: boolean) => () =>
      toyStep(defenses.standard(), { model: unknown, weightDecay: { lambda: 1, layers: "conv", biases } });
    expect(step(true)).toThrow(
      "weightDecay.biases: expected false for a model out of a file, unless layers is all, got true",
    );
    expect(step(false)).not.toThrow();
  });
});

const bound = 0.8;

/** The weights with what comes into each unit shortened to the bound. */
function shortened(weights: Weights): Weights {
  const unitOf: Readonly<Record<string, (i: number) => number>> = {
    "conv1.weight": (i) => Math.floor(i / 9),
    "dense1.weight": (i) => i % 4,
  };
  return Object.fromEntries(
    Object.entries(weights).map(([name, value]) => {
      const unit = unitOf[name];
      if (unit === undefined) return [name, value];
      const squares: number[] = [];
      value.data.forEach((x, i) => (squares[unit(i)] = (squares[unit(i)] ?? 0) + Number(x) ** 2));
      expect(Math.max(...squares)).toBeGreaterThan(bound ** 2);
      const factor = (i: number): number => Math.min(1, bound / Math.sqrt(squares[unit(i)] ?? NaN));
      return [
        name,
        { ...value, data: Float32Array.from(Array.from(value.data, Number), (x, i) => x * factor(i)) },
      ];
    }),
  );
}

describe("max-norm", () => {
  const penalty = compose([
    defenses["adversarial-backprop"]({ epsilon: 0.1 }),
    defenses["jacobian-penalty"]({ lambda: 0.1 }),
  ]);
  it.each([
    ["standard training", defenses.standard()],
    ["two backward passes and a second derivative", penalty],
  ])("bounds what comes into each unit before a step of %s", async (_, defense) => {
    const moved = await oneStep({ maxNorm: bound }, defense);
    const expected = await oneStep({}, defense, shortened(start()));
    expect(moved.history[0]?.metrics["loss"]).toBeCloseTo(expected.history[0]?.metrics["loss"] ?? NaN, 5);
    for (const name of names)
      valuesOf(moved, name).forEach((x, i) =>
        expect(x, name).toBeCloseTo(valuesOf(expected, name)[i] ?? NaN, 5),
      );
  });

  it("leaves weights within the bound as they are, to the bit", async () => {
    const free = await oneStep({});
    expect((await oneStep({ maxNorm: 100 })).tensors).toEqual(free.tensors);
  });

  it("asks for units that are known", () => {
    const { layers: _, ...unknown } = model();
    expect(() => toyStep(defenses.standard(), { model: unknown, maxNorm: 1 })).toThrow(
      "maxNorm: expected a network of Temper's, whose units are known, got small out of a file",
    );
  });
});

it("a decay and a bound of 0 are no part of the step", () => {
  const file = (options: ToyOptions): Uint8Array =>
    exportLoop(toyStep(defenses.standard(), options).loop, {});
  const zero = { weightDecay: { lambda: 0, layers: "conv", biases: true }, maxNorm: 0 } as const;
  expect(file(zero)).toEqual(file({}));
});
