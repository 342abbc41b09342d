// The fully connected layer.
import { check } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";
import { add } from "../../ops/arithmetic.js";
import { matmul } from "../../ops/matmul.js";
import type { InitializerName } from "../initializers.js";
import { drawn, filled, plain, type Layer } from "./layer.js";

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
