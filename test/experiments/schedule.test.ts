// Jobs side by side: who begins when, what a failure means for others, how many fit.
import { describe, expect, it } from "vitest";
import { runJobs, type Job } from "../../src/experiments/schedule.js";
import { widthFor } from "../../src/experiments/width.js";

/** Jobs that note when they begin and end, each after as many turns as it is given. */
function noted(
  spec: readonly (readonly [name: string, turns: number, after?: readonly string[], fails?: true])[],
) {
  const notes: string[] = [];
  const jobs: Job<string>[] = spec.map(([name, turns, after = [], fails]) => ({
    name,
    after,
    async run() {
      notes.push(`+${name}`);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      notes.push(`-${name}`);
      if (fails === true) throw new Error(`${name} broke`);
      return name;
    },
  }));
  return { jobs, notes };
}
const plain = { signal: new AbortController().signal, onOutcome: () => undefined };

describe("jobs side by side", () => {
  it("begin in order, so many at once", async () => {
    const { jobs, notes } = noted([
      ["a", 40],
      ["b", 2],
      ["c", 2],
    ]);
    await runJobs(jobs, { ...plain, width: 2 });
    expect(notes).toEqual(["+a", "+b", "-b", "+c", "-c", "-a"]);
  });

  it("wait for those they need, while others go on", async () => {
    const { jobs, notes } = noted([
      ["a", 2, ["c"]],
      ["b", 2],
      ["c", 2],
    ]);
    const outcomes = await runJobs(jobs, { ...plain, width: 1 });
    expect(notes).toEqual(
      ["+b", "-b", "+c", "-c", "+a", "-a"].sort((x, y) => notes.indexOf(x) - notes.indexOf(y)),
    );
    expect(notes.indexOf("+a")).toBeGreaterThan(notes.indexOf("-c"));
    expect(outcomes.map(({ name }) => name).sort()).toEqual(["a", "b", "c"]);
  });

  it("fail alone, but for those that need them", async () => {
    const { jobs } = noted([
      ["a", 2, [], true],
      ["b", 2],
      ["c", 2, ["a"]],
      ["d", 2, ["c"]],
    ]);
    const outcomes = await runJobs(jobs, { ...plain, width: 2 });
    const errors = outcomes.map((each) => [each.name, "error" in each ? each.error.message : "done"]);
    expect(Object.fromEntries(errors)).toEqual({
      a: "a broke",
      b: "done",
      c: "it needs a, which failed",
      d: "it needs c, which failed",
    });
  });

  it("do not begin once the signal has fired", async () => {
    const stop = new AbortController();
    const { jobs, notes } = noted([
      ["a", 2],
      ["b", 2],
    ]);
    const ended = runJobs(jobs, { ...plain, signal: stop.signal, width: 1 });
    stop.abort();
    expect((await ended).map(({ name }) => name)).toEqual(["a"]);
    expect(notes).toEqual(["+a", "-a"]);
  });
});

describe("how many trials run side by side", () => {
  it.each([
    [[100, 100, 100], 2, 1000, 2],
    [[100, 400, 100], 8, 499, 1],
    [[100, 400, 100], 8, 500, 2],
    [[100, 400, 100], 8, 600, 3],
    [[900], 8, 500, 1],
    [[], 8, 500, 1],
  ])("%j bytes, %d cores, %d free: %d", (needs, cores, free, width) => {
    expect(widthFor(needs, { cores, free })).toBe(width);
  });
});
