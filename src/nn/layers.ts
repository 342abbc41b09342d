// Layers: each knows its parameters and output shape once its input shape is known, and builds its graph.
import { check, fail } from "../base/errors.js";
import { count, formatShape } from "../base/shape.js";
import { floats, type Tensor } from "../base/tensor.js";
import { constant, type Node } from "../graph/node.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { sigmoid, tanh } from "../ops/activation.js";
import { averagePool } from "../ops/average-pool.js";
import { conv } from "../ops/conv.js";
import { sqrt } from "../ops/exponential.js";
import { matmul } from "../ops/matmul.js";
import { maxPool } from "../ops/max-pool.js";
import { relu } from "../ops/piecewise.js";
import { reshape } from "../ops/reshape.js";
import { mean, size } from "../ops/size.js";
import { stopGradient } from "../ops/stop-gradient.js";
import { fansOf, initializers, type InitializerName } from "./initializers.js";
import type { Buffer, Parameter, Pass } from "./model.js";

/** A layer for a known input shape. */
export interface BuiltLayer {
  readonly outputShape: readonly number[];
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Buffer[];
  /** Whether the output is a hidden activation where noise may be put. */
  readonly isSite: boolean;
  initialize(seed: number): Readonly<Record<string, Tensor>>;
  apply(x: Node, pass: Pass): Node;
}

export interface Layer {
  /** What the layer is called, with a running number, in parameter names: `dense1.weight`. */
  readonly kind: string;
  build(name: string, inputShape: readonly number[]): BuiltLayer;
}

const plain = {
  parameters: [],
  buffers: [],
  isSite: false,
  initialize: () => ({}),
} as const;

const filled = (shape: readonly number[], value: number): Tensor =>
  floats(shape, new Float32Array(count(shape)).fill(value));

function drawn(initializer: InitializerName, shape: readonly number[], seed: number, name: string): Tensor {
  const out = new Float32Array(count(shape));
  initializers[initializer](out, seed, name, fansOf(shape));
  return floats(shape, out);
}

export interface DenseOptions {
  readonly initializer?: InitializerName;
}

/** x·W + b: [n, inputs] → [n, units]; W is [inputs, units], b starts at 0. */
export const dense = (units: number, { initializer = "he-normal" }: DenseOptions = {}): Layer => ({
  kind: "dense",
  build(name, inputShape) {
    check(inputShape.length === 1, name, "a flat input", () => formatShape(inputShape));
    const [weight, bias] = [`${name}.weight`, `${name}.bias`];
    const shape = [inputShape[0] ?? 0, units];
    return {
      ...plain,
      outputShape: [units],
      parameters: [
        { name: weight, shape, role: "weight", trainable: true },
        { name: bias, shape: [units], role: "bias", trainable: true },
      ],
      initialize: (seed) => ({
        [weight]: drawn(initializer, shape, seed, weight),
        [bias]: filled([units], 0),
      }),
      apply: (x, pass) => add(matmul(x, pass.value(weight)), pass.value(bias)),
    };
  },
});

export interface ConvOptions extends DenseOptions {
  readonly stride?: number;
  /** `same`: ⌈size / stride⌉, the odd row of zeros at the end; `valid`: none; a number: that many each side. */
  readonly padding?: "same" | "valid" | number;
  readonly bias?: boolean;
}

