// Jobs side by side: who begins when, what a failure means for others, how many fit.
import { describe, expect, it } from "vitest";
import { runJobs, type Job } from "../../src/experiments/schedule.js";
import type { StreamedSplit } from "../../src/data/dataset.js";
import { readTraining, trainingSchema } from "../../src/experiments/training-section.js";
import { imagesMemory, widthFor } from "../../src/experiments/width.js";

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

describe("the memory of a trial's images", () => {
  const training = readTraining(
    trainingSchema.parse({ validation: { last: 1000 } }),
    "softmax-cross-entropy",
  );
  const streamed = (count: number): StreamedSplit => ({
    ...{ count, labels: new Uint8Array(count), identity: "x", rows: () => Promise.reject(new Error("read")) },
  });
  const ofFolder = (
    count: number,
    { move = false, space }: { move?: boolean; space?: "preprocessed" } = {},
  ) =>
    imagesMemory(
      { training, ...(space && { space }) },
      { imageShape: [3, 10, 10], train: streamed(count), test: streamed(2000) },
      { move },
    );

  it("does not grow with the number of a folder's files, but where they are moved or mapped", () => {
    expect(ofFolder(10_000)).toBe(300 * 13_000);
    expect(ofFolder(2e7)).toBe(2 ** 29 + 300 * 3000);
    expect(ofFolder(2e7, { move: true })).toBe(300 * (2e7 + 3000));
    expect(ofFolder(10_000, { space: "preprocessed" })).toBe(300 * 13_000 + 4 * 300 * 12_000);
  });

  it("is that of their bytes where they are in memory", () => {
    const split = { images: new Uint8Array(300 * 1500), labels: new Uint8Array(1500), count: 1500 };
    const dataset = { imageShape: [3, 10, 10], train: split, test: split } as const;
    expect(imagesMemory({ training }, dataset, { move: true })).toBe(300 * 3000);
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
