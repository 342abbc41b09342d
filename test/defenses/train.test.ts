// The training loop: continuing equals never having stopped; what goes wrong is said.
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadCheckpoint, saveCheckpoint } from "../../src/defenses/checkpoint.js";
import { compose } from "../../src/defenses/compose.js";
import * as defenses from "../../src/defenses/index.js";
import type { Monitor } from "../../src/defenses/monitor.js";
import { Interrupted, type TrainOptions } from "../../src/defenses/train.js";
import type { TrainingState } from "../../src/defenses/training-state.js";
import type { Model } from "../../src/nn/model.js";
import { adam, sgd } from "../../src/optim/index.js";
import { scheduleSchema } from "../../src/optim/schedule.js";
import { toySplit } from "../support/toy-data.js";
import { toyModel, trainToy } from "../support/toy-training.js";

const everything = compose([
  defenses.sgm({ lambda: 0.5, radius: 0.3, clip: true }),
  defenses["adversarial-backprop"]({ epsilon: 0.05 }),
  defenses["sign-noise"]({ epsilon: 0.2, sites: ["input", "relu1"], p: 0.3 }),
]);
const plain = defenses.standard();
const options = { epochs: 5, optimizer: adam() };

/** Errors on held-out images that fall, rise and fall less, so that the best epoch is neither the first nor the last. */
const course: Monitor = {
  async measure(epoch, weights) {
    const error = [0.5, 0.2, 0.4, 0.2, 0.3][epoch] ?? NaN;
    return { validationError: error, norm: Object.keys(await weights()).length };
  },
};

