// A small data set that a small network can learn: each class has its own bright quadrant, with noise.
import { randomStream } from "../../src/base/random.js";
import type { ImageShape, Split } from "../../src/data/dataset.js";

export const toyShape: ImageShape = [1, 6, 6];
const toyClasses = 4;

/** `count` images; the same for the same seed. */
export function toySplit(count: number, seed = 0): Split {
  const images = new Uint8Array(count * 36);
  const labels = new Uint8Array(count);
  const noise = new Float32Array(36);
  for (let n = 0; n < count; n++) {
    const label = n % toyClasses;
    labels[n] = label;
    randomStream(seed, "toy").uniform(noise, { sample: n });
    for (let i = 0; i < 36; i++) {
      const [row, column] = [Math.floor(i / 6), i % 6];
      const quadrant = (row < 3 ? 0 : 2) + (column < 3 ? 0 : 1);
      images[n * 36 + i] = Math.floor((noise[i] ?? 0) * 120 + (quadrant === label ? 100 : 0));
    }
  }
  return { images, labels, count };
}
