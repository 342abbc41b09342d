// Accuracy under corruptions: counted as by hand, whoever shares the work, continued where it was stopped.
import { afterAll, describe, expect, it } from "vitest";
import { corrupt } from "../../src/corruptions/corrupt.js";
import * as registry from "../../src/corruptions/index.js";
import { isCommon, selectCorruptions } from "../../src/corruptions/select.js";
import {
  corruptionMeans,
  evaluateCorruptions,
  type CorruptionOptions,
} from "../../src/evaluation/corruptions.js";
import type { EvaluationData } from "../../src/evaluation/data.js";
import type { Journal, JournalEntry } from "../../src/evaluation/journal.js";
import type { Progress } from "../../src/evaluation/evaluate.js";
import { localEngine } from "../../src/runtime/engine.js";
import { shapes } from "../support/images.js";
import { linearClassifier, mlpClassifier } from "../support/toy-models.js";

const engines = [localEngine({ threads: 1 }), localEngine({ threads: 1 })];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

const imageShape = [1, 8, 8] as const;
const n = 50;
const images = shapes(n, imageShape);
const weights = Array.from({ length: 64 }, (_, i) => Math.sin(7 * i));
const classifier = linearClassifier([weights, weights.map((w) => -w)], [0, 0], [0, 1]);
const classOf = (row: Float32Array): number =>
  row.reduce((sum, v, i) => sum + v * (weights[i] ?? 0), 0) > 0 ? 0 : 1;
const rowsOf = (values: Float32Array): Float32Array[] =>
  Array.from({ length: values.length / 64 }, (_, i) => values.subarray(i * 64, (i + 1) * 64));
const labels = rowsOf(images).map(classOf);

const asked: number[] = [];
const data: EvaluationData = {
  count: n,
  labels,
  rows(indices) {
    asked.push(...indices);
    return Float32Array.from(indices.flatMap((i) => [...images.subarray(i * 64, (i + 1) * 64)]));
  },
};
const corruptions = [registry.fog, registry["gaussian-noise"]];
const run = (options: Partial<CorruptionOptions> = {}) =>
  evaluateCorruptions(classifier, data, { engines, corruptions, severities: [2, 5], imageShape, ...options });

/** A journal in memory. */
function journalOf(entries: Map<string, JournalEntry[]>): Journal {
  return {
    read: (strike) => entries.get(strike) ?? [],
    write: (strike, entry) => {
      entries.set(strike, [...(entries.get(strike) ?? []), entry]);
      return Promise.resolve();
    },
  };
}

describe("evaluateCorruptions", () => {
  it("counts what is rightly classified among the corrupted images", async () => {
    const indices = Array.from({ length: n }, (_, i) => i);
    const expected = corruptions.flatMap((corruption) =>
      [2, 5].map((severity) => {
        const out = corrupt(corruption, images, { imageShape, indices, severity, seed: 3 });
        const right = rowsOf(out).filter((row, i) => classOf(row) === labels[i]).length;
        return { name: corruption.name, severity, accuracy: right / n, n };
      }),
    );
    expect(await run({ seed: 3 })).toEqual(expected);
    expect(new Set(expected.map(({ accuracy }) => accuracy)).size).toBeGreaterThan(1);
  });

  it("gives the same whatever the batches and the number of engines; the first images alone give theirs", async () => {
    const whole = await run();
    for (const batchSize of [1, 7, 128]) expect(await run({ batchSize })).toEqual(whole);
    expect(await run({ engines: engines.slice(0, 1) })).toEqual(whole);
    const first = await run({ limit: 20 });
    expect(first.every((record) => record.n === 20)).toBe(true);
  });

  it("goes on from a journal: what is known is not looked at again", async () => {
    const entries = new Map<string, JournalEntry[]>();
    const whole = await run({ journal: journalOf(entries), batchSize: 10 });
    expect([...entries.keys()]).toEqual(["corruption fog 2,5", "corruption gaussian-noise 2,5"]);
    const kept = new Map([...entries].map(([strike, all]) => [strike, all.slice(0, 3)]));
    asked.length = 0;
    const seen: Progress[] = [];
    const again = await run({ journal: journalOf(kept), onProgress: (each) => seen.push(each) });
    expect(again).toEqual(whole);
    // Three of six even batches were kept.
    expect(asked.length).toBe(2 * 25);
    expect(seen.at(-1)).toEqual({ doing: "gaussian-noise", done: 100, total: 100 });
  });

  it("stops at a signal", async () => {
    await expect(run({ signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
  });

  it("refuses classifiers of other inputs than [0, 1], and images that do not fit a corruption", async () => {
    const wide = mlpClassifier([64], [2], { bounds: [-1, 1] });
    await expect(
      evaluateCorruptions(wide, data, { engines, corruptions, severities: [1], imageShape }),
    ).rejects.toThrow("corruptions: expected a classifier of inputs in [0, 1], got [-1, 1]");
    await expect(run({ corruptions: [registry["random-grayscale"]] })).rejects.toThrow(
      "random-grayscale: expected images of 3 channels [channels, height, width], got [1, 8, 8]",
    );
  });
});

describe("corruptionMeans", () => {
  it("are over severities, over common corruptions and over disturbances", () => {
    const record = (name: string, severity: number, accuracy: number) => ({
      name,
      severity,
      accuracy,
      n: 10,
    });
    const records = [
      record("fog", 1, 0.9),
      record("fog", 2, 0.7),
      record("snow", 1, 0.5),
      record("snow", 2, 0.3),
      record("random-flip", 1, 0.25),
    ];
    const means = corruptionMeans(records, isCommon).map(({ accuracy, ...rest }) => ({
      ...rest,
      accuracy: Number(accuracy.toFixed(9)),
    }));
    expect(means).toEqual([
      { over: "fog", records: 2, accuracy: 0.8 },
      { over: "snow", records: 2, accuracy: 0.4 },
      { over: "random-flip", records: 1, accuracy: 0.25 },
      { over: "common", records: 4, accuracy: 0.6 },
      { over: "disturbances", records: 1, accuracy: 0.25 },
    ]);
  });
});

describe("selectCorruptions", () => {
  const names = (words: string[], channels?: number) =>
    selectCorruptions("x", words, channels).map(({ name }) => name);

  it("knows groups, leaves out what needs colour, and takes nothing twice", () => {
    expect(names(["all"])).toHaveLength(20);
    expect(names(["common"])).toHaveLength(15);
    expect(names(["disturbances", "fog"], 1)).toEqual([
      "fog",
      "five-crop",
      "random-color",
      "random-crop",
      "random-flip",
    ]);
    expect(names(["fog", "fog", "snow"])).toEqual(["fog", "snow"]);
  });

  it("refuses other words", () => {
    expect(() => names(["rain"])).toThrow(
      /^x: unknown corruption 'rain'.*\(known: all, common, disturbances, gaussian-noise, /,
    );
  });
});
