// Hidden activations: counted as by hand, whatever the batches, at sites that keep their names through files.
import { afterAll, describe, expect, it } from "vitest";
import { measureActivations, type ActivationOptions } from "../../src/evaluation/activations.js";
import { floats } from "../../src/base/tensor.js";
import { pixelData, type EvaluationData } from "../../src/evaluation/data.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { importClassifier } from "../../src/nn/imported.js";
import { activation, dense, flatten } from "../../src/nn/layers/index.js";
import type { ActivationName } from "../../src/nn/layers/activation.js";
import type { Classifier } from "../../src/nn/model.js";
import { sequential } from "../../src/nn/sequential.js";
import { localEngine } from "../../src/runtime/engine.js";
import { toySplit } from "../support/toy-data.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

/** flatten – (dense – activation) of each width – dense, with drawn weights. */
function network(kind: ActivationName, widths: readonly number[], inputs = 36): Classifier {
  const hidden = widths.flatMap((width) => [dense(width), activation(kind)]);
  const model = sequential("toy", [1, 1, inputs], [flatten(), ...hidden, dense(4)]);
  return { model, weights: model.initialize(3), bounds: [0, 1] };
}

/** A network of one hidden layer that answers to the image x, one pixel, with weight·x + bias of each unit. */
function hidden(kind: ActivationName, weight: number[], bias: number[]): Classifier {
  const { model, weights, ...rest } = network(kind, [weight.length], 1);
  const ofHidden = (role: string, shape: number[], values: number[]) => {
    const { name = "" } = model.parameters.find((each) => each.role === role) ?? {};
    return { [name]: floats(shape, Float32Array.from(values)) };
  };
  const { shape = [] } = model.parameters.find(({ role }) => role === "weight") ?? {};
  return {
    ...rest,
    model,
    weights: {
      ...weights,
      ...ofHidden("weight", [...shape], weight),
      ...ofHidden("bias", [bias.length], bias),
    },
  };
}

const { images, labels } = toySplit(50);
const data = pixelData(images, labels, 36);
const pixels = (...values: number[]): EvaluationData => ({
  count: values.length,
  labels: values.map(() => 0),
  rows: (indices) => Float32Array.from(indices, (i) => values[i] ?? NaN),
});
const measure = (classifier: Classifier, of = data, options: Partial<ActivationOptions> = {}) =>
  measureActivations(classifier, of, { engine, ...options });

/** Bins with something in them, by their end nearer to zero. */
function filled(counts: readonly number[]): Record<string, number> {
  const names = counts.map((_, i) => (i < 10 ? `-${(9 - i) / 10}` : `+${(i - 10) / 10}`));
  return Object.fromEntries(
    counts.flatMap((count, i) => (count > 0 ? [[names[i] ?? "", count] as const] : [])),
  );
}

describe("measureActivations", () => {
  it("counts zeros, bins and what lies beyond them", async () => {
    const { all, sites, n, bins } = await measure(
      hidden("relu", [1, -1, 0, 8, 0], [0, 0, 0.5, 0, 0]),
      pixels(0, 0.25, 0.5, 1),
    );
    expect({ n, bins }).toEqual({ n: 4, bins: { low: -1, high: 5, width: 0.1 } });
    expect(all).toMatchObject({ units: 5, zeros: 10 / 20, below: 0, above: 1 });
    expect(all?.mean).toBeCloseTo((1.75 + 2 + 14) / 20, 6);
    // 0.25, 0.5, 1; four times 0.5; 2, 4, and 8 beyond: bins are closed at the end away from zero.
    expect(filled(all?.counts ?? [])).toEqual({ "+0.2": 1, "+0.4": 5, "+0.9": 1, "+1.9": 1, "+3.9": 1 });
    expect(sites).toEqual([{ site: "relu1", ...all }]);
  });

  it("puts saturated units of either sign into the outermost bins within ±1", async () => {
    const { all } = await measure(hidden("tanh", [0, 0, 0], [40, -40, -0.05]), pixels(0, 1));
    expect(all?.counts).toHaveLength(60);
    expect(filled(all?.counts ?? [])).toEqual({ "-0.9": 2, "-0": 2, "+0.9": 2 });
    expect(all).toMatchObject({ zeros: 0, below: 0, above: 0 });
  });

  it("takes every number once, at each site and over all of them", async () => {
    const { all, sites } = await measure(network("relu", [20, 12]));
    expect(sites.map(({ site, units }) => [site, units])).toEqual([
      ["relu1", 20],
      ["relu2", 12],
    ]);
    const numbers = ({ units, zeros, counts, above, below }: (typeof sites)[number]): number[] => [
      Math.round(zeros * 50 * units) + counts.reduce((a, b) => a + b, above + below),
      50 * units,
    ];
    for (const site of sites) expect(numbers(site)[0]).toBe(numbers(site)[1]);
    const zeros = sites.reduce((total, each) => total + each.zeros * each.units, 0) / 32;
    expect(all?.zeros).toBeCloseTo(zeros, 12);
    expect(all?.counts).toEqual(sites[0]?.counts.map((count, i) => count + (sites[1]?.counts[i] ?? 0)));
    expect(zeros).toBeGreaterThan(0.1);
  });

  it("is the same in batches of any size, and of the first images alone theirs", async () => {
    const classifier = network("sigmoid", [20, 12]);
    const whole = await measure(classifier);
    for (const batchSize of [1, 7, 49]) expect(await measure(classifier, data, { batchSize })).toEqual(whole);
    const first = pixelData(images.subarray(0, 36 * 9), labels.subarray(0, 9), 36);
    expect(await measure(classifier, data, { limit: 9 })).toEqual(await measure(classifier, first));
  });

  it("finds the sites of an exported file under their names", async () => {
    const classifier = network("relu", [20, 12]);
    const file = importClassifier(exportClassifier(classifier)).classifier;
    expect(await measure(file)).toEqual(await measure(classifier));
  });

  it("has nothing to say of networks without hidden units, and no mean of what is not a number", async () => {
    expect(await measure(network("relu", []))).toEqual({
      n: 50,
      bins: { low: -1, high: 5, width: 0.1 },
      sites: [],
    });
    const { all } = await measure(hidden("relu", [Infinity, 1], [0, 0]), pixels(0, 1));
    expect(all).toMatchObject({ zeros: 1 / 4, mean: null, above: 1 });
  });

  it("reports its progress and stops where it is told to", async () => {
    const seen: unknown[] = [];
    await measure(network("relu", [3]), data, {
      batchSize: 30,
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen).toEqual([
      { doing: "activations", done: 30, total: 50 },
      { doing: "activations", done: 50, total: 50 },
    ]);
    await expect(measure(network("relu", [3]), data, { signal: AbortSignal.abort() })).rejects.toThrow(
      "abort",
    );
  });
});