const same = (a: TrainingState, b: TrainingState): void => {
  expect(b.history).toEqual(a.history);
  expect(b.stored).toEqual(a.stored);
  expect(b.best).toEqual(a.best);
  for (const [name, { data }] of Object.entries(a.tensors)) expect(b.tensors[name]?.data, name).toEqual(data);
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "temper-train-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("training", () => {
  it("stopped after any run and continued from its checkpoint equals training that never stopped", async () => {
    const whole = await trainToy(everything, options);
    let stops = 0;
    const save = (current: TrainingState): Promise<void> => {
      stops++;
      return saveCheckpoint(folder, "identity", current);
    };
    same(whole, await stoppedOften({ save }));
    expect(stops).toBeGreaterThan(3);
  });

  const stoppedOften = async (
    overrides: Partial<TrainOptions>,
    defense = everything,
    model = toyModel(),
  ): Promise<TrainingState> => {
    let state: TrainingState | null = null;
    for (;;) {
      const stop = new AbortController();
      const result = await trainToy(
        defense,
        { ...options, model },
        {
          ...overrides,
          ...(state && { state }),
          signal: stop.signal,
          onProgress: () => stop.abort(),
          save: overrides.save ?? ((current) => saveCheckpoint(folder, "identity", current)),
        },
      ).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Interrupted);
        return null;
      });
      if (result !== null) return result;
      state = await loadCheckpoint(folder, "identity");
    }
  };

  it("keeps the best epoch's weights through stops, and ends with them", async () => {
    const chosen = { monitor: course, restoreBest: true };
    const whole = await trainToy(everything, options, chosen);
    same(whole, await stoppedOften(chosen));
    expect(whole.best?.epoch).toBe(1);
    const two = await trainToy(everything, { ...options, epochs: 2 });
    for (const [name, { data }] of Object.entries(whole.best?.tensors ?? {})) {
      expect(whole.tensors[name]?.data, name).toEqual(data);
      expect(two.tensors[name]?.data, name).toEqual(data);
    }
    // The optimizer's slots stay those of the last epoch.
    expect(whole.tensors["step"]?.data).not.toEqual(two.tensors["step"]?.data);
    expect(Object.keys(whole.best?.tensors ?? {})).toContain("batchnorm1.mean");
  });

  it("is not changed by being measured", async () => {
    const measured = await trainToy(everything, options, { monitor: course });
    const unmeasured = await trainToy(everything, options);
    same(unmeasured, { ...measured, history: unmeasured.history });
    expect(measured.history.map(({ metrics }) => metrics["validationError"])).toEqual([
      0.5, 0.2, 0.4, 0.2, 0.3,
    ]);
  });

  it("ends where validation accuracy gains nothing, however often it was stopped", async () => {
    const early = { monitor: course, earlyStopping: { patience: 2, minDelta: 0 } };
    const whole = await trainToy(plain, options, early);
    expect(whole.history).toHaveLength(4);
    expect(whole.epoch).toBe(4);
    same(whole, await stoppedOften(early, plain));
  });

  it("gives weights what the model's rule between epochs says, through stops too", async () => {
    const shares: number[] = [];
    const model: Model = {
      ...toyModel(),
      betweenEpochs: ({ "dense2.bias": bias, "batchnorm1.mean": mean }, progress) => {
        if (!bias || !mean) throw new Error("the rule sees parameters and buffers");
        shares.push(progress);
        return {
          "dense2.bias": {
            ...bias,
            data: Float32Array.from(Array.from(bias.data, Number), (x) => x + progress),
          },
        };
      },
    };
    const whole = await trainToy(everything, { ...options, model });
    expect(shares).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    same(whole, await stoppedOften({}, everything, model));
    const without = await trainToy(everything, options);
    expect(without.tensors["dense1.weight"]?.data).not.toEqual(whole.tensors["dense1.weight"]?.data);
  });

  it("lowers its rate when the training error stops falling, through stops too", async () => {
    const schedule = scheduleSchema.parse({ initial: 0.05, whenStalled: { keep: 0.2, stalls: 3 } });
    const whole = await trainToy(everything, { ...options, epochs: 12 }, { schedule });
    const rates = whole.history.map(({ learningRate }) => learningRate);
    expect(rates.length).toBeLessThan(12);
    expect(rates).toContain(0.025);
    expect(rates.at(-1)).toBe(0.0125);
    same(whole, await stoppedOften({ schedule, epochs: 12 }));
  });

  it("sees every sample once an epoch, the short last batch included", async () => {
    const seen: number[] = [];
    await trainToy(
      defenses.standard(),
      { epochs: 1, count: 50 },
      { onProgress: ({ seen: n }) => seen.push(n) },
    );
    expect(seen.at(-1)).toBe(50);
  });

  it("tells images a second of the epoch so far, by the clock, however short its last run", async () => {
    const wait = (milliseconds: number): void => {
      const end = performance.now() + milliseconds;
      while (performance.now() < end);
    };
    const begun = performance.now();
    const told: { seen: number; rate: number; at: number; left: number }[] = [];
    await trainToy(
      plain,
      { epochs: 1, count: 97 },
      {
        onProgress: ({ seen, imagesPerSecond: rate }) => {
          const at = performance.now();
          // Longer than a run of one image takes: it is over before its results are asked for.
          wait(30);
          told.push({ seen, rate, at, left: performance.now() });
        },
      },
    );
    expect(told.length).toBeGreaterThan(1);
    const first = told[0]?.at ?? NaN;
    for (const [i, { seen, rate, at }] of told.entries()) {
      expect(rate).toBeGreaterThanOrEqual(seen / ((at - begun) / 1000));
      const before = told[i - 1]?.left ?? first;
      expect(rate).toBeLessThanOrEqual(seen / ((before - first) / 1000));
    }
  });

  it("starts every defence from the same weights and batches", async () => {
    const first = { epochs: 1, count: 16 };
    const plain = await trainToy(defenses.standard(), first);
    const moved = await trainToy(defenses.sgm(), first);
    expect(moved.history[0]?.metrics["loss"]).toBe(plain.history[0]?.metrics["loss"]);
  });

  it("reads the same inputs as raw pixels and as stored numbers", async () => {
    const bytes = await trainToy(defenses.standard(), { pixels: "uint8" });
    const floats = await trainToy(defenses.sgm({ lambda: 0 }));
    same({ ...bytes, stored: floats.stored }, floats);
    const expected = Float32Array.from(toySplit(100).images, (x) => x / 255);
    expect(floats.stored).toEqual(expected);
  });

  it("stops at a loss that is not finite, naming method, epoch and batch", async () => {
    const weights = toyModel().initialize(0);
    const broken = {
      ...weights,
      "dense2.bias": { dtype: "float32", shape: [4], data: new Float32Array(4).fill(NaN) },
    } as const;
    const model = { ...toyModel(), initialize: () => broken };
    await expect(trainToy(defenses.standard(), { model })).rejects.toThrow(
      "toy: the loss is NaN in epoch 1, batch 1 of 7; last good checkpoint: none yet",
    );
  });

  it("says where the last good checkpoint stands, and never saves lost weights", async () => {
    const saved: TrainingState[] = [];
    const training = trainToy(
      defenses.standard(),
      { epochs: 40, optimizer: sgd() },
      {
        schedule: { initial: 0.1, at: { 2: 1e30 } },
        saveEvery: 0,
        save: (state) => Promise.resolve(void saved.push(state)),
      },
    );
    await expect(training).rejects.toThrow(
      /^toy: the loss is (NaN|Infinity|-Infinity) in epoch 3, batch \d of 7; last good checkpoint: the end of epoch 2$/,
    );
    for (const { tensors } of saved)
      for (const { data } of Object.values(tensors))
        expect(Array.from(data, Number).every(Number.isFinite)).toBe(true);
  });
});

describe("a checkpoint", () => {
  const save = async (): Promise<string> => {
    const state = await trainToy(defenses.sgm(), { epochs: 1 });
    await saveCheckpoint(folder, "one", state);
    return join(folder, "state.safetensors");
  };

  it("is null where there is none", async () => {
    expect(await loadCheckpoint(folder, "one")).toBeNull();
  });

  it("of another training is refused", async () => {
    const path = await save();
    await expect(loadCheckpoint(folder, "two")).rejects.toThrow(
      `${path}: expected a checkpoint of this training, got one with another model, images or settings (use --fresh to start over)`,
    );
  });

  it("cut short is refused", async () => {
    const path = await save();
    const { length } = await readFile(path);
    await truncate(path, length - 10);
    await expect(loadCheckpoint(folder, "one")).rejects.toThrow(
      `${path}: expected ${length} bytes, got ${length - 10} (the file is cut short)`,
    );
    await truncate(path, 20);
    await expect(loadCheckpoint(folder, "one")).rejects.toThrow("(the file is cut short)");
  });

  it("with a changed byte is refused", async () => {
    const path = await save();
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expect(loadCheckpoint(folder, "one")).rejects.toThrow(
      `${path}: expected data that matches its checksum, got something else (the file is damaged)`,
    );
  });
});
