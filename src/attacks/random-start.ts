// Random points to begin from.
import { randomStream } from "../base/random.js";
import { floatsOf, type AttackBatch, type AttackTarget } from "./attack.js";

/** Random points of the balls, clipped to the box; keyed by sample and `round`. */
export function randomPoints(
  { inputs, indices, epsilon, seed, labels }: AttackBatch,
  { threat, classifier }: AttackTarget,
  round: number,
): Float32Array {
  const start = floatsOf(inputs).slice();
  const { bounds } = classifier;
  const [low, high] = bounds;
  const stream = randomStream(seed, "attack-start");
  const noise = new Float32Array(start.length / labels.length);
  for (let row = 0; row < labels.length; row++) {
    const from = row * noise.length;
    const center = start.subarray(from, from + noise.length);
    threat.randomStart(stream, { sample: indices[row] ?? 0, round }, { center, epsilon, bounds }, noise);
    noise.forEach((shift, i) => {
      start[from + i] = Math.min(Math.max((start[from + i] ?? 0) + shift, low), high);
    });
  }
  return start;
}
