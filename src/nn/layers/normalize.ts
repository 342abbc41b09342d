// The model's own normalisation of its inputs.
import { check } from "../../base/errors.js";
import { floats } from "../../base/tensor.js";
import { constant } from "../../graph/node.js";
import { div, sub } from "../../ops/arithmetic.js";
import { plain, type Layer } from "./layer.js";

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
