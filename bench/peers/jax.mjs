// The peer jax-js: every step jitted as a whole on its wasm backend. Using an array consumes it; `.ref` keeps it.
import {
  blockUntilReady,
  defaultDevice,
  grad,
  init,
  jit,
  nn,
  numpy as np,
  random,
  valueAndGrad,
  vjp,
  vmap,
} from "@jax-js/jax";
import { logitsOf } from "./jax-network.mjs";
import { withoutDropout } from "../networks.mjs";
import { collect, readTask, serve } from "./serve.mjs";
import { batchesOf, scaleOf, versionOf } from "./version.mjs";

const kept = (arrays) => arrays.map((array) => array.ref);

/** Optimizers: slots of a parameter, and (parameter, gradient, slots, rate) → [parameter, slots]. */
const optimizers = {
  sgd: { slots: 0, update: (p, g, _, rate) => [p.sub(g.mul(rate)), []] },
  adam: {
    slots: 2,
    update: (p, g, [m, v], rate, t) => {
      const first = m.mul(0.9).add(g.ref.mul(0.1));
      const second = v.mul(0.999).add(np.square(g).mul(0.001));
      const [a, b] = [0.9, 0.999].map((beta) => np.power(beta, t.ref).mul(-1).add(1));
      const change = first.ref
        .div(a)
        .mul(rate)
        .div(np.sqrt(second.ref.div(b)).add(1e-8));
      return [p.sub(change), [first, second]];
    },
  },
  wame: {
    slots: 4,
    update: (p, g, [last, zeta, average, square], rate) => {
      const agreement = g.ref.mul(last);
      const shrunk = np.where(np.less(agreement.ref, 0), zeta.ref.mul(0.1), zeta.ref);
      const z = np.clip(np.where(np.greater(agreement, 0), zeta.mul(1.2), shrunk), 0.01, 100);
      const a = average.mul(0.9).add(z.ref.mul(0.1));
      const s = square.mul(0.9).add(np.square(g.ref).mul(0.1));
      const change = a.ref.mul(g.ref).mul(rate).div(np.sqrt(s.ref).add(1e-11));
      return [p.sub(change), [g, z, a, s]];
    },
  },
};

/** Mean or sum of the batch's cross-entropies; `lead` is `penalty` + loss where there is one. */
const crossEntropy = (logits, targets, scale) => nn.logSoftmax(logits).mul(targets).sum().mul(-scale);

function penaltyAt(network, { form, lambda }, classes) {
  const outputs = (weights, x) => {
    const logits = logitsOf(network, weights, x, {});
    return form === "summed" ? logits : nn.softmax(logits);
  };
  return (weights, x) => {
    const size = x.shape.reduce((a, b) => a * b, 1) * classes;
    if (form === "summed")
      return np
        .abs(grad((at) => outputs(kept(weights), at).sum())(x))
        .sum()
        .mul(lambda / size);
    const [, pull] = vjp((at) => outputs(kept(weights), at).sum(0), [x]);
    const [rows] = vmap(pull)(np.eye(classes));
    return np
      .abs(rows)
      .sum()
      .mul(lambda / size);
  };
}

function trainStep({ network, batch, craft, penalty, inputs, optimizer }) {
  const { layers, classes } = network;
  const rule = optimizers[optimizer.name];
  const penalized = penalty && penaltyAt(layers, penalty, classes);
  return jit((weights, slots, x, targets, t, key) => {
    let [at, goals, rows] = [x, targets, batch];
    if (craft) {
      const climb = (z) => crossEntropy(logitsOf(layers, kept(weights), z, {}), targets.ref, 1);
      const z = x.ref.add(np.sign(grad(climb)(x.ref)).mul(craft.epsilon));
      at = craft.doubled ? np.concatenate([x, np.clip(z, 0, 1)]) : z;
      if (craft.doubled) [goals, rows] = [np.concatenate([targets.ref, targets]), 2 * batch];
    }
    const objective = ([w, z]) => {
      const loss = crossEntropy(logitsOf(layers, kept(w), z.ref, { key }), goals.ref, 1 / rows);
      return penalized ? loss.add(penalized(w, z)) : loss;
    };
    const [loss, [slopes, slope]] = valueAndGrad(objective)([kept(weights), at.ref]);
    const moved = weights.map((w, i) => rule.update(w, slopes[i], slots[i], optimizer.rate, t));
    const next = inputs ? at.add(slope.mul(inputs.lambda)) : np.array(0);
    return [loss, moved.map(([w]) => w), moved.map(([, s]) => s), next];
  });
}

