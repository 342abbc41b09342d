// JSMA: its maps are exact, it moves as the published algorithm does, and keeps to its budget, direction and target.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { AttackBatch } from "../../src/attacks/attack.js";
import { jsma } from "../../src/attacks/jsma.js";
import { bestPair, bestSingle, roomForMoves, type Moves } from "../../src/attacks/saliency.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { linearClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

/** Moves with these gains and reliefs, and some that are left over behind them. */
function movesOf(pairs: readonly (readonly [number, number])[]): Moves {
  const moves = roomForMoves(pairs.length + 1);
  moves.gain.fill(9);
  moves.relief.fill(9);
  pairs.forEach(([gain, relief], i) => {
    [moves.gain[i], moves.relief[i]] = [gain, relief];
  });
  moves.count = pairs.length;
  return moves;
}

/** Largest (aᵢ + aⱼ)(cᵢ + cⱼ) of all pairs whose sums are above 0, by trying them all. */
function largestProduct(pairs: readonly (readonly [number, number])[]): number {
  const products = pairs.flatMap(([a, c], i) =>
    pairs.slice(i + 1).map(([b, d]) => (a + b > 0 && c + d > 0 ? (a + b) * (c + d) : 0)),
  );
  return Math.max(0, ...products);
}

describe("the saliency map", () => {
  const whole = fc.integer({ min: -6, max: 6 });
  const real = fc.double({ min: -1, max: 1, noNaN: true });

  it.each([
    ["with many equal moves", fc.array(fc.tuple(whole, whole), { maxLength: 12 })],
    ["with moves of all kinds", fc.array(fc.tuple(real, real), { maxLength: 40 })],
    [
      "with moves that trade gain for relief",
      fc.array(
        real.map((a) => [a, 0.3 - a] as const),
        { maxLength: 40 },
      ),
    ],
  ])("finds the best pair %s", (_, arbitrary) => {
    const property = fc.property(arbitrary, (pairs) => {
      const chosen = bestPair(movesOf(pairs)).map((i) => pairs[i] ?? [NaN, NaN]);
      const best = largestProduct(pairs);
      expect(chosen).toHaveLength(best === 0 ? 0 : 2);
      if (best === 0) return;
      const [[a, c], [b, d]] = chosen as [[number, number], [number, number]];
      expect(a + b > 0 && c + d > 0).toBe(true);
      expect((a + b) * (c + d)).toBeCloseTo(best, 12);
    });
    fc.assert(property, { numRuns: 400, seed: 1 });
  });

  it("finds the best single move, and none where gain or relief is lacking", () => {
    const found = bestSingle(
      movesOf([
        [3, -1],
        [-4, -4],
        [1, 2],
        [2, 1.5],
        [2, 1.5],
      ]),
    );
    expect(found).toEqual([3]);
    expect(
      bestSingle(
        movesOf([
          [3, 0],
          [-4, -4],
        ]),
      ),
    ).toEqual([]);
  });
});

const width = 12;
/** Three classes over twelve inputs. */
const columns = [3, 5, 7].map((step) => Array.from({ length: width }, (_, i) => ((i * step) % 11) - 5));
const classifier = linearClassifier(columns, [6, 0, 0], [0, 1]);
const l0 = findThreat("l0");

const batchOf = (values: Float32Array, more: Partial<AttackBatch> = {}): AttackBatch => {
  const rows = values.length / width;
  return {
    inputs: floats([rows, width], values.slice()),
    labels: new Int32Array(rows),
    targeted: false,
    indices: Array.from({ length: rows }, (_, i) => i),
    epsilon: Infinity,
    seed: 0,
    ...more,
  };
};

async function attack(
  options: Parameters<typeof jsma>[0],
  batch: AttackBatch,
  against: Classifier = classifier,
): Promise<Float32Array> {
  const prepared = await jsma(options).prepare({ engine, classifier: against, threat: l0 });
  const points = await prepared.perturb(batch);
  await prepared.release();
  return points;
}

const logitsAt = (x: ArrayLike<number>): number[] =>
  columns.map((column, k) => column.reduce((sum, w, i) => sum + w * (x[i] ?? 0), k === 0 ? 6 : 0));

const changesOf = (points: Float32Array, from: Float32Array): Float64Array =>
  l0.distance(
    points.map((v, i) => v - (from[i] ?? 0)),
    width,
  );

/** Algorithm 3 on the linear model, pairs found by trying all of them; NaN where the target is not reached. */
function published(x0: readonly number[], target: number, { theta, most }: { theta: number; most: number }) {
  const x = [...x0];
  const open = (i: number) => (theta > 0 ? (x[i] ?? 0) < 1 : (x[i] ?? 0) > 0);
  for (let changed = 0; ; changed += 2) {
    if (argMaxRows(Float32Array.from(logitsAt(x)), 3)[0] === target) return x;
    let [best, pair] = [0, [-1, -1]];
    for (let p = 0; p < width; p++)
      for (let q = p + 1; q < width; q++) {
        const own = Math.sign(theta) * ((columns[target]?.[p] ?? 0) + (columns[target]?.[q] ?? 0));
        const all = columns.reduce((sum, column) => sum + (column[p] ?? 0) + (column[q] ?? 0), 0);
        const relief = own - Math.sign(theta) * all;
        if (open(p) && open(q) && own > 0 && relief > 0 && own * relief > best)
          [best, pair] = [own * relief, [p, q]];
      }
    if (best === 0 || changed + 2 > most) return x.map(() => NaN);
    for (const i of pair) x[i] = Math.min(Math.max((x[i] ?? 0) + theta, 0), 1);
  }
}

