// Layers composed of layers: what they are called, what they hold, and that they compute what they say.
import { describe, expect, it } from "vitest";
import { B, count } from "../../src/base/shape.js";
import { floats } from "../../src/base/tensor.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input, type Node } from "../../src/graph/node.js";
import { exportClassifier, lookup, weightInputs } from "../../src/nn/classifier.js";
import { importClassifier } from "../../src/nn/imported.js";
import {
  activation,
  batchNorm,
  convolution,
  dense,
  flatten,
  globalAveragePooling,
  residual,
  type Layer,
} from "../../src/nn/layers/index.js";
import { evaluationPass, type Model, type Pass } from "../../src/nn/model.js";
import { preactResnet } from "../../src/nn/architectures/preact-resnet.js";
import { sequential } from "../../src/nn/sequential.js";
import { mul } from "../../src/ops/arithmetic.js";

const conv = (filters: number, stride = 1): Layer => convolution(filters, 3, { padding: 1, stride });
const widening = residual([conv(4, 2), activation("relu"), conv(4)], [convolution(4, 1, { stride: 2 })], {
  before: [batchNorm(), activation("relu")],
});
const network = (): Model =>
  sequential("net", [2, 4, 4], [widening, residual([conv(4)]), globalAveragePooling(), dense(3)]);

function valueOf(model: Model, wrap: (x: Node) => Node = (x) => x): Float64Array {
  const x = input("x", [B, ...model.inputShape]);
  const nodes = weightInputs(model);
  const values = Object.entries(model.initialize(1)).map(
    ([name, value]) => [name, toArray64(value)] as const,
  );
  const size = count(model.inputShape);
  const image = floats(
    [1, ...model.inputShape],
    Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
  );
  const logits = wrap(model.apply(x, evaluationPass(lookup(nodes))));
  const [result] = interpret([logits], {
    batch: 1,
    values: { x: toArray64(image), ...Object.fromEntries(values) },
  });
  return result?.data ?? new Float64Array();
}

describe("residual", () => {
  it("names its parts behind its own name, body and what is before it with one count", () => {
    const { parameters, buffers, sites } = network();
    expect(parameters.map(({ name }) => name)).toEqual([
      "block1.batchnorm1.scale",
      "block1.batchnorm1.shift",
      "block1.conv1.weight",
      "block1.conv1.bias",
      "block1.conv2.weight",
      "block1.conv2.bias",
      "block1.shortcut.conv1.weight",
      "block1.shortcut.conv1.bias",
      "block2.conv1.weight",
      "block2.conv1.bias",
      "dense1.weight",
      "dense1.bias",
    ]);
    expect(buffers.map(({ name }) => name)).toEqual(["block1.batchnorm1.mean", "block1.batchnorm1.variance"]);
    expect(sites).toEqual(["block1.relu1", "block1.relu2"]);
  });

  it("lists its parts with their shapes", () => {
    const [block, , pooled] = network().layers ?? [];
    expect(block?.parts?.map(({ name, outputShape }) => [name, ...outputShape])).toContainEqual([
      "block1.shortcut.conv1",
      4,
      2,
      2,
    ]);
    expect([pooled?.name, pooled?.outputShape]).toEqual(["globalaverage1", [4]]);
  });

  it("without a shortcut adds its input", () => {
    const twice = sequential("twice", [3], [residual([])]);
    const once = sequential("once", [3], []);
    expect(valueOf(twice)).toEqual(valueOf(once, (x) => mul(2, x)));
  });

  it("keeps the names of its sites through a file", () => {
    const model = network();
    const file = exportClassifier({ model, weights: model.initialize(1), bounds: [0, 1] });
    const { sites, parameters } = importClassifier(file).classifier.model;
    expect(sites).toEqual(model.sites);
    expect(parameters.filter(({ trainable }) => trainable).map(({ name }) => name)).toEqual(
      expect.arrayContaining(model.parameters.map(({ name }) => name)),
    );
  });

  it("refuses branches of different shapes", () => {
    expect(() => sequential("net", [2, 4, 4], [residual([conv(4)]), flatten()])).toThrow(
      "block1: expected a shortcut to [4, 4, 4], got [2, 4, 4]",
    );
  });
});

