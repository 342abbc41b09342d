// Pooling: the largest or the mean value of windows, and the mean of whole images.
import { check } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";
import { averagePool } from "../../ops/average-pool.js";
import { maxPool } from "../../ops/max-pool.js";
import { mean } from "../../ops/size.js";
import { plain, type Layer } from "./layer.js";
import { windowOver, type Padding } from "./window.js";

export interface PoolOptions {
  readonly stride?: number;
  readonly padding?: Padding;
}

const pooling =
  (kind: string, pool: typeof maxPool | typeof averagePool) =>
  (kernel: number, options: PoolOptions = {}): Layer => ({
    kind,
    build(name, inputShape) {
      const { stride = kernel, padding: mode = "valid" } = options;
      const { channels, out, pads } = windowOver(name, inputShape, kernel, stride, mode);
      return {
        ...plain,
        outputShape: [channels, ...out],
        apply: (x) => pool(x, { kernel: [kernel, kernel], strides: [stride, stride], pads }),
      };
    },
  });

/** Largest value in each square window. */
export const maxPooling = pooling("maxpool", maxPool);
/** Mean of each square window (padding not counted). */
export const averagePooling = pooling("averagepool", averagePool);

/** Mean over all spatial axes: [n, channels, …spatial] → [n, channels]. */
export const globalAveragePooling = (): Layer => ({
  kind: "globalaverage",
  build(name, inputShape) {
    const [channels = 0, ...spatial] = inputShape;
    check(spatial.length > 0, name, "an input [channels, …spatial]", () => formatShape(inputShape));
    return {
      ...plain,
      outputShape: [channels],
      apply: (x) => mean(x, { axes: spatial.map((_, i) => i + 2) }),
    };
  },
});
