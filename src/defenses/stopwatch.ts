// Time spent on training, by the clock and by the processors, over all parts of a run that stopped.

export interface Spent {
  /** By the clock. Decides nothing. */
  readonly seconds: number;
  /** Of all threads of this process, so that other work on the machine hardly changes it; null where an earlier part did not say. */
  readonly processorSeconds: number | null;
}

export interface Stopwatch {
  /** Since the first part began, pauses left out. */
  spent(): Spent;
  /** Runs what is not to be counted. */
  pause<T>(run: () => Promise<T>): Promise<T>;
}

const processorNow = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** A watch that goes on from what was spent `before`. */
export function startWatch(before: Spent): Stopwatch {
  let [begun, processorBegun] = [performance.now(), processorNow()];
  return {
    spent: () => ({
      seconds: before.seconds + (performance.now() - begun) / 1000,
      processorSeconds:
        before.processorSeconds === null ? null : before.processorSeconds + processorNow() - processorBegun,
    }),
    async pause(run) {
      const [now, processor] = [performance.now(), processorNow()];
      const result = await run();
      begun += performance.now() - now;
      processorBegun += processorNow() - processor;
      return result;
    },
  };
}
