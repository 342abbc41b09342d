// The decoder of capsules (Sabour, Frosst and Hinton 2017, section 4.1): the image, rebuilt from one class's capsule.
import { mul, sub } from "../../ops/arithmetic.js";
import { oneHot } from "../../ops/indexing.js";
import { sum } from "../../ops/reduce.js";
import { reshape } from "../../ops/reshape.js";
import type { InitializerName } from "../initializers.js";
import { activation, type ActivationName } from "./activation.js";
import { chain, numbered } from "./chain.js";
import { dense } from "./dense.js";
import type { Layer } from "./layer.js";

export interface ReconstructionOptions {
  /** Of the squared error beside the loss. */
  readonly weight: number;
  /** Units of the hidden layers. */
  readonly hidden: readonly number[];
  /** After each hidden layer. */
  readonly activation: ActivationName;
  readonly initializer: InitializerName;
}

/**
 * Passes capsules [n, classes, d] on. Where a loss is minimised, x̂ = decoder(v ⊙ one-hot(true class)), dense layers with a
 * sigmoid at the end, and weight·Σ(x̂ − x)² over the `values` of each image is added to it as `reconstruction`. The
 * decoder's activations are no sites.
 */
export const reconstruction = (values: number, options: ReconstructionOptions): Layer => ({
  kind: "decoder",
  build(name, inputShape) {
    const [classes = 0, dimension = 0] = inputShape;
    const { weight, initializer } = options;
    const hidden = options.hidden.flatMap((units) => [
      dense(units, { initializer }),
      activation(options.activation),
    ]);
    const layers = [...hidden, dense(values, { initializer }), activation("sigmoid")];
    const decoder = chain(layers, [classes * dimension], numbered(`${name}.`));
    return {
      ...decoder,
      sites: [],
      outputShape: inputShape,
      apply: (v, pass) => {
        const { loss } = pass;
        if (!loss) return v;
        const n = v.shape[0] ?? 1;
        const chosen = mul(v, reshape(oneHot(loss.labels, classes), [n, classes, 1]));
        const flat = reshape(chosen, [n, classes * dimension]);
        const rebuilt = decoder.apply(flat, { ...pass, site: (_, activation) => activation });
        const difference = sub(rebuilt, reshape(loss.inputs, [n, values]));
        loss.add("reconstruction", mul(weight, sum(mul(difference, difference), { axes: [-1] })));
        return v;
      },
    };
  },
});