describe("globalAveragePooling", () => {
  it("is the mean over all spatial axes", () => {
    const pooled = valueOf(sequential("net", [2, 3, 4], [globalAveragePooling()]));
    const means = [0, 1].map((channel) => {
      const values = Array.from({ length: 12 }, (_, i) => Math.fround(Math.sin(12 * channel + i)));
      return values.reduce((a, b) => a + b, 0) / 12;
    });
    pooled.forEach((value, i) => expect(value).toBeCloseTo(means[i] ?? NaN, 6));
  });

  it("refuses flat inputs", () => {
    expect(() => sequential("net", [3], [globalAveragePooling()])).toThrow(
      "globalaverage1: expected an input [channels, …spatial], got [3]",
    );
  });
});

describe("stochastic depth", () => {
  const layers = (granularity: "batch" | "sample") =>
    residual([dense(2)], [], { survival: { probability: 0.25, granularity } }).build("block1", [2]);

  /** Outputs of two rows [1, 2] with the identity as body, in training with these draws. */
  function trained(granularity: "batch" | "sample", draws: readonly number[]): number[] {
    const values: Record<string, ReturnType<typeof toArray64>> = {
      "block1.dense1.weight": toArray64(floats([2, 2], Float32Array.of(1, 0, 0, 1))),
      "block1.dense1.bias": toArray64(floats([2], new Float32Array(2))),
      x: toArray64(floats([2, 2], Float32Array.of(1, 2, 1, 2))),
      draws: toArray64(floats([2, 1], Float32Array.from(draws))),
    };
    const pass: Pass = {
      ...evaluationPass((name) => input(name, name.endsWith("bias") ? [2] : [2, 2])),
      training: true,
      noise: {
        draw: ({ name, p }) => {
          expect([name, p]).toEqual(["block1.survival", 0.25]);
          return input("draws", [B, 1]);
        },
      },
    };
    const [result] = interpret([layers(granularity).apply(input("x", [B, 2]), pass)], { batch: 2, values });
    return [...(result?.data ?? [])];
  }

  it("keeps or drops the body of each sample, or of the whole batch by its first", () => {
    expect(trained("sample", [1, 0])).toEqual([2, 4, 1, 2]);
    expect(trained("batch", [1, 0])).toEqual([2, 4, 2, 4]);
    expect(trained("batch", [0, 1])).toEqual([1, 2, 1, 2]);
  });

  it("takes the body's average in evaluation", () => {
    const x = input("x", [B, 2]);
    const pass = evaluationPass((name) => input(name, name.endsWith("bias") ? [2] : [2, 2]));
    const [result] = interpret([layers("batch").apply(x, pass)], {
      batch: 1,
      values: {
        "block1.dense1.weight": toArray64(floats([2, 2], Float32Array.of(1, 0, 0, 1))),
        "block1.dense1.bias": toArray64(floats([2], new Float32Array(2))),
        x: toArray64(floats([1, 2], Float32Array.of(1, 2))),
      },
    });
    expect([...(result?.data ?? [])]).toEqual([1.25, 2.5]);
  });
});

describe("preact-resnet", () => {
  const sites = (lastBatchNorm: boolean): readonly string[] =>
    preactResnet({ blocks: [1, 1], filters: 2, lastBatchNorm })({ inputShape: [1, 4, 4], classes: 2 }).sites;

  it("has a site behind its last block, by an activation or by the sum itself", () => {
    expect(sites(false)).toEqual(["block1.relu1", "block1.relu2", "block2.relu1", "block2.relu2", "block2"]);
    expect(sites(true).at(-1)).toBe("relu1");
  });
});
