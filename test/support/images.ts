// Images to disturb: smooth shapes, grain and an edge, different for every index.
import { randomStream } from "../../src/base/random.js";

export type ImageShape = readonly [channels: number, height: number, width: number];

/** [count, channels, height, width] in [0, 1]. */
export function shapes(count: number, [channels, height, width]: ImageShape): Float32Array {
  const size = channels * height * width;
  const out = new Float32Array(count * size);
  for (let image = 0; image < count; image++) {
    const grain = new Float32Array(size);
    const at = new Float32Array(4);
    randomStream(0, "grain").uniform(grain, { sample: image }, [-0.06, 0.06]);
    randomStream(0, "shape").uniform(at, { sample: image });
    const [cy = 0, cx = 0, frequency = 0, tone = 0] = at;
    for (let i = 0; i < size; i++) {
      const channel = Math.floor(i / (height * width));
      const [y, x] = [(Math.floor(i / width) % height) / height, (i % width) / width];
      const wave = Math.sin((8 + 12 * frequency) * (x + channel / 5) + 7 * y * tone);
      const disk = Math.hypot(y - cy, x - cx) < 0.3 ? 0.35 - 0.15 * channel : 0;
      out[image * size + i] = Math.min(1, Math.max(0, 0.4 + 0.25 * wave + disk + (grain[i] ?? 0)));
    }
  }
  return out;
}
