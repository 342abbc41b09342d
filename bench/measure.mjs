// Clocks: contenders take turns (A B C A B C …), so that what else the machine does falls on all of them.
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

/** Threads of the one before may spin on for some milliseconds after its last result. */
const settleMilliseconds = 100;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** { median, min, max } of `values`. */
export const spread = (values) => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** Spread of `f` of what several contenders measured in the same repetition: slow minutes cancel. */
export const paired = (f, ...series) =>
  spread(series[0].map((_, repetition) => f(...series.map((values) => values[repetition]))));

/**
 * A contender whose `steps(n)` takes n steps to their end and returns the milliseconds: warmed up, and asked for
 * as many steps a turn as fill `milliseconds`. `time()` returns milliseconds per step.
 */
export async function calibrated(contender, { milliseconds, multiple = 1 }) {
  await contender.steps(multiple);
  const first = (await contender.steps(3 * multiple)) / 3;
  const n = multiple * Math.max(1, Math.round(milliseconds / first));
  return { ...contender, time: async () => (await contender.steps(n)) / n };
}

/** Milliseconds of every repetition, by contender: `repetitions` turns of `time()` each. */
export async function interleave(contenders, repetitions, onTurn) {
  const times = contenders.map(() => []);
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const [i, contender] of contenders.entries()) {
      onTurn?.(`${contender.name}, ${repetition + 1} of ${repetitions}`);
      collectGarbage();
      await pause(settleMilliseconds);
      times[i].push(await contender.time());
    }
  return times;
}
