// The peer TensorFlow.js on its wasm backend, eager as its users write it.
import * as tf from "@tensorflow/tfjs";
import { getThreadsCount, setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { withoutDropout } from "../networks.mjs";
import { collect, readTask, serve } from "./serve.mjs";
import { held, logitsOf } from "./tfjs-network.mjs";
import { batchesOf, scaleOf, versionOf } from "./version.mjs";

const { MEAN, SUM } = tf.Reduction;
const lossAt = (logits, targets, reduction) =>
  tf.losses.softmaxCrossEntropy(targets, logits, undefined, undefined, reduction);

/** WAME as an optimizer over variables by name. */
function wame(rate) {
  const slots = new Map();
  const startOf = (name, like) => {
    if (!slots.has(name)) {
      const [last, average, square] = [0, 0, 0].map(() => tf.keep(tf.zerosLike(like)));
      slots.set(name, { last, zeta: tf.keep(tf.onesLike(like)), average, square });
    }
    return slots.get(name);
  };
  const update = ({ variable, name, gradient: g }) => {
    const { last, zeta, average, square } = startOf(name, g);
    const agreement = tf.mul(g, last);
    const shrunk = tf.where(tf.less(agreement, 0), tf.mul(zeta, 0.1), zeta);
    const z = tf.clipByValue(tf.where(tf.greater(agreement, 0), tf.mul(zeta, 1.2), shrunk), 0.01, 100);
    const a = tf.add(tf.mul(average, 0.9), tf.mul(z, 0.1));
    const s = tf.add(tf.mul(square, 0.9), tf.mul(tf.square(g), 0.1));
    variable.assign(tf.sub(variable, tf.div(tf.mul(tf.mul(a, g), rate), tf.add(tf.sqrt(s), 1e-11))));
    slots.set(name, {
      last: tf.keep(tf.clone(g)),
      zeta: tf.keep(z),
      average: tf.keep(a),
      square: tf.keep(s),
    });
    tf.dispose([last, zeta, average, square]);
  };
  return { apply: (gradients) => gradients.forEach(update), dispose: () => tf.dispose([...slots.values()]) };
}

function optimizerOf({ name, rate }) {
  if (name === "wame") return wame(rate);
  const optimizer = name === "adam" ? tf.train.adam(rate, 0.9, 0.999, 1e-8) : tf.train.sgd(rate);
  const named = ({ name: variable, gradient }) => ({ name: variable, tensor: gradient });
  return {
    apply: (gradients) => optimizer.applyGradients(gradients.map(named)),
    dispose: () => optimizer.dispose(),
  };
}

function penaltyAt(logits, x, { form, lambda }) {
  const size = x.size * logits(x).shape[1];
  const column = (choose) => tf.sum(tf.abs(tf.grad((at) => tf.sum(choose(logits(at))))(x)));
  const exact = (i) => column((z) => tf.slice(tf.softmax(z), [0, i], [-1, 1]));
  const parts =
    form === "summed" ? [column((z) => z)] : Array.from({ length: logits(x).shape[1] }, (_, i) => exact(i));
  return tf.mul(tf.addN(parts), lambda / size);
}

function crafted({ x, targets }, logits, { epsilon, doubled }) {
  // Of the sum, not the mean: this backend's sign takes slopes near 1e-7 for 0.
  const g = tf.grad((at) => lossAt(logits(at), targets, SUM))(x);
  const z = tf.add(x, tf.mul(tf.sign(g), epsilon));
  if (!doubled) return { x: z, targets };
  return { x: tf.concat([x, tf.clipByValue(z, 0, 1)]), targets: tf.concat([targets, targets]) };
}

function trainer(task, following) {
  const { network, craft, penalty, inputs: moves } = task;
  const names = task.weights.map((_, i) => `w${i}`);
  const variables = task.weights.map((weight, i) => tf.variable(held(weight), true, names[i]));
  const optimizer = optimizerOf(task.optimizer);
  const once = () =>
    tf.tidy(() => {
      const batch = following();
      const here = (at) => logitsOf(network.layers, variables, at);
      const { x, targets } = craft ? crafted(batch, here, craft) : batch;
      const objective = (...values) => {
        const at = moves ? values.pop() : x;
        const logits = (points) => logitsOf(network.layers, values, points);
        const loss = lossAt(logits(at), targets, MEAN);
        return penalty ? tf.add(loss, penaltyAt(logits, at, penalty)) : loss;
      };
      const { value, grads } = tf.valueAndGrads(objective)([...variables, ...(moves ? [x] : [])]);
      optimizer.apply(variables.map((variable, i) => ({ variable, name: names[i], gradient: grads[i] })));
      if (moves) {
        const next = tf.keep(tf.add(x, tf.mul(grads.at(-1), moves.lambda)));
        batch.x.dispose();
        batch.x = next;
      }
      return value;
    });
  return { once, close: () => [tf.dispose(variables), optimizer.dispose()] };
}

function attacker({ network: { layers }, weights, attack }, { x, targets }) {
  const { epsilon, stepSize, steps, restarts } = attack;
  const values = weights.map(held);
  const logits = (at) => logitsOf(layers, values, at, { inference: true });
  const [low, high] = [tf.clipByValue(tf.sub(x, epsilon), 0, 1), tf.clipByValue(tf.add(x, epsilon), 0, 1)];
  const move = (z) => {
    const g = tf.grad((at) => lossAt(logits(at), targets, SUM))(z);
    return tf.minimum(tf.maximum(tf.add(z, tf.mul(tf.sign(g), stepSize)), low), high);
  };
  const walk = () => Array.from({ length: steps }).reduce((z) => tf.tidy(() => move(z)), x);
  const once = () => tf.tidy(() => Array.from({ length: restarts }, walk).at(-1));
  return {
    once,
    loss: () => tf.tidy(() => lossAt(logits(walk()), targets, MEAN)),
    close: () => tf.dispose(values),
  };
}

function load(task) {
  const { network, kind } = task;
  const [channels, height, width] = network.inputShape;
  const data = batchesOf(task).map(({ inputs, labels }) =>
    tf.tidy(() => ({
      x: tf.transpose(tf.tensor(inputs, [labels.length, channels, height, width]), [0, 2, 3, 1]),
      targets: tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), network.classes), "float32"),
    })),
  );
  let next = 0;
  const following = () => data[next++ % data.length];
  if (kind === "attack") return attacker(task, data[0]);
  if (kind === "train") return trainer(task, following);
  const values = task.weights.map(held);
  const logits = ({ x }) => logitsOf(network.layers, values, x, { inference: true });
  const loss = () => tf.tidy(() => lossAt(logits(data[0]), data[0].targets, MEAN));
  return { once: () => tf.tidy(() => logits(following())), loss, close: () => tf.dispose(values) };
}

