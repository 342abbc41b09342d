// SGM's options: augmented images, noise that stays, optimizers as the rule for the inputs.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as augmentations from "../../src/augmentations/index.js";
import { loadCheckpoint, saveCheckpoint } from "../../src/defenses/checkpoint.js";
import { sgm, standard } from "../../src/defenses/index.js";
import { Interrupted, type TrainOptions } from "../../src/defenses/train.js";
import type { TrainingState } from "../../src/defenses/training-state.js";
import { toySplit } from "../support/toy-data.js";
import { trainToy, type ToyOptions } from "../support/toy-training.js";

type Options = NonNullable<Parameters<typeof sgm>[0]>;
const pixels = Float32Array.from(toySplit(100).images, (v) => v / 255);

/** Weights stay where they are, so that every epoch sees the same gradients. */
const still = { schedule: 0 };
/** Times in place of those that were measured. */
const unspent = { seconds: 0, processorSeconds: 0 };
const train = (options: Options, toy: ToyOptions = {}, more: Partial<TrainOptions> = still) =>
  trainToy(sgm(options), { epochs: 1, ...toy }, more);
const changes = ({ stored }: TrainingState): Float32Array => pixels.map((v, i) => (stored?.[i] ?? NaN) - v);
const deviation = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

describe("augmented images", () => {
  const flip = [augmentations["horizontal-flip"]({ p: 1 })];
  const mirrored = (values: Float32Array): Float32Array =>
    values.map((_, i) => values[i - 2 * (i % 6) + 5] ?? NaN);

  it("move stored ones by the gradient as it is, or carried back by the transpose", async () => {
    const identity = changes(await train({ augmentation: "identity" }, { augmentation: flip }));
    const pullback = changes(await train({ augmentation: "pullback" }, { augmentation: flip }));
    expect(deviation(identity)).toBeGreaterThan(1e-4);
    // x + g − x rounds otherwise at another x.
    mirrored(identity).forEach((v, i) => expect(pullback[i]).toBeCloseTo(v, 6));
    expect(changes(await train({}, { augmentation: flip }))).toEqual(pullback);
  });

  it("are the same for the control: λ̄ = 0 is standard training bit for bit", async () => {
    const augmentation = [augmentations.elastic({ alpha: 6, sigma: 1 }), augmentations["random-erasing"]()];
    const control = await trainToy(standard(), { augmentation });
    for (const mode of ["pullback", "identity"] as const) {
      const neutral = await trainToy(sgm({ lambda: 0, augmentation: mode }), { augmentation });
      expect(neutral.tensors).toEqual(control.tensors);
      expect(neutral.history).toEqual(control.history);
      expect(neutral.stored).toEqual(pixels);
    }
  });
});

describe("noise", () => {
  it("stays in the stored inputs, and its variance falls from epoch to epoch", async () => {
    const noise = { sigma: 0.1, decay: 0.25 };
    const [one, two] = [await train({ lambda: 0, noise }), await train({ lambda: 0, noise }, { epochs: 2 })];
    expect(deviation(changes(one))).toBeCloseTo(0.1, 2);
    expect(deviation(changes(two).map((v, i) => v - (changes(one)[i] ?? NaN)))).toBeCloseTo(0.05, 2);
    const other = await train({ lambda: 0, noise }, {}, { ...still, batchSize: 7 });
    expect(other.stored).toEqual(one.stored);
  });

  it("of σ = 0 is none", async () => {
    const [plain, none] = [await trainToy(sgm()), await trainToy(sgm({ noise: { sigma: 0, decay: 0.5 } }))];
    expect({ ...none, ...unspent }).toEqual({ ...plain, ...unspent });
  });
});

describe("rules", () => {
  it("adam: up the gradient by λ̄·m̂/(√v̂ + ε), with moments of every pixel; down where λ̄ < 0", async () => {
    const gradient = changes(await train({ lambda: 1 }));
    const state = await train({ lambda: 0.01, rule: "adam" });
    const first = state.perSample["sgm/first"];
    const moved = changes(state);
    const down = changes(await train({ lambda: -0.01, rule: "adam" }));
    gradient.forEach((g, i) => {
      expect(first?.[i]).toBeCloseTo(-0.1 * g, 6);
      expect(moved[i]).toBeCloseTo((0.01 * g) / (Math.abs(g) + 1e-8), 4);
      expect(down[i]).toBeCloseTo(-(moved[i] ?? NaN), 6);
    });
    expect(deviation(moved)).toBeGreaterThan(0.005);
    const twice = await train({ lambda: 0.01, rule: "adam" }, { epochs: 2 });
    expect(deviation(changes(twice))).toBeGreaterThan(1.5 * deviation(moved));
  });

  it("rprop: by λ̄·Δ along the sign of the gradient, Δ of every pixel growing while it stays", async () => {
    const gradient = changes(await train({ lambda: 1 }));
    const moved = changes(await train({ lambda: 0.05, rule: "rprop" }));
    gradient.forEach((g, i) => expect(moved[i]).toBeCloseTo(0.05 * 0.1 * Math.sign(g), 6));
    const { perSample } = await train({ lambda: 0.05, rule: "rprop" }, { epochs: 2 });
    const grown = perSample["sgm/size"]?.filter((size) => Math.abs(size - 0.12) < 1e-6).length ?? 0;
    expect(grown / pixels.length).toBeGreaterThan(0.5);
  });

  it.each(["adam", "rprop", "wame"] as const)("%s: λ̄ = 0 is standard training bit for bit", async (rule) => {
    const [plain, neutral] = [await trainToy(standard()), await trainToy(sgm({ lambda: 0, rule }))];
    expect(neutral.tensors).toEqual(plain.tensors);
    expect(neutral.stored).toEqual(pixels);
  });
});

it("stopped after any run and continued equals training that never stopped, snapshots and moments too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "temper-sgm-"));
  const defense = sgm({ lambda: 0.01, rule: "wame", noise: { sigma: 0.02, decay: 0.5 }, radius: 0.2 });
  const options = { epochs: 4, augmentation: [augmentations.rotation()] };
  const snapshots = { images: 3, epochs: 2 };
  const whole = await trainToy(defense, options, { snapshots });
  expect(whole.snapshots.map(({ length }) => length)).toEqual([108, 108]);
  let state: TrainingState | null = null;
  let stops = 0;
  for (let result: TrainingState | null = null; result === null;) {
    const stop = new AbortController();
    result = await trainToy(defense, options, {
      ...(state && { state }),
      snapshots,
      signal: stop.signal,
      onProgress: () => stop.abort(),
      save: (current) => saveCheckpoint(folder, "identity", current),
    }).catch((error: unknown) => {
      expect(error).toBeInstanceOf(Interrupted);
      return null;
    });
    if (result !== null) expect({ ...result, ...unspent }).toEqual({ ...whole, ...unspent });
    else {
      stops++;
      state = await loadCheckpoint(folder, "identity");
    }
  }
  expect(stops).toBeGreaterThan(2);
  await rm(folder, { recursive: true, force: true });
});
