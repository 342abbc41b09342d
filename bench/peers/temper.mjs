// Temper as a contender, in two forms: as users get it (`train()`, `evaluate()`, the worker engine), and its engine
// alone on prepared batches in this thread.
import { count } from "../../dist/base/shape.js";
import { attackLosses } from "../../dist/attacks/losses.js";
import { pgdLoop } from "../../dist/attacks/pgd-graph.js";
import { openPredictor } from "../../dist/evaluation/predictor.js";
import { pixelData } from "../../dist/evaluation/data.js";
import { multiplyAdds } from "../../dist/graph/work.js";
import { exportClassifier, lookup, weightInputs } from "../../dist/nn/classifier.js";
import { evaluationPass } from "../../dist/nn/model.js";
import { environment } from "../../dist/experiments/environment.js";
import { B, evaluate, input, linf, localEngine, pgd, tensor, workerEngine } from "../../dist/index.js";
import { taskSplit, taskWeights } from "../tasks.mjs";
import { withoutDropout } from "../networks.mjs";
import { collect, serve } from "./serve.mjs";
import { buildStep, engineOnly, matrixProduct } from "./temper-engine.mjs";
import { train } from "./temper-train.mjs";
import { clockedSteps, meanLoss } from "./temper-clock.mjs";

/** Process start to everything imported. */
const imported = performance.now();

/** A classifier under PGD: `evaluate()` with all its checks, or the attack alone. */
async function attackContender(task, { form, threads }) {
  const { model, weights } = taskWeights(task);
  const classifier = { model, weights, bounds: [0, 1] };
  const split = taskSplit(task, task.batch);
  const { epsilon, ...options } = task.attack;
  const data = pixelData(split.images, split.labels, count(task.network.inputShape));
  // Users get an engine for each core, with one thread each; the attack alone has one with all threads.
  const engines =
    form === "train"
      ? Array.from({ length: threads }, () => workerEngine({ threads: 1 }))
      : [localEngine({ threads })];
  const [engine] = engines;
  const trials = [{ attack: pgd(options), norm: "linf", epsilons: [epsilon] }];
  const labels = Int32Array.from(split.labels);
  const indices = Uint32Array.from({ length: 128 }, (_, i) => i);
  const inputs = Float32Array.from(split.images, (byte) => byte / 255);
  const width = inputs.length / task.batch;
  const rows = (from, n) => ({
    inputs: tensor("float32", [n, ...model.inputShape], inputs.slice(from * width, (from + n) * width)),
    labels: labels.slice(from, from + n),
    targeted: false,
    indices: indices.slice(0, n),
    epsilon,
    seed: 0,
  });
  const prepare = (attack) => attack.prepare({ engine, classifier, threat: linf });
  const whole = async () => {
    const { robust, clean } = await evaluate(classifier, data, { engines, trials, batchSize: 125 });
    if (clean < 1 || robust[0].accuracy < 1)
      throw new Error("images fell: not everybody takes the same steps");
  };
  const alone = form === "train" ? null : await prepare(pgd(options));
  const part = async () => {
    for (let from = 0; from < task.batch; from += 125) await alone.perturb(rows(from, 125));
  };
  const clocked = clockedSteps(alone ? part : whole);
  return {
    multiple: 1,
    check: () =>
      collect(1, async () => {
        const fixed = await prepare(pgd({ ...options, restarts: 1, randomStart: false }));
        const points = await fixed.perturb(rows(0, 128));
        const program = await engine.load(exportClassifier(classifier));
        const x = tensor("float32", [128, ...model.inputShape], points);
        const { logits } = await program.run({ input: x });
        return meanLoss(logits, labels);
      }),
    steps: async (count) => {
      const { milliseconds, within } = await clocked.steps(count);
      return { milliseconds, within: within / engines.length };
    },
  };
}

/** Logits of one batch: through the predictor and the worker, or the session alone. */
async function forwardContender(task, { form, threads }) {
  const { model, weights } = taskWeights(task);
  const classifier = { model, weights, bounds: [0, 1] };
  const split = taskSplit(task, task.batch);
  const inputs = Float32Array.from(split.images, (byte) => byte / 255);
  const x = tensor("float32", [task.batch, ...model.inputShape], inputs);
  const labels = Int32Array.from(split.labels);
  const alone = await localEngine({ threads }).load(exportClassifier(classifier));
  const check = () => collect(1, async () => meanLoss((await alone.run({ input: x })).logits, labels));
  if (form === "engine") return { check, ...clockedSteps(() => alone.run({ input: x })) };
  await alone.release();
  const predictor = await openPredictor(classifier, workerEngine({ threads }), 0);
  const indices = Array.from({ length: task.batch }, (_, i) => i);
  return clockedSteps(() => predictor.predict(inputs, indices));
}

/** Multiply–adds of one step. */
function workOf(task) {
  const { kind, batch } = task;
  if (kind === "train") return buildStep(task).flops(batch) / 2;
  const { model, weights } = taskWeights(task);
  if (kind === "forward") {
    const values = weightInputs(model);
    const x = input("input", [B, ...model.inputShape]);
    return multiplyAdds([model.apply(x, evaluationPass(lookup(values)))], batch);
  }
  const target = { classifier: { model, weights, bounds: [0, 1] }, threat: linf };
  const { carried } = pgdLoop(target, { loss: attackLosses["cross-entropy"], momentum: 0, direction: 1 });
  const { steps, restarts } = task.attack;
  return (
    steps *
    restarts *
    multiplyAdds(
      carried.map(({ next }) => next),
      batch,
    )
  );
}

let contender;

async function load({ step, form, threads, images }) {
  const options = { form, threads, images };
  const kind = step.kind === "train" ? `train-${form}` : step.kind;
  const built = {
    "train-train": () => train(step, options),
    "train-engine": () => engineOnly(step, options),
    attack: () => attackContender(step, options),
    forward: () => forwardContender(step, options),
    product: () => matrixProduct(step.size, threads),
  };
  await contender?.release?.();
  contender = await built[kind]();
  return {
    multiple: contender.multiple ?? 1,
    times: { imported, ...contender.times },
    bytes: contender.bytes,
  };
}

/** Losses of the first steps; without dropout where there is some. */
async function check({ step, threads, count: wanted }) {
  const { network, kind } = step;
  const layers = withoutDropout(network.layers);
  if (kind !== "train" || layers.length === network.layers.length) return contender.check(wanted);
  const without = await engineOnly({ ...step, network: { ...network, layers } }, { threads });
  const losses = await without.check(wanted);
  await without.release();
  return losses;
}

await serve({
  describe: ({ threads }) => {
    const { temper, onnxruntime } = environment({ provider: "cpu", threads, jobs: 1 });
    return { version: temper, threads, how: `ONNX Runtime ${onnxruntime}` };
  },
  load,
  check,
  work: ({ step }) => 2 * workOf(step),
  steps: ({ count: wanted }) => contender.steps(wanted),
});
