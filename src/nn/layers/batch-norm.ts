// Batch normalization (Ioffe and Szegedy 2015).
import type { Node } from "../../graph/node.js";
import { add, div, mul, sub } from "../../ops/arithmetic.js";
import { sqrt } from "../../ops/exponential.js";
import { reshape } from "../../ops/reshape.js";
import { mean, size } from "../../ops/size.js";
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
