// The convolutional layer.
import { check } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";
import { add } from "../../ops/arithmetic.js";
import { conv } from "../../ops/conv.js";
import { reshape } from "../../ops/reshape.js";
import type { Parameter } from "../model.js";
import type { DenseOptions } from "./dense.js";
import { drawn, filled, plain, type Layer } from "./layer.js";
import { sidesOf, windowOver, type Padding, type Size } from "./window.js";

export interface ConvOptions extends DenseOptions {
  readonly stride?: number;
  readonly padding?: Padding;
  readonly bias?: boolean;
  /** Groups of channels that are read apart; as many as channels is a depthwise convolution. Default 1. */
  readonly groups?: number;
}

/** Cross-correlation with `filters` filters: [n, c, h, w] → [n, filters, h′, w′]. */
export const convolution = (filters: number, kernel: Size, options: ConvOptions = {}): Layer => ({
  kind: "conv",
  build(name, inputShape) {
    const { stride = 1, padding: mode = "valid", initializer = "he-normal" } = options;
    const { bias: hasBias = true, groups = 1 } = options;
    const { channels, out, pads } = windowOver(name, inputShape, kernel, stride, mode);
    const [weight, bias] = [`${name}.weight`, `${name}.bias`];
    check(
      channels % groups === 0 && filters % groups === 0,
      name,
      `channels and filters that are multiples of ${groups} groups`,
      () => `${formatShape(inputShape)} and ${filters} filters`,
    );
    const shape = [filters, channels / groups, ...sidesOf(kernel)];
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
        const y = conv(x, pass.value(weight), { strides: [stride, stride], pads, groups });
        return hasBias ? add(y, reshape(pass.value(bias), [filters, 1, 1])) : y;
      },
    };
  },
});
