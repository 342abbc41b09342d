// Batch normalization (Ioffe and Szegedy 2015).
import type { Node } from "../../graph/node.js";
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { sqrt } from "../../ops/exponential.js";
import { reshape } from "../../ops/reshape.js";
import { size } from "../../ops/size.js";
import { moments, standardize } from "../../ops/standardize.js";
import { stopGradient } from "../../ops/stop-gradient.js";
import type { Pass } from "../model.js";
import { filled, plain, type Layer } from "./layer.js";

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

/** (x − μ)/√(σ² + ε)·scale + shift per channel; batch statistics while training. */
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
    /** (x − μ)·r from this batch, whose statistics move the running ones. */
    const normalized = (x: Node, pass: Pass): Node => {
      const { mu, variance } = moments(x, axes);
      const moved = runningVariance === "biased" ? variance : mul(variance, besselCorrection(x, axes));
      running(pass, "mean", reshape(mu, shape));
      running(pass, "variance", reshape(moved, shape));
      return pass.statisticsHeld
        ? mul(sub(x, stopGradient(mu)), div(1, sqrt(add(stopGradient(variance), epsilon))))
        : standardize(x, { axes, epsilon });
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
        if (pass.training) return add(mul(normalized(x, pass), stored("scale")), stored("shift"));
        // One factor and one addend per channel, which ONNX Runtime takes into a convolution before them.
        const factor = div(stored("scale"), sqrt(add(stored("variance"), epsilon)));
        return add(mul(x, factor), sub(stored("shift"), mul(stored("mean"), factor)));
      },
    };
  },
});
