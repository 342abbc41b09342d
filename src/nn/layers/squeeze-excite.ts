// Squeeze and excitation (Hu et al. 2018): channels weighted by what all of them hold on average.
import { mul } from "../../ops/arithmetic.js";
import { reshape } from "../../ops/reshape.js";
import { activation } from "./activation.js";
import { chain, numbered } from "./chain.js";
import { dense } from "./dense.js";
import type { InitializerName } from "../initializers.js";
import type { Layer } from "./layer.js";
import { globalAveragePooling } from "./pooling.js";

export interface SqueezeExciteOptions {
  /** Units between are the channels divided by this; default 16. */
  readonly reduction?: number;
  readonly initializer?: InitializerName;
}

/** x·sigmoid(W₂·relu(W₁·mean(x))), one factor a channel: [c, h, w] → [c, h, w]. */
export const squeezeExcite = ({
  reduction = 16,
  initializer = "he-normal",
}: SqueezeExciteOptions = {}): Layer => ({
  kind: "squeeze",
  build(name, inputShape) {
    const [channels = 1] = inputShape;
    const between = Math.max(1, Math.floor(channels / reduction));
    const layers = [
      globalAveragePooling(),
      dense(between, { initializer }),
      activation("relu"),
      dense(channels, { initializer }),
      activation("sigmoid"),
    ];
    const factors = chain(layers, inputShape, numbered(`${name}.`));
    return {
      ...factors,
      outputShape: inputShape,
      apply: (x, pass) => mul(x, reshape(factors.apply(x, pass), [x.shape[0] ?? 1, channels, 1, 1])),
    };
  },
});
