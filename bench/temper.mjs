// Temper as a contender: whole training as users get it, and its engine alone on steps that are already prepared.
import { scalar, tensor } from "../dist/base/tensor.js";
import { epochOrder } from "../dist/data/batches.js";
import { feedsFor } from "../dist/defenses/feeds.js";
import * as defenses from "../dist/defenses/index.js";
import { buildTrainStep } from "../dist/defenses/train-step.js";
import { initialState, train } from "../dist/defenses/train.js";
import { graphFunction } from "../dist/graph/function.js";
import { input } from "../dist/graph/node.js";
import { multiplyAdds } from "../dist/graph/work.js";
import { exportFunction, exportLoop, nextName } from "../dist/onnx/export.js";
import { matmul } from "../dist/ops/matmul.js";
import { slice } from "../dist/ops/structure.js";
import { sgd } from "../dist/optim/sgd.js";
import { localEngine } from "../dist/runtime/engine.js";
import { workerEngine } from "../dist/runtime/worker-engine.js";
import { productValues } from "./peers.mjs";
import { epsilon, imageShape, learningRate, model, seed, weights } from "./workload.mjs";

/** The training step of a method with its defaults, and its arithmetic. */
export function stepOf(method) {
  const defense = defenses[method](method === "adversarial-backprop" ? { epsilon } : {});
  const step = buildTrainStep({
    model,
    defense,
    optimizer: sgd({}),
    loss: "softmax-cross-entropy",
    labelSmoothing: 0,
    bounds: [0, 1],
    pixels: defense.movesInputs ? "float32" : "uint8",
  });
  const roots = [...step.loop.carried.map((state) => state.next), ...Object.values(step.loop.outputs)];
  return { method, step, flops: (batch) => 2 * multiplyAdds(roots, batch) };
}

/** An engine that adds up in `clock.running` how long its callers waited for runs. */
const clocked = (engine, clock) => ({
  ...engine,
  load: async (...given) => {
    const program = await engine.load(...given);
    const run = async (feeds) => {
      const begun = performance.now();
      const results = await program.run(feeds);
      clock.running += performance.now() - begun;
      return results;
    };
    return { ...program, run };
  },
});

/** An engine that computes nothing and answers at once: what is left of `train()` is the host's own work. */
function idleEngine(step) {
  const names = Object.keys(step.loop.outputs).filter((name) => name !== "storedInputs");
  const run = async ({ inputs }) => {
    const [steps] = inputs.shape;
    const results = names.map((name) => [name, tensor("float32", [steps], new Float32Array(steps))]);
    return { ...Object.fromEntries(results), ...(step.movesInputs && { storedInputs: inputs }) };
  };
  const nothing = async () => undefined;
  const program = { hold: nothing, read: async () => ({}), run, release: nothing };
  return { provider: "none", threads: 0, load: async () => program, close: nothing };
}

/** The loader, noise and bookkeeping of `train()` alone. */
export const hostOnly = (subject, options) => ({
  ...training(subject, { ...options, engine: idleEngine(subject.step) }),
  name: `Temper, ${subject.method}, host alone`,
});

/** `train()` over a whole epoch of `split`, after one that warms it up and lets it choose its run length. */
export function training(
  { method, step, flops },
  { split, batch, threads, engine = workerEngine({ threads }) },
) {
  const waits = [];
  const time = async () => {
    const clock = { running: 0 };
    let [begun, milliseconds] = [0, NaN];
    await train({
      engine: clocked(engine, clock),
      step,
      split,
      imageShape,
      epochs: 2,
      batchSize: batch,
      seed,
      schedule: learningRate,
      state: initialState(step, weights, split),
      name: method,
      onEpoch: () => {
        if (begun === 0) clock.running = 0;
        else milliseconds = performance.now() - begun;
        begun = performance.now();
      },
    });
    waits.push(1 - clock.running / milliseconds);
    return milliseconds / Math.ceil(split.count / batch);
  };
  return {
    name: `Temper, ${method}, training`,
    threads,
    flops: flops(batch),
    time,
    waits,
    close: () => engine.close(),
  };
}

/** What `train()` aims at: a run of the engine is this long, or this large. */
const runMilliseconds = 250;
const runBytes = 64 * 2 ** 20;

/** The Loop of `train()` without `train()`: runs of prepared batches, one after the other, in this thread. */
export async function engineOnly({ method, step, flops }, { split, batch, threads }) {
  const engine = localEngine({ threads });
  const carry = Object.fromEntries(step.loop.carried.map(({ input: { name } }) => [nextName(name), name]));
  const program = await engine.load(exportLoop(step.loop), { carry });
  const state = initialState(step, weights, split);
  const order = epochOrder(split.count, { seed, epoch: 0 });
  const rates = { learningRate, ...step.scalars };
  const constants = Object.fromEntries(Object.entries(rates).map(([name, value]) => [name, scalar(value)]));
  const source = { step, split, imageShape, seed, stored: state.stored };
  const feedsOf = (indices) => ({
    ...feedsFor(source, { indices, batchSize: batch, epoch: 0 }),
    ...constants,
  });
  const start = () =>
    program.hold(
      Object.fromEntries(
        Object.entries(state.tensors).map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
      ),
    );
  const clockedRun = async (feeds) => {
    const begun = performance.now();
    await program.run(feeds);
    return performance.now() - begun;
  };
  let prepared = { length: 0, feeds: {} };
  return {
    name: `Temper, ${method}, engine alone`,
    threads,
    flops: flops(batch),
    /** Losses of the first steps of the untrained weights on the batches of `split`, in its order. */
    losses: async (count) => {
      await start();
      const { loss } = await program.run(feedsOf(Uint32Array.from({ length: count * batch }, (_, i) => i)));
      return [...loss.data];
    },
    /** Prepares runs as long as those of `train()`; returns the steps in one. */
    prepare: async () => {
      await start();
      const most = Math.min(Math.floor(runBytes / (4 * batch * 784)), Math.floor(split.count / batch));
      for (let length = Math.min(8, most); ;) {
        prepared = { length, feeds: feedsOf(order.slice(0, length * batch)) };
        const first = await clockedRun(prepared.feeds);
        const milliseconds = Math.min(first, await clockedRun(prepared.feeds));
        const wanted = Math.round((length * runMilliseconds) / milliseconds);
        if (wanted < length * 1.5 || length >= most) return length;
        length = Math.min(wanted, most, length * 8);
      }
    },
    steps: async (count) => {
      const begun = performance.now();
      for (let done = 0; done < count; done += prepared.length) await program.run(prepared.feeds);
      return performance.now() - begun;
    },
    close: () => program.release(),
  };
}

/** One product of two matrices size × size; one row of it is returned, so that no large result is copied. */
export async function product(size, threads) {
  const [a, b] = [input("a", [size, size]), input("b", [size, size])];
  const fn = graphFunction("product", [a, b], {
    row: slice(matmul(a, b), { axes: [0], starts: [0], ends: [1] }),
  });
  const program = await localEngine({ threads }).load(exportFunction(fn));
  await program.hold({
    a: tensor("float32", [size, size], productValues(size)),
    b: tensor("float32", [size, size], productValues(size)),
  });
  return {
    name: "ONNX Runtime",
    threads,
    flops: 2 * size ** 3,
    steps: async (count) => {
      const begun = performance.now();
      for (let i = 0; i < count; i++) await program.run({});
      return performance.now() - begun;
    },
    close: () => program.release(),
  };
}
