// What is measured: adversarial back-propagation (ABP) on 784-800-800-10, the same numbers for everybody.
import { randomStream } from "../dist/base/random.js";
import { mlp } from "../dist/nn/architectures/mlp.js";

export const sizes = [784, 800, 800, 10];
export const classes = 10;
export const epsilon = 0.08;
export const learningRate = 0.1;
export const imageShape = [1, 28, 28];
export const seed = 0;

export const model = mlp({ hidden: sizes.slice(1, -1) })({ inputShape: imageShape, classes });
export const weights = model.initialize(seed);

/** Images and labels as many as MNIST's, with about as many pixels that are not 0: a fifth. Labels are random. */
export function syntheticSplit(count) {
  const stream = randomStream(seed, "bench");
  const images = new Uint8Array(count * sizes[0]);
  const words = new Uint32Array(sizes[0]);
  const labels = new Uint8Array(count);
  for (let sample = 0; sample < count; sample++) {
    stream.words(words, { sample });
    words.forEach((word, i) => (images[sample * sizes[0] + i] = word % 5 === 0 ? word >>> 24 : 0));
    labels[sample] = (words[0] >>> 8) % classes;
  }
  return { images, labels, count };
}

/** Batches that peers hold in memory and go round: their loader costs nothing. */
const heldBatches = 8;

/**
 * The task for peers: weights [inputs, units] and biases of each layer, float32 inputs [batches · batch, 784] in
 * [0, 1], int32 labels. One step: z = x + ε·sign ∂E(x)/∂x, then one step of SGD down the mean loss at z.
 */
export function taskFor(batch) {
  const split = syntheticSplit(heldBatches * batch);
  return {
    sizes,
    batch,
    batches: heldBatches,
    epsilon,
    learningRate,
    layers: sizes.slice(1).map((_, i) => ({
      weight: weights[`dense${i + 1}.weight`].data,
      bias: weights[`dense${i + 1}.bias`].data,
    })),
    inputs: Float32Array.from(split.images, (byte) => byte / 255),
    labels: Int32Array.from(split.labels),
    split,
  };
}
