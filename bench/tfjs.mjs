// The peer TensorFlow.js on its wasm backend, eager as its users write it.
import * as tf from "@tensorflow/tfjs";
import { getThreadsCount, setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { productValues, versionOf } from "./peers.mjs";

function load(task) {
  const { sizes, batch, batches, epsilon, learningRate } = task;
  const layers = task.layers.map(({ weight, bias }, i) => ({
    weight: tf.variable(tf.tensor2d(weight.slice(), [sizes[i], sizes[i + 1]])),
    bias: tf.variable(tf.tensor1d(bias.slice())),
  }));
  const logits = (x) =>
    layers.reduce((h, { weight, bias }, i) => {
      const sum = tf.add(tf.matMul(h, weight), bias);
      return i < layers.length - 1 ? tf.relu(sum) : sum;
    }, x);
  const { MEAN, SUM } = tf.Reduction;
  const lossAt = (x, targets, reduction) =>
    tf.losses.softmaxCrossEntropy(targets, logits(x), undefined, undefined, reduction);
  const data = Array.from({ length: batches }, (_, i) =>
    tf.tidy(() => {
      const x = task.inputs.slice(i * batch * sizes[0], (i + 1) * batch * sizes[0]);
      const labels = task.labels.slice(i * batch, (i + 1) * batch);
      const targets = tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), sizes.at(-1)), "float32");
      return { x: tf.tensor2d(x, [batch, sizes[0]]), targets };
    }),
  );
  const optimizer = tf.train.sgd(learningRate);
  let next = 0;
  const once = () =>
    tf.tidy(() => {
      const { x, targets } = data[next++ % batches];
      // Of the sum, not the mean: this backend's sign takes slopes near 1e-7 for 0.
      const g = tf.grad((at) => lossAt(at, targets, SUM))(x);
      const z = tf.add(x, tf.mul(tf.sign(g), epsilon));
      return optimizer.minimize(() => lossAt(z, targets, MEAN), true);
    });
  const close = () => {
    tf.dispose([layers, data]);
    optimizer.dispose();
  };
  return {
    losses: async (count) => {
      const losses = [];
      for (let i = 0; i < count; i++) losses.push((await once().data())[0]);
      return losses;
    },
    steps: async (count) => {
      const begun = performance.now();
      for (let i = 0; i < count; i++) once().dispose();
      await layers[0].weight.data();
      return performance.now() - begun;
    },
    close,
  };
}

function product(size) {
  const [a, b] = [0, 1].map(() => tf.tensor2d(productValues(size), [size, size]));
  return {
    steps: async (count) => {
      const begun = performance.now();
      for (let i = 0; i < count; i++) {
        const c = tf.matMul(a, b);
        await c.data();
        c.dispose();
      }
      return performance.now() - begun;
    },
    close: () => tf.dispose([a, b]),
  };
}

export async function open({ threads }) {
  setThreadsCount(threads);
  await tf.setBackend("wasm");
  await tf.ready();
  return {
    name: "tfjs",
    version: versionOf("@tensorflow/tfjs"),
    // Under Node its wasm backend takes no more than one, whatever it is asked for.
    threads: getThreadsCount(),
    how: "wasm backend with SIMD, eager",
    load,
    product,
    close: () => tf.removeBackend("wasm"),
  };
}
