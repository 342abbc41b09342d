// The architecture contract: every architecture the registry exports is held to it by existing.
import { afterAll, describe, expect, it } from "vitest";
import { checkDerivatives } from "../../src/autodiff/check.js";
import { decodeTensors, encodeTensors } from "../../src/base/safetensors.js";
import type { AnyUnit } from "../../src/base/options.js";
import { randomStream } from "../../src/base/random.js";
import { B, count } from "../../src/base/shape.js";
import { floats } from "../../src/base/tensor.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input } from "../../src/graph/node.js";
import type { Array64 } from "../../src/graph/op.js";
import * as registry from "../../src/nn/architectures/index.js";
import type { Architecture } from "../../src/nn/architectures/architecture.js";
import { exportClassifier, lookup, weightInputs } from "../../src/nn/classifier.js";
import { evaluationPass, type Model } from "../../src/nn/model.js";
import { localEngine } from "../../src/runtime/engine.js";

const architectures = Object.entries(registry as Record<string, AnyUnit<Architecture>>);
const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

/** Options that make each network small enough for the interpreter. */
const tiny: Record<string, unknown> = {
  mlp: { hidden: [7, 5], activation: "tanh" },
  convnet: {
    convolutions: [{ filters: 3, kernel: 3, pool: 2 }],
    hidden: [5],
    activation: "tanh",
    batchNorm: true,
  },
};

const batch = 3;
const imageShape = [1, 8, 8];

function prepared(model: Model) {
  const x = input("input", [B, ...imageShape]);
  const image = new Float32Array(batch * count(imageShape));
  randomStream(0, "image").uniform(image, { sample: 0 });
  const weights = model.initialize(1);
  const nodes = weightInputs(model);
  const logits = model.apply(x, evaluationPass(lookup(nodes)));
  const values: Record<string, Array64> = { input: toArray64(floats([batch, ...imageShape], image)) };
  for (const [name, value] of Object.entries(weights)) values[name] = toArray64(value);
  return { x, image, weights, nodes, logits, values };
}

describe.each(architectures)("%s", (name, make) => {
  const model = make(tiny[name] as never)({ inputShape: imageShape, classes: 4 });

  it("gives logits [batch, classes] and the same in ONNX Runtime as in float64", async () => {
    const { image, weights, logits, values } = prepared(model);
    expect(logits.shape).toEqual([B, 4]);
    const [expected] = interpret([logits], { batch, values });
    const program = await engine.load(exportClassifier({ model, weights, bounds: [0, 1] }));
    const result = await program.run({ input: floats([batch, ...imageShape], image) });
    await program.release();
    const scale = Math.max(...(expected?.data.map(Math.abs) ?? [1]));
    expected?.data.forEach((value, i) =>
      expect(Math.abs(Number(result["logits"]?.data[i]) - value)).toBeLessThan(scale * 1e-5),
    );
  });

  it("has derivatives that equal finite differences, first and second order", () => {
    const { x, nodes, logits, values } = prepared(model);
    for (const { error } of checkDerivatives(logits, [x, ...nodes.values()], { batch, values }))
      expect(error).toBeLessThan(1e-4);
  });

  it("starts from the same weights for the same seed, each parameter and buffer of its shape", () => {
    const [a, b, c] = [model.initialize(1), model.initialize(1), model.initialize(2)];
    expect(a).toEqual(b);
    expect(c).not.toEqual(a);
    for (const { name: key, shape } of [...model.parameters, ...model.buffers])
      expect(a[key]?.shape).toEqual(shape);
  });

  it("keeps its weights byte for byte through a file", () => {
    const weights = model.initialize(1);
    expect(decodeTensors("file", encodeTensors(weights, {})).tensors).toEqual(weights);
  });

  it("refuses an unknown option by name", () => {
    expect(() => make({ widht: 1 } as never)).toThrow(`${name}: unknown option 'widht'`);
  });
});

const parametersOf = (model: Model): number =>
  model.parameters.reduce((total, { shape }) => total + count(shape), 0);
const mnist = { inputShape: [1, 28, 28], classes: 10 };

describe("published sizes", () => {
  it.each([
    ["quickstart's 784-400-400-10", registry.mlp({ hidden: [400, 400] }), 478_410],
    ["L1DB's model C, 512-256-128-10", registry.mlp({ hidden: [512, 256, 128] }), 567_434],
    [
      "SGM's MNIST-DNN, 2500-2000-1500-1000-500-10",
      registry.mlp({ hidden: [2500, 2000, 1500, 1000, 500] }),
      11_972_510,
    ],
    [
      "L1DB's model A",
      registry.convnet({
        convolutions: [
          { filters: 64, kernel: 8, stride: 2, padding: "same" },
          { filters: 128, kernel: 6, stride: 2, padding: "valid" },
          { filters: 128, kernel: 5, padding: "valid" },
        ],
        hidden: [],
      }),
      710_218,
    ],
    [
      "L1DB's model B",
      registry.convnet({
        convolutions: [
          { filters: 128, kernel: 3, padding: "same" },
          { filters: 64, kernel: 3, stride: 2, padding: "valid" },
        ],
        hidden: [128],
      }),
      1_460_938,
    ],
    [
      "SGM's MNIST-CNN with 'same' padding, 64 and 128 filters",
      registry.convnet({
        convolutions: [
          { filters: 64, kernel: 5, pool: 2 },
          { filters: 64, kernel: 5, pool: 2 },
        ],
        hidden: [1024],
      }),
      3_326_666,
    ],
  ])("%s", (_, architecture, expected) => {
    expect(parametersOf(architecture(mnist))).toBe(expected);
  });
});
