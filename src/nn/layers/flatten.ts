// Images as vectors.
import { count } from "../../base/shape.js";
import { reshape } from "../../ops/reshape.js";
import { plain, type Layer } from "./layer.js";

/** [n, …] → [n, size]. */
export const flatten = (): Layer => ({
  kind: "flatten",
  build: (_, inputShape) => ({
    ...plain,
    outputShape: [count(inputShape)],
    apply: (x) => reshape(x, [x.shape[0] ?? 1, count(inputShape)]),
  }),
});
