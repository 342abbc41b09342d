// What only Square does: windows that shrink, patterns, noise by sample and query, rows that rest.
import { afterAll, describe, expect, it } from "vitest";
import type { AttackBatch } from "../../src/attacks/attack.js";
import { square } from "../../src/attacks/index.js";
import { gridOf, pyramids, windowShare, windowSides } from "../../src/attacks/square-windows.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { localEngine, type Engine, type Program, type Tensors } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { mlpClassifier, uniformPoints } from "../support/toy-models.js";

const inner = localEngine({ threads: 1 });
afterAll(() => inner.close());

const classifier = mlpClassifier([2, 5, 4], [16, 5], { scale: 3 });
const width = 40;
const points = uniformPoints(30, classifier);

async function logitsOf(values: Float32Array): Promise<Float32Array> {
  const program = await inner.load(exportClassifier(classifier));
  const { logits } = await program.run({ input: floats([values.length / width, 2, 5, 4], values.slice()) });
  await program.release();
  return logits?.data as Float32Array;
}
const labels = argMaxRows(await logitsOf(points), 5);

/** max_{i ≠ y} z_i − z_y of each row. */
async function margins(values: Float32Array): Promise<number[]> {
  const logits = await logitsOf(values);
  return [...labels].map((label, row) => {
    const z = [...logits.subarray(row * 5, row * 5 + 5)];
    return Math.max(...z.filter((_, i) => i !== label)) - (z[label] ?? NaN);
  });
}

/** The engine, with the rows and iterations of every run. */
function watched(): { engine: Engine; runs: { rows: number; iterations: number }[] } {
  const runs: { rows: number; iterations: number }[] = [];
  const watch = (program: Program): Program => ({
    ...program,
    release: () => program.release(),
    run: (feeds: Tensors) => {
      const iterations = Number(feeds["iterations"]?.data[0]);
      runs.push({ rows: feeds["best"]?.shape[0] ?? 0, iterations });
      return program.run(feeds);
    },
  });
  return { engine: { ...inner, load: async (...model) => watch(await inner.load(...model)) }, runs };
}

async function perturb(
  options: Parameters<typeof square>[0],
  more: Partial<AttackBatch> & { norm?: string } = {},
) {
  const { engine, runs } = watched();
  const { norm = "linf", ...rest } = more;
  const prepared = await square(options).prepare({ engine, classifier, threat: findThreat(norm) });
  const indices = [...labels.keys()];
  const inputs = floats([30, 2, 5, 4], points);
  const result = await prepared.perturb({
    ...{ inputs, labels, targeted: false, indices, epsilon: 0.05, seed: 3 },
    ...rest,
  });
  await prepared.release();
  return { result, runs };
}

describe("windows", () => {
  const published = { start: 0.8, queries: 10_000, rescaled: true };

  it("halve by the published schedule, over the queries there are", () => {
    const changes = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
    for (const [i, last] of changes.entries()) {
      expect(windowShare(last, published)).toBe(0.8 / 2 ** i);
      expect(windowShare(last + 1, published)).toBe(0.8 / 2 ** (i + 1));
    }
    expect(windowShare(1000, { ...published, queries: 2000 })).toBe(windowShare(5000, published));
    expect(windowShare(1000, { ...published, queries: 2000, rescaled: false })).toBe(0.8 / 2 ** 4);
  });

  it("are as near a cube of that share as the input allows", () => {
    const square = { least: 1, odd: false };
    expect(windowSides(gridOf([3, 32, 32]), 0.8, square)).toEqual([29, 29]);
    expect(windowSides(gridOf([3, 32, 32]), 0.8 / 512, square)).toEqual([1, 1]);
    expect(windowSides(gridOf([3, 32, 32]), 0.8 / 512, { least: 3, odd: true })).toEqual([3, 3]);
    expect(windowSides(gridOf([1, 28, 28]), 0.8 / 2, { least: 3, odd: true })).toEqual([19, 19]);
    expect(windowSides(gridOf([784]), 0.8 / 2, square)).toEqual([314]);
    expect(windowSides(gridOf([3, 7]), 0.8, square)).toEqual([6]);
    expect(windowSides(gridOf([1, 2, 50]), 0.8, square)).toEqual([2, 9]);
  });

  it("hold two pyramids of opposite signs, of length 1", () => {
    const length = (values: readonly number[]): number => Math.hypot(...values);
    const first = [0.25, 1.25, 0.25].map((v) => v / Math.hypot(0.25, 1.25, 0.25));
    const second = [0.25, 0.25, 0.25, 0.25, 1.25, 0.25].map(
      (v) => -v / Math.hypot(1.25, ...Array<number>(5).fill(0.25)),
    );
    const want = [...first, ...second].map((v) => v / Math.SQRT2);
    pyramids([3, 3], 0, length).forEach((v, i) => expect(v).toBeCloseTo(want[i] ?? NaN, 6));
    const turned = pyramids([3, 3], 1, length);
    turned.forEach((v, i) => expect(v).toBeCloseTo(want[(i % 3) * 3 + Math.floor(i / 3)] ?? NaN, 6));
    expect(Math.hypot(...pyramids([5, 4], 0, length))).toBeCloseTo(1, 6);
    expect([...pyramids([1], 0, length)]).toEqual([-1]);
  });
});

