// Dropout (Srivastava et al. 2014).
import { check } from "../../base/errors.js";
import { mul } from "../../ops/arithmetic.js";
import { plain, type Layer } from "./layer.js";

/** Sets each value to 0 with probability `rate` and divides the rest by 1 − rate. */
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

/** Dropout where `rate` is above 0, else no layer. */
export const dropped = (rate = 0): Layer[] => (rate > 0 ? [dropout(rate)] : []);
