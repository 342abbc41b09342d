// What Temper's contenders share: turns with the time within `session.run` beside the whole, and a loss from logits.
import { getEnvironmentData } from "node:worker_threads";

const clock = new Float64Array(getEnvironmentData("session-clock"));

/** Milliseconds within `session.run` so far, in all threads. */
export const withinSessions = () => clock[0];

/** `steps(count)`: runs `once` so often and says how long it took: { milliseconds, within }. */
export const clockedSteps = (once) => ({
  steps: async (count) => {
    const [begun, before] = [performance.now(), withinSessions()];
    for (let i = 0; i < count; i++) await once();
    return { milliseconds: performance.now() - begun, within: withinSessions() - before };
  },
});

/** Mean softmax cross-entropy of logits [n, classes]. */
export function meanLoss({ data, shape: [n, classes] }, labels) {
  let total = 0;
  for (let row = 0; row < n; row++) {
    const values = data.subarray(row * classes, (row + 1) * classes);
    const top = Math.max(...values);
    total += top + Math.log(values.reduce((sum, z) => sum + Math.exp(z - top), 0)) - values[labels[row]];
  }
  return total / n;
}
