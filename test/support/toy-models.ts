// Classifiers small enough to know everything about.
import { randomStream } from "../../src/base/random.js";
import type { NoiseRequest } from "../../src/base/noise.js";
import { B, count } from "../../src/base/shape.js";
import { floats, type Tensor } from "../../src/base/tensor.js";
import type { Node } from "../../src/graph/node.js";
import type { Classifier, Model, Parameter } from "../../src/nn/model.js";
import { add, mul } from "../../src/ops/arithmetic.js";
import { matmul } from "../../src/ops/matmul.js";
import { relu } from "../../src/ops/piecewise.js";
import { reshape } from "../../src/ops/reshape.js";

export type Bounds = readonly [low: number, high: number];

const parameter = (name: string, shape: readonly number[]): Parameter => ({
  name,
  shape,
  role: "weight",
  trainable: true,
});

/** Normal numbers times `scale`, by name. */
function drawWeights(model: Model, seed: number, scale = 1): Record<string, Tensor> {
  return Object.fromEntries(
    model.parameters.map(({ name, shape }) => {
      const data = new Float32Array(count(shape));
      randomStream(seed, name).normal(data, { sample: 0 });
      return [
        name,
        floats(
          shape,
          data.map((x) => (x * scale) / Math.sqrt(shape[0] ?? 1)),
        ),
      ];
    }),
  );
}

/** A dense network with ReLU between layers of the given widths; `[d, classes]` is linear. */
function denseModel(inputShape: readonly number[], widths: readonly number[]): Model {
  const sizes = [count(inputShape), ...widths];
  const parameters = widths.flatMap((width, i) => [
    parameter(`w${i}`, [sizes[i] ?? 1, width]),
    parameter(`b${i}`, [width]),
  ]);
  const model: Model = {
    name: "dense",
    inputShape,
    classes: widths.at(-1) ?? 1,
    parameters,
    buffers: [],
    sites: [],
    initialize: (seed) => drawWeights(model, seed),
    apply: (x, pass) =>
      widths.reduce<Node>(
        (h, _, i) => {
          const z = add(matmul(h, pass.value(`w${i}`)), pass.value(`b${i}`));
          return i < widths.length - 1 ? relu(z) : z;
        },
        reshape(x, [x.shape[0] ?? 1, count(inputShape)]),
      ),
  };
  return model;
}

/** z = x·w + b with w [d, classes] given by columns: one list of d numbers for each class. */
export function linearClassifier(
  columns: readonly (readonly number[])[],
  bias: readonly number[],
  bounds: Bounds,
): Classifier {
  const d = columns[0]?.length ?? 0;
  const w = Float32Array.from({ length: d * columns.length }, (_, i) => {
    return columns[i % columns.length]?.[Math.floor(i / columns.length)] ?? 0;
  });
  const model = denseModel([d], [columns.length]);
  return {
    model,
    weights: { w0: floats([d, columns.length], w), b0: floats([columns.length], bias) },
    bounds,
  };
}

/** A ReLU network with drawn weights. */
export function mlpClassifier(
  inputShape: readonly number[],
  widths: readonly number[],
  { seed = 1, scale = 2, bounds = [0, 1] }: { seed?: number; scale?: number; bounds?: Bounds } = {},
): Classifier {
  const model = denseModel(inputShape, widths);
  return { model, weights: drawWeights(model, seed, scale), bounds };
}

/** `rows` points uniform in the bounds. */
export function uniformPoints(rows: number, { model, bounds }: Classifier, seed = 5): Float32Array {
  const points = new Float32Array(rows * count(model.inputShape));
  randomStream(seed, "points").uniform(points, { sample: 0 }, bounds);
  return points;
}

/** The classifier behind Gaussian noise of its inputs and a mask of its logits, both drawn anew each time. */
export function randomized(classifier: Classifier, sigma: number): Classifier {
  const { model } = classifier;
  const draws: NoiseRequest[] = [
    { name: "shake/x", shape: [B, ...model.inputShape], kind: "normal" },
    { name: "keep", shape: [B, model.classes], kind: "bernoulli", p: 0.9 },
  ];
  const [shake, keep] = draws;
  const apply: Model["apply"] = (x, pass) => {
    const drawn = (request: NoiseRequest | undefined, [rows = B]: Node["shape"]): Node => {
      if (request === undefined) throw new Error("no request");
      return pass.noise.draw({ ...request, shape: [rows, ...request.shape.slice(1)] });
    };
    const logits = model.apply(add(x, mul(drawn(shake, x.shape), sigma)), pass);
    return mul(logits, add(0.5, drawn(keep, logits.shape)));
  };
  return { ...classifier, model: { ...model, draws, apply } };
}
