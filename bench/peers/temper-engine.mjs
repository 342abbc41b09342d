// The Loop of `train()` without `train()`: runs of prepared batches, one after the other, in this thread.
import { scalar, tensor } from "../../dist/base/tensor.js";
import { epochOrder } from "../../dist/data/batches.js";
import { compose } from "../../dist/defenses/compose.js";
import { feedsFor } from "../../dist/defenses/feeds.js";
import * as defenses from "../../dist/defenses/index.js";
import { buildTrainStep } from "../../dist/defenses/train-step.js";
import { bytesOf, stepsPerRun } from "../../dist/defenses/run-limits.js";
import { initialState } from "../../dist/defenses/training-state.js";
import { graphFunction } from "../../dist/graph/function.js";
import { input } from "../../dist/graph/node.js";
import { multiplyAdds } from "../../dist/graph/work.js";
import { exportFunction, exportLoop, nextName } from "../../dist/onnx/export.js";
import { matmul } from "../../dist/ops/matmul.js";
import { slice } from "../../dist/ops/structure.js";
import * as optimizers from "../../dist/optim/index.js";
import { localEngine } from "../../dist/runtime/engine.js";
import { defensesOf } from "../steps.mjs";
import { heldBatches, modelOf, seed, syntheticSplit } from "../tasks.mjs";
import { collect } from "./serve.mjs";
import { clockedSteps } from "./temper-clock.mjs";

/** The training step of a task, its model and its arithmetic. */
export function buildStep(task) {
  const model = modelOf(task.network);
  const defense = compose(
    (task.defenses ?? defensesOf(task)).map(([name, options]) => defenses[name](options)),
  );
  const step = buildTrainStep({
    model,
    defense,
    optimizer: optimizers[task.optimizer.name]({}),
    loss: "softmax-cross-entropy",
    labelSmoothing: 0,
    bounds: [0, 1],
  });
  const roots = [...step.loop.carried.map((state) => state.next), ...Object.values(step.loop.outputs)];
  return { model, step, flops: (batch) => 2 * multiplyAdds(roots, batch) };
}

const now = () => performance.now();

/** The engine alone on `task`: `check` and `steps`, and how long it took to get there. */
export async function engineOnly(task, { threads }) {
  const { batch, network } = task;
  const begun = now();
  const { model, step } = buildStep(task);
  const graph = now();
  const engine = localEngine({ threads });
  const file = exportLoop(step.loop, { target: await engine.target() });
  const exported = now();
  const carry = Object.fromEntries(step.loop.carried.map(({ input: { name } }) => [nextName(name), name]));
  const program = await engine.load(file, { carry });
  const loaded = now();
  const inputs = (step.movesInputs ? 4 : 1) * batch * network.inputShape.reduce((a, b) => a * b, 1);
  const most = stepsPerRun(0, { inputs, state: 0 });
  const split = syntheticSplit(network, Math.max(heldBatches, Math.min(most, 256)) * batch);
  const state = initialState(step, model.initialize(seed), split);
  const rates = { learningRate: task.optimizer.rate, ...step.scalars(0) };
  const constants = Object.fromEntries(Object.entries(rates).map(([name, value]) => [name, scalar(value)]));
  const { stored, perSample } = state;
  const source = { step, split, imageShape: network.inputShape, seed, stored, perSample, spare: [] };
  const feedsOf = async (indices) => ({
    ...(await feedsFor(source, { indices, batchSize: batch, epoch: 0 })),
    ...constants,
  });
  const bytes = { inputs, state: bytesOf(state.tensors) };
  await program.hold(state.tensors);
  const order = epochOrder(split.count, { seed, epoch: 0 });
  let prepared = { length: 0, feeds: {} };
  const prepare = async (length) =>
    (prepared = { length, feeds: await feedsOf(order.slice(0, length * batch)) });
  /** As many steps a run as `train()` takes. */
  const chooseLength = async () => {
    const limit = Math.min(most, split.count / batch);
    for (let length = Math.min(4, limit); ; length = Math.min(length * 8, limit)) {
      await prepare(length);
      const start = now();
      await program.run(prepared.feeds);
      const wanted = Math.min(limit, stepsPerRun((now() - start) / length, bytes));
      if (wanted < 1.5 * length || length >= limit)
        return void (wanted < 0.7 * length && (await prepare(wanted)));
      length = Math.ceil(wanted / 8);
    }
  };
  const run = clockedSteps(() => program.run(prepared.feeds));
  return {
    bytes,
    times: { graph: graph - begun, export: exported - graph, session: loaded - exported },
    /** Losses of the first steps on the first batches, in the split's order. */
    check: (count) =>
      collect(count, async (i) => {
        const indices = Uint32Array.from({ length: batch }, (_, row) => i * batch + row);
        return (await program.run(await feedsOf(indices))).loss.data[0];
      }),
    steps: async (count) => {
      if (prepared.length === 0) await chooseLength();
      const runs = Math.max(1, Math.round(count / prepared.length));
      const { milliseconds, within } = await run.steps(runs);
      const scale = count / (runs * prepared.length);
      return { milliseconds: milliseconds * scale, within: within * scale, stepsPerRun: prepared.length };
    },
    release: () => program.release(),
  };
}

/** The factors of the product that everybody multiplies: size × size numbers in [-0.5, 0.5). */
const productValues = (size) =>
  Float32Array.from({ length: size * size }, (_, i) => ((i * 2654435761) % 1000) / 1000 - 0.5);

/** One product of two matrices size × size; one row of it is returned, so that no large result is copied. */
export async function matrixProduct(size, threads) {
  const [a, b] = [input("a", [size, size]), input("b", [size, size])];
  const row = slice(matmul(a, b), { axes: [0], starts: [0], ends: [1] });
  const program = await localEngine({ threads }).load(
    exportFunction(graphFunction("product", [a, b], { row })),
  );
  const value = () => tensor("float32", [size, size], productValues(size));
  await program.hold({ a: value(), b: value() });
  return { ...clockedSteps(() => program.run({})), release: () => program.release() };
}