let contender;
let task;

await serve({
  describe: async ({ threads }) => {
    setThreadsCount(threads);
    await tf.setBackend("wasm");
    await tf.ready();
    // Under Node it takes no more than one thread, whatever it is asked for.
    return {
      version: versionOf("@tensorflow/tfjs"),
      threads: getThreadsCount(),
      how: "wasm backend with SIMD, eager",
    };
  },
  load: ({ folder }) => {
    task = readTask(folder);
    contender = load(task);
    return { multiple: 1 };
  },
  check: async ({ count }) => {
    const { network } = task;
    const layers = withoutDropout(network.layers);
    const compared = layers.length === network.layers.length || task.kind !== "train" ? contender : null;
    if (compared === null) contender.close();
    const step = compared ?? load({ ...task, network: { ...network, layers } });
    const next = async () => (await (step.loss ?? step.once)().data())[0];
    const result = await collect(step.loss ? 1 : count, next);
    if (compared === null) {
      step.close();
      contender = load(task);
    }
    return result;
  },
  steps: async ({ count }) => {
    const begun = performance.now();
    for (let i = 0; i < count; i++) {
      const result = contender.once();
      if (i === count - 1) await result.data();
      result.dispose();
    }
    return { milliseconds: (performance.now() - begun) * scaleOf(task) };
  },
});