describe("jsma", () => {
  const from = uniformPoints(40, classifier, 3);
  const rows = Array.from({ length: 40 }, (_, row) => [...from.slice(row * width, (row + 1) * width)]);

  it.each([1, -1])("moves as the published algorithm does, theta %d", async (theta) => {
    const labels = Int32Array.from(
      rows,
      (row) => ((argMaxRows(Float32Array.from(logitsAt(row)), 3)[0] ?? 0) + 1) % 3,
    );
    for (const most of [4, 12]) {
      const got = await attack(
        { theta, leastRoom: 0 },
        batchOf(from, { labels, targeted: true, epsilon: most }),
      );
      let reached = 0;
      rows.forEach((row, i) => {
        const want = published(row, labels[i] ?? 0, { theta, most });
        const point = [...got.slice(i * width, (i + 1) * width)];
        expect(point).toEqual(Number.isNaN(want[0]) ? row : want);
        if (!Number.isNaN(want[0])) reached++;
      });
      expect(reached).toBeGreaterThan(5);
      expect(reached).toBeLessThan(40);
    }
  });

  it("goes on with a single element where one change is left", async () => {
    const labels = Int32Array.from(rows, () => 1);
    for (const epsilon of [1, 3]) {
      const got = await attack({}, batchOf(from, { labels, targeted: true, epsilon }));
      const changes = changesOf(got, from);
      expect(Math.max(...changes)).toBe(epsilon);
    }
  });

  it("moves elements further in small steps, and counts each once", async () => {
    const labels = Int32Array.from(rows, () => 1);
    const options = { theta: 0.1, map: "single" } as const;
    const got = await attack(options, batchOf(from, { labels, targeted: true, epsilon: 3 }));
    const moved = got.map((v, i) => v - (from[i] ?? 0));
    expect(Math.max(...changesOf(got, from))).toBeLessThanOrEqual(3);
    expect(Math.max(...moved)).toBeGreaterThan(0.15);
  });

  it("moves each element one way, increased, decreased, or either", async () => {
    const moved = async (options: Parameters<typeof jsma>[0]) =>
      [...(await attack(options, batchOf(from)))].map((v, i) => v - (from[i] ?? 0));
    expect(Math.min(...(await moved({})))).toBe(0);
    expect(Math.max(...(await moved({ theta: -1 })))).toBe(0);
    const either = await moved({ bothWays: true });
    expect(Math.min(...either)).toBeLessThan(0);
    expect(Math.max(...either)).toBeGreaterThan(0);
  });

  it("spends no change on elements that have hardly any room", async () => {
    const near = from.map((v) => (v > 0.7 ? 0.995 : v));
    const labels = Int32Array.from(rows, () => 1);
    const movedOf = async (leastRoom: number) =>
      [...(await attack({ leastRoom }, batchOf(near, { labels, targeted: true })))]
        .map((v, i) => v - (near[i] ?? 0))
        .filter((d) => d > 0);
    expect(Math.min(...(await movedOf(0)))).toBeLessThan(0.01);
    expect(Math.min(...(await movedOf(0.01)))).toBeGreaterThan(0.01);
  });

  it("changes no more than gamma allows", async () => {
    const changes = changesOf(await attack({ gamma: 0.25, bothWays: true }, batchOf(from)), from);
    expect(Math.max(...changes)).toBe(3);
    expect(changesOf(await attack({ gamma: 0 }, batchOf(from)), from)).toEqual(new Float64Array(40));
  });

  it("aims at the class it is told to, or at each with the fewest changes", async () => {
    const right = rows.filter((row) => argMaxRows(Float32Array.from(logitsAt(row)), 3)[0] === 0);
    const values = Float32Array.from(right.flat());
    const found = async (target: "likeliest" | "least-likely" | "random" | "each", seed = 0) => {
      const got = await attack({ target, bothWays: true, of: "probabilities" }, batchOf(values, { seed }));
      return right.map((_, i) => changesOf(got, values)[i] || Infinity);
    };
    const [likeliest, unlikely, random, each] = [
      await found("likeliest"),
      await found("least-likely"),
      await found("random"),
      await found("each"),
    ];
    // With two classes beside the label each is as good as both, and random one or the other.
    each.forEach((changes, i) =>
      expect(changes).toBeLessThanOrEqual(Math.min(likeliest[i] ?? 0, unlikely[i] ?? 0)),
    );
    expect(each).not.toEqual(likeliest);
    random.forEach((changes, i) => expect([likeliest[i], unlikely[i]]).toContain(changes));
    expect(likeliest).not.toEqual(unlikely);
    const seeds = [random, await found("random", 1), await found("random", 2)].map(String);
    expect(new Set(seeds).size).toBeGreaterThan(1);
  });

  it("finds a way where probabilities are 1 and 0 to the last bit", async () => {
    const steep = linearClassifier(
      columns.map((column) => column.map((w) => 100 * w)),
      [1000, 0, 0],
      [0, 1],
    );
    const start = new Float32Array(width).fill(0.5);
    const got = await attack({ of: "probabilities", bothWays: true }, batchOf(start), steep);
    expect(changesOf(got, start)[0]).toBeGreaterThan(0);
  });

  it("refuses steps of no length and inputs without bounds", async () => {
    expect(() => jsma({ theta: 0 })).toThrow("jsma.theta: expected a number other than 0, got 0");
    const free = { ...classifier, bounds: [0, Infinity] as const };
    await expect(attack({}, batchOf(from), free)).rejects.toThrow(
      "jsma: expected inputs with finite bounds, got [0, Infinity]",
    );
  });
});
