// Augmentations as training runs them, and as graphs in float64.
import { gradient } from "../../src/autodiff/gradient.js";
import { augmented, type Augmentation, type Bounds } from "../../src/augmentations/augmentation.js";
import { randomStream } from "../../src/base/random.js";
import type { NoiseRequest } from "../../src/base/noise.js";
import { B, resolveShape } from "../../src/base/shape.js";
import type { ImageShape, Split } from "../../src/data/dataset.js";
import type { Defense } from "../../src/defenses/defense.js";
import { buildTrainStep } from "../../src/defenses/train-step.js";
import { train } from "../../src/defenses/train.js";
import { initialState } from "../../src/defenses/training-state.js";
import { interpret } from "../../src/graph/interpret.js";
import { input, type InputNode } from "../../src/graph/node.js";
import type { Array64 } from "../../src/graph/op.js";
import { dense, flatten } from "../../src/nn/layers/index.js";
import { sequential } from "../../src/nn/sequential.js";
import { mul } from "../../src/ops/arithmetic.js";
import { sum } from "../../src/ops/reduce.js";
import { sgd } from "../../src/optim/index.js";
import { localEngine } from "../../src/runtime/engine.js";
import { shapes } from "./images.js";

/** `count` images of soft shapes as bytes. */
export const imageSplit = (count: number, shape: ImageShape): Split => ({
  images: Uint8Array.from(shapes(count, shape), (value) => Math.round(value * 255)),
  labels: new Uint8Array(count),
  count,
});

/** Keeps what the model would have seen in the place of the stored inputs. */
const recorder: Defense = {
  movesInputs: true,
  wrap: (objective) => (batch, context) => ({
    ...objective(batch, context),
    storedInputs: context.augmented,
  }),
};

export interface AugmentedOptions {
  readonly epoch?: number;
  readonly batchSize?: number;
  readonly seed?: number;
}

/** The images of `split` as training sees them in `epoch`, in the order of the split. */
export async function augmentedImages(
  augmentation: readonly Augmentation[],
  split: Split,
  imageShape: ImageShape,
  { epoch = 0, batchSize = 16, seed = 0 }: AugmentedOptions = {},
): Promise<Float32Array> {
  const model = sequential("linear", imageShape, [flatten(), dense(2)]);
  const step = buildTrainStep({
    model,
    defense: recorder,
    optimizer: sgd(),
    loss: "softmax-cross-entropy",
    labelSmoothing: 0,
    bounds: [0, 1],
    pixels: "float32",
    augmentation,
  });
  const state = { ...initialState(step, model.initialize(0), split), epoch };
  const options = { split, imageShape, epochs: epoch + 1, batchSize, seed, schedule: 0, state };
  const { stored } = await train({
    engine: localEngine({ threads: 1 }),
    step,
    name: "augmented",
    ...options,
  });
  return stored ?? new Float32Array();
}

interface LinearMap {
  readonly apply: (images: Float64Array) => Float64Array;
  readonly transposed: (images: Float64Array, weights: Float64Array) => Float64Array;
  /** What was drawn, by name. */
  readonly noise: Readonly<Record<string, Array64>>;
}

/** y = Ax + b for `batch` images of values without bounds and one draw of noise, and Aᵀw, as functions in float64. */
export function asLinearMap(
  augmentation: Augmentation,
  imageShape: ImageShape,
  batch: number,
  bounds: Bounds = [-Infinity, Infinity],
): LinearMap {
  const [x, w] = [input("x", [B, ...imageShape]), input("w", [B, ...imageShape])];
  const drawn: { request: NoiseRequest; node: InputNode }[] = [];
  const source = {
    draw: (request: NoiseRequest) => {
      const node = input(`noise/${request.name}`, request.shape);
      drawn.push({ request, node });
      return node;
    },
  };
  const y = augmented([augmentation], x, () => source, bounds);
  const [g = x] = gradient(sum(mul(y, w)), [x]);
  const noise = drawn.map(({ request, node }): [string, Array64] => {
    const shape = resolveShape(request.shape, batch);
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    randomStream(3, node.name).uniform(values, { sample: 0 });
    const isBit = request.kind === "bernoulli";
    return [
      node.name,
      { shape, data: Float64Array.from(values, (u) => (isBit ? Number(u < (request.p ?? 0.5)) : u)) },
    ];
  });
  const run = (node: typeof y, values: Readonly<Record<string, Float64Array>>): Float64Array => {
    const images = Object.entries(values).map(
      ([name, data]) => [name, { shape: [batch, ...imageShape], data }] as const,
    );
    const [result] = interpret([node], {
      batch,
      values: { ...Object.fromEntries(noise), ...Object.fromEntries(images) },
    });
    return result?.data ?? new Float64Array();
  };
  return {
    apply: (images: Float64Array) => run(y, { x: images }),
    transposed: (images: Float64Array, weights: Float64Array) => run(g, { x: images, w: weights }),
    noise: Object.fromEntries(noise),
  };
}