const shaped = ({ data, shape }) => np.array(data.slice()).reshape(shape);

function load(task) {
  const { network, kind, optimizer, inputs: moves, attack } = task;
  const { layers, classes, inputShape } = network;
  let weights = task.weights.map(shaped);
  const data = batchesOf(task).map(({ inputs, labels }) => ({
    x: np.array(inputs).reshape([labels.length, ...inputShape]),
    targets: nn.oneHot(np.array(labels, { dtype: np.int32 }), classes),
  }));
  let next = 0;
  const following = () => data[next++ % data.length];
  const loss = async (array) => (await array.data())[0];
  if (kind === "forward") {
    const run = jit((w, x) => logitsOf(layers, w, x, { inference: true }));
    const once = () => run(kept(weights), following().x.ref);
    const check = () => collect(1, () => loss(crossEntropy(once(), data[0].targets.ref, 1 / task.batch)));
    return { check, once, ready: blockUntilReady, drop: (logits) => logits.dispose() };
  }
  if (kind === "attack") return attackOn(layers, weights, data[0], attack, loss);
  const step = trainStep(task);
  const rule = optimizers[optimizer.name];
  const startOf = (slot) => (w) => np.fullLike(w.ref, optimizer.name === "wame" && slot === 1 ? 1 : 0);
  let slots = weights.map((w) => Array.from({ length: rule.slots }, (_, slot) => startOf(slot)(w)));
  const drops = layers.some(({ kind: layer }) => layer === "dropout");
  const once = () => {
    const held = following();
    const key = drops ? random.key(next) : np.array(0);
    const [value, w, s, x] = step(weights, slots, held.x.ref, held.targets.ref, np.array(next), key);
    [weights, slots] = [w, s];
    if (moves) held.x.dispose();
    else x.dispose();
    if (moves) held.x = x;
    return value;
  };
  const check = (count) => collect(count, () => loss(once()));
  return { check, once, ready: () => blockUntilReady(weights), drop: (value) => value.dispose() };
}

function attackOn(layers, weights, { x, targets }, { epsilon, stepSize, steps, restarts }, loss) {
  const climb = (w, z, t) => crossEntropy(logitsOf(layers, w, z, { inference: true }), t, 1);
  const move = jit((w, z, centre, t) => {
    const up = z.add(np.sign(grad((at) => climb(kept(w), at, t))(z.ref)).mul(stepSize));
    const low = np.maximum(centre.ref.sub(epsilon), 0);
    return np.minimum(np.maximum(up, low), np.minimum(centre.add(epsilon), 1));
  });
  const walk = () => {
    let z = x.ref;
    for (let i = 0; i < steps; i++) z = move(kept(weights), z, x.ref, targets.ref);
    return z;
  };
  const once = () => {
    let z = x.ref;
    for (let i = 0; i < restarts; i++) [z] = [walk(), z.dispose()];
    return z;
  };
  const check = () => collect(1, () => loss(climb(kept(weights), walk(), targets.ref).div(x.shape[0])));
  return { check, once, ready: blockUntilReady, drop: (z) => z.dispose() };
}

let contender;
let task;

await init("wasm");
defaultDevice("wasm");
await serve({
  describe: () => ({
    version: versionOf("@jax-js/jax"),
    // It starts workers only where `Worker` is global, as it is in browsers.
    threads: typeof Worker === "undefined" ? 1 : navigator.hardwareConcurrency,
    how: "wasm backend, the whole step under jit",
  }),
  load: ({ folder }) => {
    task = readTask(folder);
    contender = load(task);
    return { multiple: 1 };
  },
  check: ({ count }) => {
    const layers = withoutDropout(task.network.layers);
    const isTimed = task.kind !== "train" || layers.length === task.network.layers.length;
    if (isTimed) return contender.check(count);
    return load({ ...task, network: { ...task.network, layers } }).check(count);
  },
  steps: async ({ count }) => {
    const begun = performance.now();
    for (let i = 0; i < count; i++) {
      const result = contender.once();
      // What nobody waits for is never computed; steps of training need the one before.
      if (task.kind !== "train" || i === count - 1) await contender.ready(result);
      contender.drop(result);
    }
    return { milliseconds: (performance.now() - begun) * scaleOf(task) };
  },
});
