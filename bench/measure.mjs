// Clocks: contenders take turns (A B C A B C …), so that what else the machine does falls on all of them.
import { setTimeout as pause } from "node:timers/promises";

/** Threads of the one before may spin on for some milliseconds after its last result. */
const settleMilliseconds = 50;

/** Turns of those whose turn is much longer than it should be. */
const fewTurns = 3;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** { median, min, max } of the values that are there; undefined without any. */
export function spread(values) {
  const there = values.filter((value) => value !== undefined);
  if (there.length === 0) return undefined;
  return { median: median(there), min: Math.min(...there), max: Math.max(...there) };
}

/** Spread of `f` of what several contenders measured in the same repetition: slow minutes cancel. */
export const paired = (f, ...series) =>
  spread(
    series[0].map((_, repetition) => {
      const values = series.map((turns) => turns[repetition]);
      return values.includes(undefined) ? undefined : f(...values);
    }),
  );

const stepsIn = async (contender, count) => {
  const { milliseconds, within } = await contender.ask({ command: "steps", count });
  return { time: milliseconds / count, share: within === undefined ? undefined : within / milliseconds };
};

/**
 * A contender that is warm and asked for as many steps a turn as fill `milliseconds`; `turn()` returns
 * { time, share }: milliseconds per step and the share of them within `session.run`.
 */
export async function calibrated(contender, { milliseconds, limit = Infinity }) {
  const { multiple } = contender;
  let count = multiple;
  let time;
  // The first steps are slow and short turns say little: again until one is long enough to tell.
  for (let round = 0; round < 6; round++) {
    ({ time } = await stepsIn(contender, count));
    if (time > 1000 * limit && round > 0) throw new Error(`${(time / 1000).toFixed(0)} s a step`);
    if (time * count > milliseconds * (round === 0 ? 10 : 0.2)) break;
    const wanted = Math.min(8 * (count / multiple), Math.round(milliseconds / time / multiple));
    if (round > 0) count = multiple * Math.max(1, wanted);
  }
  if (time > 1000 * limit) throw new Error(`${(time / 1000).toFixed(0)} s a step`);
  count = multiple * Math.max(1, Math.round(milliseconds / time / multiple));
  const isSlow = time > 2.5 * milliseconds;
  return { ...contender, time, isSlow, turn: () => stepsIn(contender, count) };
}

/** Whether a slow contender takes its turn: in the first repetition, the last and one between. */
const takesPart = (repetition, repetitions) =>
  repetitions <= fewTurns || [0, repetitions >> 1, repetitions - 1].includes(repetition);

/** Per contender { times, shares } by repetition; those who sat out have undefined there. */
export async function interleave(contenders, { repetitions, onTurn }) {
  const results = contenders.map(() => ({ times: [], shares: [] }));
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const [i, contender] of contenders.entries()) {
      onTurn(`${contender.title}, ${repetition + 1} of ${repetitions}`);
      const sitsOut = contender.isSlow && !takesPart(repetition, repetitions);
      await pause(settleMilliseconds);
      const { time, share } = sitsOut ? {} : await contender.turn();
      results[i].times.push(time);
      results[i].shares.push(share);
    }
  return results;
}
