// The peer jax-js: one jitted step on its wasm backend. Arrays are consumed by use; `.ref` keeps them.
import { blockUntilReady, defaultDevice, grad, init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { productValues, versionOf } from "./peers.mjs";

const kept = (layers) => layers.map(({ weight, bias }) => ({ weight: weight.ref, bias: bias.ref }));

const logits = (layers, x) =>
  layers.reduce((h, { weight, bias }, i) => {
    const sum = np.matmul(h, weight).add(bias);
    return i < layers.length - 1 ? nn.relu(sum) : sum;
  }, x);

/** Σ of the batch's cross-entropies times `scale`. */
const lossOf = (scale) => (layers, x, targets) =>
  nn.logSoftmax(logits(layers, x)).mul(targets).sum().mul(-scale);

const abpStep = ({ batch, epsilon, learningRate }) =>
  jit((layers, x, targets) => {
    const g = grad(lossOf(1), { argnums: 1 })(kept(layers), x.ref, targets.ref);
    const z = x.add(np.sign(g).mul(epsilon));
    const [loss, slopes] = valueAndGrad(lossOf(1 / batch))(kept(layers), z, targets);
    const next = layers.map(({ weight, bias }, i) => ({
      weight: weight.sub(slopes[i].weight.mul(learningRate)),
      bias: bias.sub(slopes[i].bias.mul(learningRate)),
    }));
    return [loss, next];
  });

function load(task) {
  const { sizes, batch, batches } = task;
  const step = abpStep(task);
  let layers = task.layers.map(({ weight, bias }, i) => ({
    weight: np.array(weight.slice()).reshape([sizes[i], sizes[i + 1]]),
    bias: np.array(bias.slice()),
  }));

  const data = Array.from({ length: batches }, (_, i) => {
    const x = task.inputs.slice(i * batch * sizes[0], (i + 1) * batch * sizes[0]);
    const labels = task.labels.slice(i * batch, (i + 1) * batch);
    const targets = nn.oneHot(np.array(labels, { dtype: np.int32 }), sizes.at(-1));
    return { x: np.array(x).reshape([batch, sizes[0]]), targets };
  });
  let next = 0;
  const once = () => {
    const { x, targets } = data[next++ % batches];
    const [loss, moved] = step(layers, x.ref, targets.ref);
    layers = moved;
    return loss;
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
      await blockUntilReady(layers);
      return performance.now() - begun;
    },
    close: () => {
      for (const held of [...layers, ...data]) for (const array of Object.values(held)) array.dispose();
      step.dispose();
    },
  };
}

function product(size) {
  const [a, b] = [0, 1].map(() => np.array(productValues(size)).reshape([size, size]));
  return {
    steps: async (count) => {
      const begun = performance.now();
      for (let i = 0; i < count; i++) {
        const c = np.matmul(a.ref, b.ref);
        await c.blockUntilReady();
        c.dispose();
      }
      return performance.now() - begun;
    },
    close: () => {
      a.dispose();
      b.dispose();
    },
  };
}

export async function open() {
  await init("wasm");
  defaultDevice("wasm");
  return {
    name: "jax-js",
    version: versionOf("@jax-js/jax"),
    // It starts workers only where `Worker` is global, as it is in browsers.
    threads: typeof Worker === "undefined" ? 1 : navigator.hardwareConcurrency,
    how: "wasm backend, the whole step under jit",
    load,
    product,
    close: () => undefined,
  };
}
