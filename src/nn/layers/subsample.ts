// The shortcut without parameters (He et al. 2016, option A): every other pixel, and channels of zeros.
import { check } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";
import { averagePool } from "../../ops/average-pool.js";
import { pad } from "../../ops/structure.js";
import { plain, type Layer } from "./layer.js";
import { windowOver } from "./window.js";

/** Keeps one pixel in `stride`×`stride` and adds channels of zeros behind: [c, h, w] → [channels, ⌈h/stride⌉, ⌈w/stride⌉]. */
export const subsample = (channels: number, stride: number): Layer => ({
  kind: "subsample",
  build(name, inputShape) {
    const { channels: from, out, pads } = windowOver(name, inputShape, 1, stride, "valid");
    check(from <= channels, name, `at most ${channels} channels`, () => formatShape(inputShape));
    return {
      ...plain,
      outputShape: [channels, ...out],
      apply: (x) => {
        const kept = averagePool(x, { kernel: [1, 1], strides: [stride, stride], pads });
        return from === channels ? kept : pad(kept, [0, 0, 0, 0], [0, channels - from, 0, 0]);
      },
    };
  },
});
