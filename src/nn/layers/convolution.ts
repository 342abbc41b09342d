// The convolutional layer.
import { add } from "../../ops/arithmetic.js";
import { conv } from "../../ops/conv.js";
import { reshape } from "../../ops/reshape.js";
import type { Parameter } from "../model.js";
import type { DenseOptions } from "./dense.js";
import { drawn, filled, plain, type Layer } from "./layer.js";
import { windowOver, type Padding } from "./window.js";

export interface ConvOptions extends DenseOptions {
  readonly stride?: number;
  readonly padding?: Padding;
  readonly bias?: boolean;
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
