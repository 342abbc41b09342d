// What only SPSA does: slopes from differences, Adam's steps, rows that leave.
import { afterAll, describe, expect, it } from "vitest";
import type { AttackBatch } from "../../src/attacks/attack.js";
import { spsa } from "../../src/attacks/index.js";
import { randomStream } from "../../src/base/random.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { localEngine, type Engine, type Program, type Tensors } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { linearClassifier, mlpClassifier, uniformPoints } from "../support/toy-models.js";

const inner = localEngine({ threads: 1 });
afterAll(() => inner.close());

/** The engine, with the rows of every step and the pairs of queries between. */
function watched(): { engine: Engine; steps: number[]; pairs: number[] } {
  const [steps, pairs]: number[][] = [[], []];
  const watch = (program: Program): Program => ({
    ...program,
    release: () => program.release(),
    run: (feeds: Tensors) => {
      if (feeds["iterations"]) pairs?.push(Number(feeds["iterations"].data[0]));
      else steps?.push(feeds["at"]?.shape[0] ?? 0);
      return program.run(feeds);
    },
  });
  const engine = {
    ...inner,
    load: async (...model: Parameters<Engine["load"]>) => watch(await inner.load(...model)),
  };
  return { engine, steps: steps ?? [], pairs: pairs ?? [] };
}

const classifier = mlpClassifier([21], [16, 5], { scale: 3 });
const points = uniformPoints(40, classifier);

async function classes(values: Float32Array): Promise<Int32Array> {
  const program = await inner.load(exportClassifier(classifier));
  const { logits } = await program.run({ input: floats([values.length / 21, 21], values.slice()) });
  await program.release();
  return argMaxRows(logits?.data as Float32Array, 5);
}
const labels = await classes(points);

async function perturb(
  options: Parameters<typeof spsa>[0],
  more: Partial<AttackBatch> = {},
  target = classifier,
) {
  const { engine, steps, pairs } = watched();
  const prepared = await spsa(options).prepare({ engine, classifier: target, threat: findThreat("linf") });
  const indices = [...labels.keys()];
  const inputs = floats([40, 21], points);
  const base = { inputs, labels, targeted: false, indices, epsilon: 0.1, seed: 3 };
  const result = await prepared.perturb({ ...base, ...more });
  await prepared.release();
  return { result, steps, pairs };
}

describe("spsa", () => {
  it("refuses options that say nothing", () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ steps: 0 }, "spsa.steps: expected number to be >=1, got 0"],
      [{ samples: 0 }, "spsa.samples: expected number to be >=1, got 0"],
      [{ delta: 0 }, "spsa.delta: expected a number of at least 0.000001, or a fraction like 8/255, got 0"],
    ];
    for (const [options, message] of cases) expect(() => spsa(options as never)).toThrow(message);
  });

  it("takes a first step of the learning rate along the sign of the estimated slope", async () => {
    const weights = Array.from({ length: 21 }, (_, i) => ((i * 5) % 7) - 3);
    const linear = linearClassifier([weights, weights.map((w) => -w)], [100, 0], [-10, 10]);
    const zeros = new Int32Array(40);
    const options = { steps: 1, samples: 3, learningRate: 0.02 };
    const { result } = await perturb(options, { labels: zeros }, linear);
    const slope = new Float64Array(21);
    const bits = new Uint8Array(21);
    for (let i = 0; i < 3; i++) {
      randomStream(3, "spsa").bernoulli(bits, { sample: 0, round: 0, iteration: i }, 0.5);
      // The margin of class 1 over class 0 falls by 2·w·v.
      const signs = [...bits].map((bit) => 2 * bit - 1);
      const rise = -2 * signs.reduce((total, v, j) => total + v * (weights[j] ?? 0), 0);
      signs.forEach((v, j) => (slope[j] = (slope[j] ?? 0) + rise * v));
    }
    const size = Math.max(...slope.map(Math.abs));
    result.forEach((v, i) => {
      const s = slope[i % 21] ?? 0;
      if (Math.abs(s) > 1e-3 * size) expect(v - (points[i] ?? 0)).toBeCloseTo(0.02 * Math.sign(s), 4);
    });
  });

  it("spends its budget, and lets fallen rows leave", async () => {
    const { result, steps, pairs } = await perturb({ steps: 20, samples: 16 });
    const after = await classes(result);
    expect(pairs.reduce((a, b) => a + b, 0)).toBe(16 * steps.length);
    expect(steps[0]).toBe(40);
    expect(steps.every((rows, i) => i === 0 || rows <= (steps[i - 1] ?? 0))).toBe(true);
    expect(steps.at(-1)).toBeLessThan(40);
    const early = (await perturb({ steps: 8, samples: 16 })).result;
    const reached = await classes(early);
    const rested = [...labels.keys()].filter((i) => reached[i] !== labels[i]);
    expect(rested.length).toBeGreaterThan(3);
    for (const i of rested) {
      expect(after[i]).not.toBe(labels[i]);
      expect(early.slice(i * 21, i * 21 + 21)).toEqual(result.slice(i * 21, i * 21 + 21));
    }
  });

  it("draws by seed, the same for all samples", async () => {
    const options = { steps: 3, samples: 8 };
    const { result } = await perturb(options);
    expect((await perturb(options, { seed: 4 })).result).not.toEqual(result);
    const indices = [...labels.keys()].map((i) => i + 7);
    expect((await perturb(options, { indices })).result).toEqual(result);
  });
});
