// `train()` over a synthetic split through the worker engine, as users get it. It stands still between its turns: the
// callback at the end of an epoch does not return before the next turn is asked for.
import { train as trainModel } from "../../dist/defenses/train.js";
import { initialState } from "../../dist/defenses/training-state.js";
import { workerEngine } from "../../dist/runtime/worker-engine.js";
import { seed, syntheticSplit } from "../tasks.mjs";
import { answer, answerSimple, readCommand } from "./serve.mjs";
import { withinSessions } from "./temper-clock.mjs";
import { buildStep } from "./temper-engine.mjs";

/** Answers what is asked until it is for steps: how many. */
function nextTurn() {
  for (;;) {
    const command = readCommand();
    if (command.command === "steps") return command.count;
    answerSimple(command);
  }
}

/** `steps(count)` trains whole epochs of `images` images, count a multiple of their batches. */
export function train(task, { threads, images }) {
  const { batch, network, optimizer } = task;
  const split = syntheticSplit(network, images);
  const { model, step } = buildStep(task);
  const stepsPerEpoch = Math.ceil(images / batch);
  const steps = (first) => {
    let [left, begun, before] = [first / stepsPerEpoch, performance.now(), withinSessions()];
    return trainModel({
      engine: workerEngine({ threads }),
      step,
      split,
      imageShape: network.inputShape,
      epochs: 1e9,
      batchSize: batch,
      seed,
      schedule: optimizer.rate,
      state: initialState(step, model.initialize(seed), split),
      name: "bench",
      onEpoch: () => {
        if (--left > 0) return;
        answer({ milliseconds: performance.now() - begun, within: withinSessions() - before });
        left = nextTurn() / stepsPerEpoch;
        [begun, before] = [performance.now(), withinSessions()];
      },
    });
  };
  return { multiple: stepsPerEpoch, steps };
}