/** Zeros [before, after] along one axis of `size`. */
function padding(
  mode: "same" | "valid" | number,
  size: number,
  kernel: number,
  stride: number,
): [number, number] {
  if (typeof mode === "number") return [mode, mode];
  if (mode === "valid") return [0, 0];
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Padding [top, left, bottom, right] and output size of a square window over [channels, height, width]. */
function windowOver(
  name: string,
  shape: readonly number[],
  kernel: number,
  stride: number,
  mode: "same" | "valid" | number,
) {
  check(shape.length === 3, name, "an input [channels, height, width]", () => formatShape(shape));
  const [channels = 0, height = 0, width = 0] = shape;
  const [rows, columns] = [padding(mode, height, kernel, stride), padding(mode, width, kernel, stride)];
  const out = [height + rows[0] + rows[1], width + columns[0] + columns[1]].map(
    (size) => Math.floor((size - kernel) / stride) + 1,
  );
  if (out.some((size) => size < 1))
    fail(name, `an input of at least ${kernel}×${kernel}`, formatShape(shape));
  return { channels, out, pads: [rows[0], columns[0], rows[1], columns[1]] };
}

/** Cross-correlation with `filters` square filters: [n, c, h, w] → [n, filters, h′, w′]. */
export const convolution = (filters: number, kernel: number, options: ConvOptions = {}): Layer => ({
  kind: "conv",
  build(name, inputShape) {
    const { stride = 1, padding: mode = "valid", initializer = "he-normal", bias: hasBias = true } = options;
    const { channels, out, pads } = windowOver(name, inputShape, kernel, stride, mode);
    const [weight, bias] = [`${name}.weight`, `${name}.bias`];
    const shape = [filters, channels, kernel, kernel];
    const biases: Parameter[] = hasBias
      ? [{ name: bias, shape: [filters], role: "bias", trainable: true }]
      : [];
    return {
      ...plain,
      outputShape: [filters, ...out],
      parameters: [{ name: weight, shape, role: "weight", trainable: true }, ...biases],
      initialize: (seed) => ({
        [weight]: drawn(initializer, shape, seed, weight),
        ...(hasBias && { [bias]: filled([filters], 0) }),
      }),
      apply: (x, pass) => {
        const y = conv(x, pass.value(weight), { strides: [stride, stride], pads });
        return hasBias ? add(y, reshape(pass.value(bias), [filters, 1, 1])) : y;
      },
    };
  },
});

export interface PoolOptions {
  readonly stride?: number;
  readonly padding?: "same" | "valid" | number;
}

const pooling =
  (kind: string, pool: typeof maxPool | typeof averagePool) =>
  (kernel: number, options: PoolOptions = {}): Layer => ({
    kind,
    build(name, inputShape) {
      const { stride = kernel, padding: mode = "valid" } = options;
      const { channels, out, pads } = windowOver(name, inputShape, kernel, stride, mode);
      return {
        ...plain,
        outputShape: [channels, ...out],
        apply: (x) => pool(x, { kernel: [kernel, kernel], strides: [stride, stride], pads }),
      };
    },
  });

/** Largest value in each square window. */
export const maxPooling = pooling("maxpool", maxPool);
/** Mean of each square window (padding not counted). */
export const averagePooling = pooling("averagepool", averagePool);

export interface BatchNormOptions {
  /** running ← momentum·running + (1 − momentum)·batch; default 0.9. */
  readonly momentum?: number;
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
  /** Variance that the running statistics follow: divided by n (`biased`, default) or n − 1. */
  readonly runningVariance?: "biased" | "unbiased";
}

/** n / (n − 1), n = number of values that each statistic is taken over. */
function besselCorrection(x: Node, axes: readonly number[]): Node {
  const n = size(axes.map((axis) => x.shape[axis] ?? 1));
  return div(n, sub(n, 1));
}

/** (x − μ)/√(σ² + ε)·scale + shift per channel (Ioffe and Szegedy 2015); batch statistics while training. */
export const batchNorm = (options: BatchNormOptions = {}): Layer => ({
  kind: "batchnorm",
  build(name, inputShape) {
    const { momentum = 0.9, epsilon = 1e-5, runningVariance = "biased" } = options;
    const channels = inputShape[0] ?? 0;
    const shape = [channels];
    const spread = [channels, ...inputShape.slice(1).map(() => 1)];
    const axes = [0, ...inputShape.slice(1).map((_, i) => i + 2)];
    const names = {
      scale: `${name}.scale`,
      shift: `${name}.shift`,
      mean: `${name}.mean`,
      variance: `${name}.variance`,
    };
    const running = (pass: Pass, key: "mean" | "variance", batch: Node): void =>
      pass.update(names[key], add(mul(momentum, pass.value(names[key])), mul(1 - momentum, batch)));
    const statistics = (x: Node, pass: Pass): { mu: Node; variance: Node } => {
      const mu = mean(x, { axes, keepDims: true });
      const centred = sub(x, mu);
      const variance = mean(mul(centred, centred), { axes, keepDims: true });
      running(pass, "mean", reshape(mu, shape));
      running(
        pass,
        "variance",
        reshape(runningVariance === "biased" ? variance : mul(variance, besselCorrection(x, axes)), shape),
      );
      return pass.statisticsHeld
        ? { mu: stopGradient(mu), variance: stopGradient(variance) }
        : { mu, variance };
    };
    return {
      ...plain,
      outputShape: inputShape,
      parameters: [
        { name: names.scale, shape, role: "scale", trainable: true },
        { name: names.shift, shape, role: "shift", trainable: true },
      ],
      buffers: [
        { name: names.mean, shape },
        { name: names.variance, shape },
      ],
      initialize: () => ({
        [names.scale]: filled(shape, 1),
        [names.shift]: filled(shape, 0),
        [names.mean]: filled(shape, 0),
        [names.variance]: filled(shape, 1),
      }),
      apply(x, pass) {
        const stored = (key: keyof typeof names): Node => reshape(pass.value(names[key]), spread);
        const { mu, variance } = pass.training
          ? statistics(x, pass)
          : { mu: stored("mean"), variance: stored("variance") };
        const normal = div(sub(x, mu), sqrt(add(variance, epsilon)));
        return add(mul(normal, stored("scale")), stored("shift"));
      },
    };
  },
});

/** Sets each value to 0 with probability `rate` and divides the rest by 1 − rate (Srivastava et al. 2014). */
export const dropout = (rate: number): Layer => {
  check(rate >= 0 && rate < 1, "dropout", "a rate in [0, 1)", () => String(rate));
  return {
    kind: "dropout",
    build: (name, inputShape) => ({
      ...plain,
      outputShape: inputShape,
      apply: (x, pass) => {
        if (!pass.training || rate === 0) return x;
        const kept = pass.noise.draw({ name, shape: x.shape, kind: "bernoulli", p: 1 - rate });
        return mul(mul(x, kept), 1 / (1 - rate));
      },
    }),
  };
};

/** [n, …] → [n, size]. */
export const flatten = (): Layer => ({
  kind: "flatten",
  build: (_, inputShape) => ({
    ...plain,
    outputShape: [count(inputShape)],
    apply: (x) => reshape(x, [x.shape[0] ?? 1, count(inputShape)]),
  }),
});

/** Activations by name. */
export const activations = { relu, tanh, sigmoid } as const;
export type ActivationName = keyof typeof activations;
export const activationNames = Object.keys(activations) as ActivationName[];

/** An activation; its output is a site for noise. */
export const activation = (kind: ActivationName): Layer => ({
  kind,
  build: (_, inputShape) => ({
    ...plain,
    outputShape: inputShape,
    isSite: true,
    apply: (x) => activations[kind](x),
  }),
});

/** (x − mean)/deviation per channel, so that inputs stay in their own units. */
export const normalize = (means: readonly number[], deviations: readonly number[]): Layer => ({
  kind: "normalize",
  build(name, inputShape) {
    const channels = inputShape[0] ?? 0;
    for (const [what, values] of [
      ["means", means],
      ["deviations", deviations],
    ] as const)
      check(values.length === channels, name, `${channels} ${what}`, () => String(values.length));
    const spread = [channels, ...inputShape.slice(1).map(() => 1)];
    return {
      ...plain,
      outputShape: inputShape,
      apply: (x) => div(sub(x, constant(floats(spread, means))), constant(floats(spread, deviations))),
    };
  },
});
