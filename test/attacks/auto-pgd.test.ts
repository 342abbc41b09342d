// What only Auto-PGD does: step sizes of its own, what it refuses, restarts, balls of several sizes.
import { afterAll, describe, expect, it } from "vitest";
import { apgdGraph } from "../../src/attacks/apgd-graph.js";
import type { Attack, AttackBatch } from "../../src/attacks/attack.js";
import { createAttack } from "../../src/attacks/create.js";
import { attackLosses } from "../../src/attacks/losses.js";
import { argMaxRows, floats, fromNumbers, scalar, tensor } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine, type Tensors } from "../../src/runtime/engine.js";
import { loadFunction, loadLoop } from "../../src/runtime/load.js";
import { findThreat } from "../../src/threat/find.js";
import { linearClassifier, mlpClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const width = 21;
const classifier = mlpClassifier([width], [16, 5], { scale: 3 });
const points = uniformPoints(60, classifier);

async function classes(values: Float32Array): Promise<Int32Array> {
  const program = await engine.load(exportClassifier(classifier));
  const { logits } = await program.run({ input: floats([values.length / width, width], values.slice()) });
  await program.release();
  return argMaxRows(logits?.data as Float32Array, 5);
}
const labels = await classes(points);

async function perturb(attack: Attack, norm: string, more: Partial<AttackBatch> = {}, model = classifier) {
  const prepared = await attack.prepare({ engine, classifier: model, threat: findThreat(norm) });
  const indices = [...labels.keys()];
  const base = {
    inputs: floats([60, width], points),
    labels,
    targeted: false,
    indices,
    epsilon: 0.1,
    seed: 3,
  };
  const result = await prepared.perturb({ ...base, ...more });
  await prepared.release();
  return result;
}

const fallen = async (values: Float32Array): Promise<number> =>
  (await classes(values)).filter((c, i) => c !== labels[i]).length;

/** The states after each iteration of the loop on one point, from the point itself. */
async function trace(
  model: Classifier,
  norm: string,
  { steps, epsilon }: Record<"steps" | "epsilon", number>,
) {
  const target = { classifier: model, threat: findThreat(norm) };
  const { begin, loop } = apgdGraph(target, {
    loss: () => attackLosses["cross-entropy"],
    takesCandidates: false,
    direction: 1,
    settling: 1,
    steps,
    rho: 0.75,
  });
  const first = await loadFunction(engine, begin);
  const body = await loadLoop(engine, loop, { weights: model.weights });
  const two = () =>
    floats([2, width], Float32Array.from([...points.slice(0, width), ...points.slice(0, width)]));
  const copy = (states: Tensors): Tensors =>
    Object.fromEntries(Object.entries(states).map(([name, v]) => [name, { ...v, data: v.data.slice() }]));
  let states = await first.run({ input: two(), start: two(), epsilon: scalar(epsilon) });
  const seen: Record<string, number>[] = [];
  for (let i = 0; i <= steps; i++) {
    const next = await body.run({
      ...copy(states),
      input: two(),
      labels: tensor("int32", [2], Int32Array.of(labels[0] ?? 0, labels[0] ?? 0)),
      epsilon: scalar(epsilon),
      iterations: fromNumbers("int64", [], [1]),
    });
    states = Object.fromEntries(Object.entries(next).map(([name, v]) => [name.replace(".next", ""), v]));
    seen.push(Object.fromEntries(Object.entries(states).map(([name, v]) => [name, Number(v.data[0])])));
  }
  await first.release();
  await body.release();
  return seen;
}

describe("auto-pgd", () => {
  it("refuses what it cannot do in one line", async () => {
    expect(() => createAttack("apgd-ce", { restarts: 2, randomStart: false })).toThrow(
      "apgd-ce.restarts: expected 1 without a random start, got 2",
    );
    expect(() => createAttack("apgd-ce", { steps: 2, largerBalls: true })).toThrow(
      "apgd-ce.steps: expected 3 or more with larger balls, got 2",
    );
    const three = linearClassifier(
      [1, 2, 3].map((slope) => new Array<number>(width).fill(slope)),
      [0, 0, 0],
      [0, 1],
    );
    const two = linearClassifier(
      [new Array<number>(width).fill(1), new Array<number>(width).fill(0)],
      [0, 0],
      [0, 1],
    );
    await expect(perturb(createAttack("apgd-dlr"), "linf", {}, two)).rejects.toThrow(
      "apgd-dlr: expected a model of 3 classes or more, got 2",
    );
    await expect(perturb(createAttack("apgd-t"), "linf", {}, three)).rejects.toThrow(
      "apgd-t: expected a model of 4 classes or more, got 3",
    );
    await expect(perturb(createAttack("apgd-ce", { largerBalls: true }), "l2")).rejects.toThrow(
      "apgd-ce.largerBalls: expected false outside l1, got true in l2",
    );
    const target = { classifier, threat: findThreat("linf") };
    expect(() => createAttack("apgd-dlr").toOnnx?.(target, { targeted: true })).toThrow(
      "apgd-dlr: expected labels to leave, got targets, which it cannot reach",
    );
  });

  it("begins with steps of 2ε and halves them at checkpoints alone, each window shorter down to a least", async () => {
    const epsilon = 1e-4;
    const seen = await trace(classifier, "linf", { steps: 100, epsilon });
    const checkpoints = seen.flatMap(({ left, window }, i) => (left === window && i > 0 ? [i] : []));
    expect(checkpoints).toEqual([22, 41, 57, 70, 80, 87, 93, 99]);
    const sizes = seen.map(({ step_size = NaN }) => step_size / epsilon);
    expect(sizes[0]).toBeCloseTo(2, 5);
    const changes = sizes.flatMap((size, i) => (i > 0 && size !== sizes[i - 1] ? [i] : []));
    expect(changes.length).toBeGreaterThan(2);
    for (const i of changes) {
      expect(checkpoints).toContain(i);
      expect((sizes[i] ?? NaN) / (sizes[i - 1] ?? NaN)).toBeCloseTo(0.5, 5);
    }
    // At a halving the point goes back to the best one.
    for (const i of changes) expect(seen[i]?.["point"]).toBe(seen[i]?.["best"]);
  });

  it("in L1 lets the number of coordinates follow the best point, and the step begin anew where that got sparser", async () => {
    const seen = await trace(classifier, "l1", { steps: 100, epsilon: 0.01 });
    const kept = seen.map((states) => states["kept"] ?? NaN);
    expect(kept[0]).toBe(4);
    expect(kept.at(-1)).toBeLessThan(4);
    const sizes = seen.map(({ step_size = NaN }) => step_size / 0.01);
    expect(Math.max(...sizes)).toBeCloseTo(1, 5);
    expect(Math.min(...sizes)).toBeCloseTo(0.1, 5);
  });

  it("finds no less with restarts and with more targets", async () => {
    const few = { steps: 2, targets: 1 };
    const one = await fallen(await perturb(createAttack("apgd-t", few), "linf"));
    const more = await fallen(await perturb(createAttack("apgd-t", { ...few, targets: 4 }), "linf"));
    expect(more).toBeGreaterThan(one);
    const runs = await fallen(await perturb(createAttack("apgd-t", { ...few, restarts: 4 }), "linf"));
    expect(runs).toBeGreaterThanOrEqual(one);
  });

  it("ends in the ball it was given when it has searched larger ones", async () => {
    const attack = createAttack("apgd-ce", { steps: 20, largerBalls: true });
    const got = await perturb(attack, "l1", { epsilon: 1.5 });
    const distances = findThreat("l1").distance(
      got.map((v, i) => v - (points[i] ?? NaN)),
      width,
    );
    for (const distance of distances) expect(distance).toBeLessThanOrEqual(1.5 + 1e-5);
    expect(await fallen(got)).toBeGreaterThan(20);
  });

  it("leaves points alone that are wrong already, where it ranks the classes of the originals", async () => {
    const wrong = labels.map((label) => (label + 1) % 5);
    expect(await perturb(createAttack("apgd-t", { steps: 3 }), "linf", { labels: wrong })).toEqual(points);
  });
});
