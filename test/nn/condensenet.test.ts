// Learned group convolutions: which channels go and when, and that the condensed form computes the same.
import { afterAll, describe, expect, it } from "vitest";
import { checkDerivatives } from "../../src/autodiff/check.js";
import { gradient } from "../../src/autodiff/gradient.js";
import { B, count } from "../../src/base/shape.js";
import { floats, type Tensor } from "../../src/base/tensor.js";
import { loadCheckpoint, saveCheckpoint } from "../../src/defenses/checkpoint.js";
import { standard } from "../../src/defenses/index.js";
import { Interrupted } from "../../src/defenses/train.js";
import type { TrainingState } from "../../src/defenses/training-state.js";
import { graphFunction } from "../../src/graph/function.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input, type InputNode } from "../../src/graph/node.js";
import type { Array64 } from "../../src/graph/op.js";
import { condensenet } from "../../src/nn/architectures/condensenet.js";
import { exportClassifier, lookup, weightInputs } from "../../src/nn/classifier.js";
import { importClassifier } from "../../src/nn/imported.js";
import { condensed, keptAt } from "../../src/nn/layers/condensing.js";
import { deployed, evaluationPass, type Classifier, type Weights } from "../../src/nn/model.js";
import { importGraph } from "../../src/onnx/import.js";
import { simplify } from "../../src/graph/simplify.js";
import { exportFunction } from "../../src/onnx/export.js";
import { mul } from "../../src/ops/arithmetic.js";
import { sum } from "../../src/ops/reduce.js";
import { sgd } from "../../src/optim/index.js";
import { localEngine } from "../../src/runtime/engine.js";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toyShape } from "../support/toy-data.js";
import { toyStep, trainToy } from "../support/toy-training.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

