// What only PGD does: options, starts, points that rest once they have fallen, and restarts.
import { afterAll, describe, expect, it } from "vitest";
import type { AttackBatch } from "../../src/attacks/attack.js";
import { pgd } from "../../src/attacks/index.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { localEngine, type Engine, type Program, type Tensors } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { mlpClassifier, uniformPoints } from "../support/toy-models.js";

const inner = localEngine({ threads: 1 });
afterAll(() => inner.close());

/** The engine, with a list of the batch sizes of every run; arrays are emptied as a worker thread empties them. */
function watched(): { engine: Engine; sizes: number[] } {
  const sizes: number[] = [];
  const watch = (program: Program): Program => ({
    ...program,
    hold: (values) => program.hold(values),
    read: (names) => program.read(names),
    release: () => program.release(),
    async run(feeds: Tensors) {
      sizes.push(feeds["input"]?.shape[0] ?? 0);
      const outputs = await program.run(feeds);
      for (const { data } of Object.values(feeds))
        structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
      return outputs;
    },
  });
  return { engine: { ...inner, load: async (...model) => watch(await inner.load(...model)) }, sizes };
}

const classifier = mlpClassifier([21], [16, 5], { scale: 3 });
const points = uniformPoints(60, classifier);
const shape = [60, 21];
const threat = findThreat("linf");

async function classes(values: Float32Array): Promise<Int32Array> {
  const program = await inner.load(exportClassifier(classifier));
  const { logits } = await program.run({ input: floats([values.length / 21, 21], values.slice()) });
  await program.release();
  return argMaxRows(logits?.data as Float32Array, 5);
}
const labels = await classes(points);

async function perturb(options: Parameters<typeof pgd>[0], more: Partial<AttackBatch> = {}) {
  const { engine, sizes } = watched();
  const prepared = await pgd(options).prepare({ engine, classifier, threat });
  const indices = [...labels.keys()];
  const base = { inputs: floats(shape, points), labels, targeted: false, indices, epsilon: 0.1, seed: 3 };
  const result = await prepared.perturb({ ...base, ...more });
  await prepared.release();
  return { result, sizes };
}

const fallen = async (values: Float32Array): Promise<number> =>
  (await classes(values)).filter((c, i) => c !== labels[i]).length;

describe("pgd", () => {
  it("refuses options that say nothing or too much", () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ steps: 0 }, "pgd.steps: expected number to be >=1, got 0"],
      [{ stepSize: -1 }, "pgd.stepSize: expected a number of at least 0, or a fraction like 8/255, got -1"],
      [{ loss: "cw" }, 'pgd.loss: expected one of "cross-entropy"|"margin"|"dlr", got "cw"'],
      [{ restarts: 2, randomStart: false }, "pgd.restarts: expected 1 without a random start, got 2"],
    ];
    for (const [options, message] of cases) expect(() => pgd(options as never)).toThrow(message);
  });

  it("refuses a loss that the model has too few classes for", async () => {
    const two = mlpClassifier([21], [2]);
    await expect(pgd({ loss: "dlr" }).prepare({ engine: inner, classifier: two, threat })).rejects.toThrow(
      "pgd: expected a model of 3 classes or more, got 2",
    );
  });

  it("says in its options which step size is in force", () => {
    const common = {
      steps: 40,
      randomStart: true,
      restarts: 1,
      loss: "cross-entropy",
      momentum: 0,
      rest: true,
    };
    expect(pgd().options).toEqual({ ...common, relativeStepSize: 2.5 });
    expect(pgd({ stepSize: "2/255" }).options).toEqual({ ...common, stepSize: 2 / 255 });
  });

  it("takes steps of 2.5·ε/steps by default", async () => {
    const { result } = await perturb({ steps: 20 });
    expect((await perturb({ steps: 20, stepSize: 0.0125 })).result).toEqual(result);
  });

  it("lets fallen points rest and leave the batch", async () => {
    const { result, sizes } = await perturb({ steps: 40 });
    expect(sizes[0]).toBe(60);
    expect(sizes.at(-1)).toBe(Math.max(2, 60 - (await fallen(result))));
    expect(sizes.every((size, i) => i === 0 || size <= (sizes[i - 1] ?? 0))).toBe(true);
    // The first fallen iterate is the result: with fewer steps such a point already has its final bytes.
    const early = (await perturb({ steps: 10, stepSize: 0.00625 })).result;
    const after = await classes(early);
    const rested = [...after.keys()].filter((i) => after[i] !== labels[i]);
    expect(rested.length).toBeGreaterThan(5);
    for (const i of rested)
      expect(early.slice(i * 21, i * 21 + 21)).toEqual(result.slice(i * 21, i * 21 + 21));
  });

  it("stops at once where the labels are wrong already", async () => {
    const wrong = labels.map((label) => (label + 1) % 5);
    const { result, sizes } = await perturb({ steps: 40, randomStart: false }, { labels: wrong });
    expect(sizes).toEqual([60]);
    expect(result).toEqual(points);
  });

  it("starts at random points keyed by seed, sample and restart", async () => {
    const { result } = await perturb({ steps: 1, stepSize: 0 });
    expect((await perturb({ steps: 1, stepSize: 0 }, { seed: 4 })).result).not.toEqual(result);
    const indices = [...labels.keys()].map((i) => i + 1);
    expect((await perturb({ steps: 1, stepSize: 0 }, { indices })).result).not.toEqual(result);
    expect(result).not.toEqual(points);
  });

  it("keeps with restarts what one run found, and finds no less", async () => {
    const random = { steps: 1, stepSize: 0.02 };
    const [one, many] = [await perturb(random), await perturb({ ...random, restarts: 8 })];
    const after = await classes(one.result);
    for (const i of labels.keys())
      if (after[i] !== labels[i])
        expect(many.result.slice(i * 21, i * 21 + 21)).toEqual(one.result.slice(i * 21, i * 21 + 21));
    expect(await fallen(many.result)).toBeGreaterThan(await fallen(one.result));
  });
});