describe("square", () => {
  it("refuses options that say nothing or too much", () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ queries: 0 }, "square.queries: expected number to be >=1, got 0"],
      [
        { initialShare: 2 },
        "square.initialShare: expected a number in [0, 1], or a fraction like 8/255, got 2",
      ],
      [{ loss: "cw" }, 'square.loss: expected one of "cross-entropy"|"margin"|"dlr", got "cw"'],
      [{ pInit: 0.8 }, "square: unknown option 'pInit'"],
    ];
    for (const [options, message] of cases) expect(() => square(options as never)).toThrow(message);
  });

  it("says in its options what was run", () => {
    const common = { queries: 5000, initialShare: 0.8, rescaleSchedule: true };
    expect(square().options).toEqual(common);
    expect(square({ loss: "cross-entropy" }).options).toEqual({ ...common, loss: "cross-entropy" });
  });

  it("stands at the ends of each coordinate's interval in L∞", async () => {
    const { result } = await perturb({ queries: 20 });
    result.forEach((v, i) => {
      const x = points[i] ?? NaN;
      const ends = [x - 0.05, x + 0.05].map((end) => Math.fround(Math.min(Math.max(end, 0), 1)));
      expect(ends).toContain(v);
    });
  });

  it.each(["linf", "l2", "l1"])("keeps in %s only what helps: more queries, larger margins", async (norm) => {
    const epsilon = { linf: 0.01, l2: 0.05, l1: 0.2 }[norm] ?? 0;
    const options = { norm, epsilon };
    const sequence = [1, 10, 60].map(async (queries) => {
      return margins((await perturb({ queries, rescaleSchedule: false }, options)).result);
    });
    const [few = [], some = [], many = []] = await Promise.all(sequence);
    for (const row of labels.keys()) {
      if ((some[row] ?? NaN) > 0) continue;
      expect(some[row]).toBeGreaterThanOrEqual(few[row] ?? NaN);
      expect(many[row]).toBeGreaterThanOrEqual(some[row] ?? NaN);
    }
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(many)).toBeGreaterThan(mean(few));
  });

  it("makes one query more than it is given changes, and lets fallen rows leave", async () => {
    const { result, runs } = await perturb({ queries: 40 }, { norm: "l2", epsilon: 0.2 });
    const standing = (await margins(result)).filter((margin) => margin <= 0).length;
    expect(standing).toBeGreaterThan(0);
    expect(standing).toBeLessThan(30);
    expect(runs.reduce((total, { iterations }) => total + iterations, 0)).toBe(41);
    expect(runs[0]?.rows).toBe(30);
    expect(runs.at(-1)?.rows).toBeLessThan(30);
    expect(runs.every(({ rows }, i) => i === 0 || rows <= (runs[i - 1]?.rows ?? 0))).toBe(true);
    const more = (await perturb({ queries: 41, rescaleSchedule: false })).result;
    const fewer = (await perturb({ queries: 40, rescaleSchedule: false })).result;
    (await margins(fewer)).forEach((margin, row) => {
      const of = (all: Float32Array): Float32Array => all.slice(row * width, (row + 1) * width);
      if (margin > 0) expect(of(more)).toEqual(of(fewer));
    });
  });

  it("keys its noise by seed and sample", async () => {
    const { result } = await perturb({ queries: 5 });
    expect((await perturb({ queries: 5 }, { seed: 4 })).result).not.toEqual(result);
    const indices = [...labels.keys()].map((i) => i + 1);
    const shifted = (await perturb({ queries: 5 }, { indices })).result;
    for (const row of labels.keys())
      expect(shifted.slice(row * width, (row + 1) * width)).not.toEqual(
        result.slice(row * width, (row + 1) * width),
      );
  });

  it("looks for what it is told: margin, or cross-entropy", async () => {
    const [margin, entropy] = [
      await perturb({ queries: 30 }),
      await perturb({ queries: 30, loss: "cross-entropy" }),
    ];
    expect(entropy.result).not.toEqual(margin.result);
    expect((await perturb({ queries: 30, loss: "margin" })).result).toEqual(margin.result);
    const targeted = { targeted: true, labels: labels.map((label) => (label + 1) % 5) };
    const reach = await perturb({ queries: 30 }, targeted);
    expect((await perturb({ queries: 30, loss: "cross-entropy" }, targeted)).result).toEqual(reach.result);
    expect((await perturb({ queries: 30, loss: "margin" }, targeted)).result).not.toEqual(reach.result);
  });
});
