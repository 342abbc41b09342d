// CapsNet's decoder: what it adds to the loss, from which capsule, and that only training knows it.
import { describe, expect, it } from "vitest";
import { checkDerivatives } from "../../src/autodiff/check.js";
import { gradient } from "../../src/autodiff/gradient.js";
import { floats, tensor } from "../../src/base/tensor.js";
import { standard } from "../../src/defenses/index.js";
import { buildTrainStep } from "../../src/defenses/train-step.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { constant, input, type InputNode, type Node } from "../../src/graph/node.js";
import type { Array64 } from "../../src/graph/op.js";
import { capsnet } from "../../src/nn/architectures/capsnet.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { importClassifier } from "../../src/nn/imported.js";
import { reconstruction } from "../../src/nn/layers/index.js";
import { evaluationPass, valuesOf, type Model } from "../../src/nn/model.js";
import { sgd } from "../../src/optim/index.js";

const toArray = (shape: readonly number[], data: readonly number[]): Array64 => ({
  shape,
  data: Float64Array.from(data),
});

describe("reconstruction", () => {
  const weight = 0.5;
  const built = reconstruction(2, {
    ...{ weight, hidden: [], activation: "relu", initializer: "he-normal" },
  }).build("decoder1", [2, 3]);
  const names = ["decoder1.dense1.weight", "decoder1.dense1.bias"] as const;
  const nodes = { w: input(names[0], [6, 2]), b: input(names[1], [2]) };
  const [v, x] = [input("v", [2, 2, 3]), input("x", [2, 1, 1, 2])];
  const capsules = [0.1, -0.2, 0.3, 0.4, 0.5, -0.6, 0.7, 0.8, -0.9, 0.2, 0.1, 0.3];
  const w = Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const b: readonly number[] = [0.1, -0.1];
  const images: readonly number[] = [0.2, 0.9, 0.4, 0.3];
  const values = {
    v: toArray([2, 2, 3], capsules),
    x: toArray([2, 1, 1, 2], images),
    [names[0]]: toArray([6, 2], w),
    [names[1]]: toArray([2], b),
  };
  const labels = constant(tensor("int32", [2], Int32Array.of(1, 0)));
  const terms: [string, Node][] = [];
  const pass = {
    ...evaluationPass((name) => (name === names[0] ? nodes.w : nodes.b)),
    loss: { inputs: x, labels, add: (name: string, term: Node) => void terms.push([name, term]) },
  };
  const passed = built.apply(v, pass);
  const [[name, term] = ["", v]] = terms;

  it("passes capsules on and adds weight·Σ(x̂ − x)² of each row, x̂ out of the true class's capsule", () => {
    expect(passed).toBe(v);
    expect(terms).toHaveLength(1);
    expect(name).toBe("reconstruction");
    const expected = [1, 0].map((label, row) =>
      [0, 1].reduce((total, pixel) => {
        const own = capsules.slice(6 * row + 3 * label, 6 * row + 3 * label + 3);
        const sum = own.reduce(
          (z, one, i) => z + one * (w[2 * (3 * label + i) + pixel] ?? NaN),
          b[pixel] ?? NaN,
        );
        return total + weight * (1 / (1 + Math.exp(-sum)) - (images[2 * row + pixel] ?? NaN)) ** 2;
      }, 0),
    );
    const [found] = interpret([term], { batch: 1, values });
    expect(Array.from(found?.data ?? [])).toEqual(
      expected.map((value) => expect.closeTo(value, 12) as number),
    );
  });

  it("moves no other class's capsule", () => {
    const [found] = interpret(gradient(term, [v], { cotangent: constant(floats([2], [1, 1])) }), {
      ...{ batch: 1, values },
    });
    const isMoved = Array.from(found?.data ?? [], (value) => value !== 0);
    expect(isMoved).toEqual([0, 1, 1, 0].flatMap((own) => Array<boolean>(3).fill(own === 1)));
  });

  it("adds nothing where no loss is minimised, and has no sites", () => {
    expect(
      built.apply(
        v,
        evaluationPass(() => nodes.b),
      ),
    ).toBe(v);
    expect(built.sites).toEqual([]);
  });
});

const options = { filters: 2, kernel: 3, primary: 1, dimension: 3, activation: "tanh" } as const;
const images = { inputShape: [1, 8, 8], classes: 4 };
const whole = capsnet({ ...options, reconstruction: 0.01, decoder: [5] })(images);
const encoder = capsnet(options)(images);

/** The training step on three images, and values of its inputs. */
function stepOf(model: Model) {
  const step = buildTrainStep({
    ...{ model, defense: standard(), optimizer: sgd(), loss: "margin", labelSmoothing: 0 },
    ...{ bounds: [0, 1], pixels: "float32" },
  });
  const pixels = Array.from({ length: 3 * 64 }, (_, i) => Math.sin(i) ** 2);
  const weights = Object.entries(whole.initialize(1)).map(([name, value]) => [name, toArray64(value)]);
  const values: Record<string, Array64> = {
    ...(Object.fromEntries(weights) as Record<string, Array64>),
    inputs: toArray([3, 1, 8, 8], pixels),
    labels: toArray([3], [2, 0, 3]),
  };
  return { step, values };
}

const outputOf = (model: Model, name: string): number => {
  const { step, values } = stepOf(model);
  const node = step.loop.outputs[name];
  return (node && interpret([node], { batch: 3, values })[0]?.data[0]) ?? NaN;
};

describe("capsnet with its decoder", () => {
  it("trains on the margin loss and the reconstruction, which is reported", () => {
    const [total, margin, term] = [
      outputOf(whole, "loss"),
      outputOf(encoder, "loss"),
      outputOf(whole, "reconstruction"),
    ];
    expect(term).toBeGreaterThan(0.01);
    expect(total).toBeCloseTo(margin + term, 12);
    expect(outputOf(encoder, "reconstruction")).toBeNaN();
  });

  it("has a loss whose derivatives equal finite differences, first and second order", () => {
    const { step, values } = stepOf(whole);
    const { loss } = step.loop.outputs;
    const sources = step.loop.carried.flatMap(({ input: node }) => (node.name === "step" ? [] : [node]));
    const [x] = step.loop.scanned;
    if (loss === undefined || x === undefined) return expect.unreachable();
    const all: InputNode[] = [x, ...sources];
    for (const { error } of checkDerivatives(loss, all, { batch: 3, values }))
      expect(error).toBeLessThan(1e-5);
  });

  it("with weight 0 is the network without it", () => {
    const { deployed, parameters } = capsnet({ ...options, reconstruction: 0 })(images);
    expect(deployed).toBeUndefined();
    expect(parameters).toEqual(encoder.parameters);
  });

  it("begins with the weights of the network without it, and is exported as that", () => {
    const weights = whole.initialize(1);
    expect(valuesOf(encoder, weights)).toEqual(encoder.initialize(1));
    const bounds = [0, 1] as const;
    const file = exportClassifier({ model: whole, weights, bounds });
    expect(file).toEqual(exportClassifier({ model: encoder, weights: encoder.initialize(1), bounds }));
    const { classifier } = importClassifier(file);
    expect(classifier.model.parameters.filter(({ name }) => name.startsWith("decoder"))).toEqual([]);
    expect(whole.parameters.filter(({ name }) => name.startsWith("decoder"))).toHaveLength(4);
  });
});
