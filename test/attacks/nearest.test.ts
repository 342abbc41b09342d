// What only minimal-norm attacks do: many classes, rows that leave within ε, restarts, confidence, boxes they need.
import { afterAll, describe, expect, it } from "vitest";
import type { AttackBatch } from "../../src/attacks/attack.js";
import { createAttack } from "../../src/attacks/create.js";
import { randomStream } from "../../src/base/random.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine, type Engine, type Program, type Tensors } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { linearClassifier, mlpClassifier, uniformPoints } from "../support/toy-models.js";

const inner = localEngine({ threads: 1 });
afterAll(() => inner.close());

async function logitsOf(classifier: Classifier, points: Float32Array): Promise<Float32Array> {
  const program = await inner.load(exportClassifier(classifier));
  const shape = [points.length / 21, ...classifier.model.inputShape];
  const { logits } = await program.run({ input: floats(shape, points.slice()) });
  await program.release();
  return logits?.data as Float32Array;
}

const classifier = mlpClassifier([21], [16, 5], { scale: 3 });
const rows = 40;
const points = uniformPoints(rows, classifier);
const labels = argMaxRows(await logitsOf(classifier, points), 5);

const batchOf = (given: Float32Array, classes: Int32Array, more: Partial<AttackBatch> = {}): AttackBatch => ({
  inputs: floats([classes.length, 21], given),
  labels: classes,
  targeted: false,
  indices: [...classes.keys()],
  epsilon: Infinity,
  seed: 3,
  ...more,
});

async function perturb(
  name: string,
  norm: string,
  options: Record<string, unknown>,
  { batch = batchOf(points, labels), target = classifier, engine = inner } = {},
): Promise<Float32Array> {
  const context = { engine, classifier: target, threat: findThreat(norm) };
  const prepared = await createAttack(name, options).prepare(context);
  const result = await prepared.perturb(batch);
  await prepared.release();
  return result;
}

const distances = (norm: string, got: Float32Array, from = points): Float64Array =>
  findThreat(norm).distance(
    got.map((v, i) => v - (from[i] ?? NaN)),
    21,
  );

/** The engine, with the batch sizes of every run. */
function watched(): { engine: Engine; sizes: number[] } {
  const sizes: number[] = [];
  const watch = (program: Program): Program => ({
    ...program,
    release: () => program.release(),
    run(feeds: Tensors) {
      sizes.push(feeds["input"]?.shape[0] ?? 0);
      return program.run(feeds);
    },
  });
  return { engine: { ...inner, load: async (...model) => watch(await inner.load(...model)) }, sizes };
}

describe("fab", () => {
  it("compares more classes than one pass of gradients takes", async () => {
    const classes = 20;
    const columns = Array.from({ length: classes }, (_, sample) => {
      const column = new Float32Array(21);
      randomStream(2, "columns").normal(column, { sample });
      return [...column];
    });
    const bounds = [-Infinity, Infinity] as const;
    const linear = linearClassifier(columns, new Array<number>(classes).fill(0), bounds);
    const own = argMaxRows(await logitsOf(linear, points), classes);
    const z = await logitsOf(linear, points);
    const nearest = Array.from(own, (label, row) => {
      const ways = columns.map((column, k) => {
        const normal = Math.hypot(...column.map((w, i) => w - (columns[label]?.[i] ?? 0)));
        return k === label
          ? Infinity
          : ((z[row * classes + label] ?? 0) - (z[row * classes + k] ?? 0)) / normal;
      });
      return Math.min(...ways);
    });
    for (const [name, options] of [
      ["fab", {}],
      ["fab-t", { targets: 19 }],
    ] as const) {
      const got = await perturb(
        name,
        "l2",
        { ...options, steps: 20 },
        { batch: batchOf(points, own), target: linear },
      );
      distances("l2", got).forEach((distance, row) => {
        expect(distance / (nearest[row] ?? NaN)).toBeGreaterThan(1 - 1e-4);
        expect(distance / (nearest[row] ?? NaN)).toBeLessThan(1.05);
      });
    }
  });

  it("lets rows within a finite ε leave, and no others", async () => {
    const free = distances("linf", await perturb("fab", "linf", { steps: 20 }));
    const epsilon = [...free].sort((a, b) => a - b)[rows / 2] ?? 0;
    const { engine, sizes } = watched();
    const got = await perturb(
      "fab",
      "linf",
      { steps: 30 },
      { batch: batchOf(points, labels, { epsilon }), engine },
    );
    const moved = distances("linf", got).filter((distance) => distance > 0).length;
    expect(moved).toBeGreaterThanOrEqual(rows / 2);
    expect(sizes.at(0)).toBe(rows);
    expect(sizes.at(-1)).toBeLessThan(rows);
    expect(sizes.at(-1)).toBeGreaterThanOrEqual(rows - moved);
  });

  it("finds with restarts nothing farther", async () => {
    const one = distances("l2", await perturb("fab", "l2", { steps: 10 }));
    const three = distances("l2", await perturb("fab", "l2", { steps: 10, restarts: 3 }));
    expect([...three].every((distance, row) => distance <= (one[row] ?? 0) || one[row] === 0)).toBe(true);
    expect([...three].some((distance, row) => distance < (one[row] ?? 0))).toBe(true);
  });
});

describe("attacks with a hinge", () => {
  it("lead by the confidence asked for", async () => {
    const budget = { steps: 100, searchSteps: 4, initialConstant: 1, confidence: 0.5 };
    for (const [name, norm] of [
      ["carlini-wagner", "l2"],
      ["ead", "l1"],
    ] as const) {
      const got = await perturb(name, norm, { ...budget, stepSize: 0.05 });
      const logits = await logitsOf(classifier, got);
      const found = [...distances(norm, got).keys()].filter((row) => distances(norm, got)[row] !== 0);
      expect(found.length).toBeGreaterThan(rows / 2);
      for (const row of found) {
        const z = [...logits.subarray(row * 5, row * 5 + 5)];
        const label = labels[row] ?? 0;
        const lead = Math.max(...z.filter((_, k) => k !== label)) - (z[label] ?? 0);
        expect(lead).toBeGreaterThan(0.5 - 1e-4);
      }
    }
  });

  it("need a box where tanh makes it", async () => {
    const open = { ...classifier, bounds: [0, Infinity] as const };
    await expect(perturb("carlini-wagner", "l2", {}, { target: open })).rejects.toThrow(
      "carlini-wagner: expected finite bounds, got 0 and Infinity",
    );
  });
});