describe("channels that are left", () => {
  it("fall in factor − 1 equal steps until half of the epochs are over", () => {
    const kept = Array.from({ length: 300 }, (_, epoch) => keptAt((epoch + 1) / 300, 16, 4));
    const changes = kept.flatMap((now, i) => (now === (kept[i - 1] ?? 16) ? [] : [[i + 1, now]]));
    expect(changes).toEqual([
      [50, 12],
      [100, 8],
      [150, 4],
    ]);
    expect([0.49, 0.5, 1].map((progress) => keptAt(progress, 10, 2))).toEqual([10, 5, 5]);
    expect(keptAt(1, 10, 1)).toBe(10);
  });

  it("are those with the largest L1 norm over their group's filters, of equal ones the last", () => {
    // Filters 0 and 2 are of group 0, filters 1 and 3 of group 1.
    const rows = [
      [1, -3, 0, 2],
      [0, 0, 5, 1],
      [-2, 1, 0, -1],
      [4, 0, -1, 1],
    ];
    const weight = floats([4, 4, 1, 1], Float32Array.from(rows.flat()));
    const all = floats([2, 4], new Float32Array(8).fill(1));
    const after = (mask: Tensor, kept: number): number[] =>
      Array.from(condensed(mask, weight, kept).data, Number);
    expect(after(all, 4)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(after(all, 3)).toEqual([1, 1, 0, 1, 1, 0, 1, 1]);
    expect(after(all, 2)).toEqual([0, 1, 0, 1, 1, 0, 1, 0]);
    const first = floats([2, 4], Float32Array.of(1, 0, 1, 1, 0, 1, 1, 1));
    expect(after(first, 2), "what is gone stays so").toEqual([1, 0, 0, 1, 0, 0, 1, 1]);
    expect(after(condensed(all, weight, 1), 3), "fewer stay as they are").toEqual([0, 1, 0, 0, 0, 0, 1, 0]);
  });
});

const options = {
  ...{ stages: [2, 1], growth: [3, 3], bottleneck: 2, groups: 3, denseFactor: 3 },
  activation: "tanh" as const,
};
const model = condensenet(options)({ inputShape: [1, 6, 6], classes: 4 });
const start = model.initialize(3);
const after = (progress: number): Weights => ({ ...start, ...model.betweenEpochs?.(start, progress) });

function prepared({ model: of, weights }: Pick<Classifier, "model" | "weights">) {
  const x = input("input", [B, ...of.inputShape]);
  const nodes = weightInputs(of);
  const logits = of.apply(x, evaluationPass(lookup(nodes)));
  const image = Float32Array.from({ length: 2 * count(of.inputShape) }, (_, i) => Math.sin(i));
  const images = floats([2, ...of.inputShape], image);
  const all = Object.entries(weights).map(([name, value]) => [name, toArray64(value)] as const);
  const values: Record<string, Array64> = { input: toArray64(images), ...Object.fromEntries(all) };
  return { x, nodes, logits, values, images };
}

const logitsOf = (classifier: Pick<Classifier, "model" | "weights">): number[] => {
  const { logits, values } = prepared(classifier);
  return Array.from(interpret([logits], { batch: 2, values })[0]?.data ?? []);
};

describe.each([0, 0.25, 0.5])("condensenet after %d of the epochs", (progress) => {
  const weights = progress === 0 ? start : after(progress);
  const whole = { model, weights, bounds: [0, 1] as const };
  const form = deployed(whole);

  it("computes the same condensed, in float64 and as a file", async () => {
    const expected = logitsOf(whole);
    expect(logitsOf(form)).toEqual(expected.map((value) => expect.closeTo(value, 9) as number));
    const program = await engine.load(exportClassifier(whole));
    const { logits } = await program.run({ input: prepared(form).images });
    await program.release();
    expect(Array.from(logits?.data ?? [], Number)).toEqual(
      expected.map((value) => expect.closeTo(value, 4) as number),
    );
  });

  it("has derivatives in the condensed form that equal finite differences, first and second order", () => {
    const { x, nodes, logits, values } = prepared(form);
    for (const { error } of checkDerivatives(logits, [x, ...nodes.values()], { batch: 2, values }))
      expect(error).toBeLessThan(1e-4);
  });

  it("has the same gradient at its input as a file as in float64", async () => {
    const { x, logits, nodes, values, images } = prepared(form);
    const [slope] = gradient(sum(mul(logits, logits)), [x]);
    if (slope === undefined) return expect.unreachable();
    const fn = simplify(graphFunction("slope", [x, ...nodes.values()], { slope }));
    const program = await engine.load(exportFunction(fn, { weights: form.weights }));
    const result = await program.run({ input: images });
    await program.release();
    const [expected] = interpret([slope], { batch: 2, values });
    expect(Array.from(result["slope"]?.data ?? [], Number)).toEqual(
      Array.from(expected?.data ?? [], (value) => expect.closeTo(value, 3) as number),
    );
  });

  it("reads what is left of the channels, group by group", () => {
    const left = 1 - Math.floor(4 * progress + 0.5) / 3;
    const { parameters } = form.model;
    const grouped = parameters.flatMap(({ name, shape }) => (name.endsWith("grouped") ? [shape[1]] : []));
    expect(grouped.slice(0, 3)).toEqual([6, 9, 12].map((channels) => Math.round(channels * left)));
    expect(form.model.buffers.filter(({ name }) => name.endsWith("mask"))).toEqual([]);
  });
});

describe("the condensed file", () => {
  const file = exportClassifier({ model, weights: after(1), bounds: [0, 1] });

  it("holds an index layer, a group convolution and a shuffle for each learned one", () => {
    const { nodes } = importGraph(file);
    const operators = nodes.map(({ operator }) => operator);
    // The last layer has one group: no shuffle.
    expect(operators.filter((name) => name === "Gather")).toHaveLength(4);
    expect(operators.filter((name) => name === "Transpose")).toHaveLength(3);
  });

  it("goes on training its own weights", () => {
    const { parameters } = importClassifier(file).classifier.model;
    const grouped = parameters.filter(({ name }) => name.endsWith("grouped"));
    expect(grouped.map(({ role, trainable }) => [role, trainable])).toEqual(
      Array.from({ length: 4 }, () => ["weight", true]),
    );
  });
});

describe("the group lasso", () => {
  const lambda = 0.25;
  const shrinking = condensenet({ ...options, groupLasso: lambda })({ inputShape: toyShape, classes: 4 });
  const { loop } = toyStep(standard(), { model: shrinking, pixels: "float32" });
  const valuesOf = (weights: Weights): Record<string, Array64> => {
    const pixels = Float64Array.from({ length: 3 * 36 }, (_, i) => Math.sin(i) ** 2);
    const known = Object.entries(weights).map(([name, value]) => [name, toArray64(value)] as const);
    return {
      ...Object.fromEntries(known),
      inputs: { shape: [3, ...toyShape], data: pixels },
      labels: { shape: [3], data: Float64Array.of(1, 0, 3) },
    };
  };
  const termOf = (weights: Weights): number => {
    const node = loop.outputs["groupLasso"];
    return (node && interpret([node], { batch: 3, values: valuesOf(weights) })[0]?.data[0]) ?? NaN;
  };
  /** λ·Σ √Σᵢ wᵢ² over the layers, groups and channels that are left; at least √1e-6 each. */
  const expected = (weights: Weights): number =>
    shrinking.buffers.reduce((total, { name }) => {
      const [mask, weight] = [weights[name], weights[name.replace(/mask$/, "weight")]];
      if (!name.endsWith("mask") || !mask || !weight) return total;
      const [groups = 0, channels = 0] = mask.shape;
      for (let g = 0; g < groups; g++)
        for (let c = 0; c < channels; c++) {
          const squares = Array.from({ length: Number(weight.shape[0]) }, (_, f) =>
            f % groups === g ? Number(weight.data[f * channels + c]) ** 2 : 0,
          ).reduce((a, b) => a + b, 0);
          const isKept = Number(mask.data[g * channels + c]) === 1;
          total += lambda * Math.sqrt(Math.max(1e-6, isKept ? squares : 0));
        }
      return total;
    }, 0);

  it("is the norms of each group's weights for each channel, until all channels to go are gone", () => {
    const at = (progress: number): Weights => ({ ...start, ...shrinking.betweenEpochs?.(start, progress) });
    expect(termOf(start)).toBeCloseTo(expected(start), 7);
    expect(termOf(at(0.25))).toBeCloseTo(expected(at(0.25)), 7);
    expect(termOf(at(0.5))).toBe(0);
  });

  it("is part of a loss whose derivatives equal finite differences, first and second order", () => {
    const { loss } = loop.outputs;
    const isMoved = ({ name }: InputNode): boolean => shrinking.parameters.some((each) => each.name === name);
    const sources = loop.carried.flatMap(({ input: node }) => (isMoved(node) ? [node] : []));
    if (loss === undefined) return expect.unreachable();
    for (const { error } of checkDerivatives(loss, sources, { batch: 3, values: valuesOf(start) }))
      expect(error).toBeLessThan(1e-4);
  });
});

describe("training condensenet", () => {
  const toy = condensenet({ ...options, stages: [1], growth: [3] })({ inputShape: toyShape, classes: 4 });
  const training = { model: toy, epochs: 4, optimizer: sgd({ momentum: 0.9 }), count: 40 };
  const left = ({ tensors }: TrainingState): number[] =>
    Object.entries(tensors).flatMap(([name, { shape, data }]) =>
      name.endsWith("mask") ? [Array.from(data, Number).reduce((a, b) => a + b, 0) / count(shape)] : [],
    );

  it("drops channels as it goes; stopped anywhere and continued = never stopped", async () => {
    const folder = await mkdtemp(join(tmpdir(), "temper-condense-"));
    const whole = await trainToy(standard(), training);
    expect(left(whole)).toEqual(left(whole).map(() => expect.closeTo(1 / 3, 12) as number));
    const seen: number[] = [];
    let state: TrainingState | null = null;
    for (let done: TrainingState | null = null; done === null;) {
      const stop = new AbortController();
      done = await trainToy(standard(), training, {
        ...(state && { state }),
        signal: stop.signal,
        onProgress: () => stop.abort(),
        save: (current) => saveCheckpoint(folder, "identity", current),
      }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Interrupted);
        return null;
      });
      if (done) expect(done.tensors).toEqual(whole.tensors);
      state = await loadCheckpoint(folder, "identity");
      if (state) seen.push(Math.round(100 * (left(state)[0] ?? NaN)));
    }
    await rm(folder, { recursive: true });
    expect([...new Set(seen)]).toEqual([67, 33]);
  });
});
