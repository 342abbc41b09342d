// The shortcut without parameters (He et al. 2016, option A): every other pixel, and channels of zeros.
import { check } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";
import { pad, slice } from "../../ops/structure.js";
import { plain, type Layer } from "./layer.js";
import { windowOver } from "./window.js";

/**
 * Keeps one pixel in `stride`×`stride`, from `offset` on in both directions (zeros where the image has ended), and adds channels of zeros behind: [c, h, w] → [channels, ⌈h/stride⌉, ⌈w/stride⌉].
 */
export const subsample = (channels: number, stride: number, offset = 0): Layer => ({
  kind: "subsample",
  build(name, inputShape) {
    const { channels: from, out } = windowOver(name, inputShape, 1, stride, "valid");
    check(from <= channels, name, `at most ${channels} channels`, () => formatShape(inputShape));
    return {
      ...plain,
      outputShape: [channels, ...out],
      apply: (x) => {
        const rest = inputShape.slice(1);
        const [starts, steps] = [
          [offset, offset],
          [stride, stride],
        ];
        const kept = slice(x, { axes: [2, 3], starts, ends: rest, steps });
        const missing = out.map((side, i) => side - Math.ceil(((rest[i] ?? 0) - offset) / stride));
        return pad(kept, [0, 0, 0, 0], [0, channels - from, ...missing]);
      },
    };
  },
});
