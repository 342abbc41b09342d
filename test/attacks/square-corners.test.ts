// Square in L∞ asks only for what may change a point, and finds what asking for everything finds.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PassCounts } from "../../src/attacks/passes.js";
import { square } from "../../src/attacks/index.js";
import { intervals, squareStart, type Search } from "../../src/attacks/square-proposals.js";
import { gridOf, windowShare, windowSides } from "../../src/attacks/square-windows.js";
import { randomStream } from "../../src/base/random.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { localEngine, type Program, type Tensors } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { mlpClassifier, uniformPoints } from "../support/toy-models.js";

const [rows, width, classes, queries, epsilon, seed] = [12, 40, 5, 90, 0.02, 3];
const shape = [2, 5, 4];
const classifier = mlpClassifier(shape, [16, classes], { scale: 3 });
const grid = gridOf(shape);
const search: Search = { grid, threat: findThreat("linf"), bounds: [0, 1], epsilon, seed };
const points = uniformPoints(rows, classifier);
const engine = localEngine({ threads: 1 });
const rowOf = (values: Float32Array, row: number) => values.subarray(row * width, (row + 1) * width);

let judge: Program;
let labels: Int32Array;
async function logitsOf(values: Float32Array): Promise<Float32Array> {
  const { logits } = await judge.run({ input: floats([rows, ...shape], values.slice()) });
  return logits?.data as Float32Array;
}
beforeAll(async () => {
  judge = await engine.load(exportClassifier(classifier));
  labels = argMaxRows(await logitsOf(points), classes);
});
afterAll(() => engine.close());

/** What a query proposes to a row that stands at `best`: in a window each channel at one end. */
function proposal(query: number, sample: number, best: Float32Array, ends: ReturnType<typeof intervals>) {
  const share = windowShare(query - 1, { start: 0.8, queries, rescaled: true });
  const sides = windowSides(grid, share, { least: 1, odd: false });
  const words = new Uint32Array(6);
  randomStream(seed, "square").words(words, { sample, iteration: query });
  const corner = [5, 4].map((size, axis) =>
    Math.floor(((words[axis] ?? 0) / 2 ** 32) * (size - (sides[axis] ?? 0) + 1)),
  );
  return best.map((value, i) => {
    const [channel, cell] = [Math.floor(i / 20), [Math.floor((i % 20) / 4), i % 4]];
    const inside = cell.every((at, axis) => {
      const from = corner[axis] ?? 0;
      return at >= from && at < from + (sides[axis] ?? 0);
    });
    const up = (((words[5] ?? 0) >>> channel) & 1) === 1;
    return (inside ? (up ? ends.high : ends.low)[i] : value) ?? NaN;
  });
}

/** Every query of every row in turn, and how many of them propose another point than there is. */
async function everyQuery() {
  const best = new Float32Array(points.length);
  const ends = [...labels.keys()].map((row) => intervals(rowOf(points, row), search));
  for (const row of labels.keys()) best.set(squareStart(rowOf(points, row), row, search), row * width);
  const [held, resting, asked] = [
    new Float32Array(rows).fill(-Infinity),
    new Set<number>(),
    new Float64Array(rows),
  ];
  for (let query = 0; query <= queries; query++) {
    const moved = best.slice();
    for (const row of labels.keys()) {
      const [own, of] = [rowOf(best, row), ends[row]];
      if (query > 0 && of) moved.set(proposal(query, row, own, of), row * width);
      const changes = rowOf(moved, row).some((v, i) => v !== own[i]);
      if (!resting.has(row) && (query === 0 || changes)) asked[row] = (asked[row] ?? 0) + 1;
    }
    const logits = await logitsOf(moved);
    for (const [row, label] of labels.entries()) {
      const z = logits.subarray(row * classes, (row + 1) * classes);
      const margin = Math.fround(Math.max(...z.filter((_, i) => i !== label)) - (z[label] ?? NaN));
      if (resting.has(row)) continue;
      if (margin > (held[row] ?? NaN)) {
        best.set(rowOf(moved, row), row * width);
        held[row] = margin;
      }
      if (argMaxRows(z, classes)[0] !== label) resting.add(row);
    }
  }
  return { best, asked, fallen: resting.size };
}

/** Square on some rows, its points and counts, and how many rows and queries the engine ran. */
async function searched(indices: readonly number[]) {
  let ran = 0;
  const watch = (program: Program): Program => ({
    ...program,
    release: () => program.release(),
    run: (feeds: Tensors) => {
      ran += Number(feeds["iterations"]?.data[0]) * (feeds["best"]?.shape[0] ?? 0);
      return program.run(feeds);
    },
  });
  const watched = { ...engine, load: async (model: Uint8Array) => watch(await engine.load(model)) };
  const prepared = await square({ queries }).prepare({
    engine: watched,
    classifier,
    threat: findThreat("linf"),
  });
  const inputs = new Float32Array(indices.length * width);
  indices.forEach((index, i) => inputs.set(rowOf(points, index), i * width));
  const passes = new PassCounts(indices.length);
  const result = await prepared.perturb({
    ...{ inputs: floats([indices.length, ...shape], inputs), indices, epsilon, seed, passes },
    ...{ labels: Int32Array.from(indices, (i) => labels[i] ?? 0), targeted: false },
  });
  await prepared.release();
  return { result, passes, ran };
}

describe("square in L∞", () => {
  it("finds what all queries find, and counts those that propose another point", async () => {
    const { best, asked, fallen } = await everyQuery();
    const { result, passes, ran } = await searched([...labels.keys()]);
    expect(result).toEqual(best);
    expect([...passes.forward]).toEqual([...asked]);
    expect(fallen).toBeGreaterThan(0);
    expect(fallen).toBeLessThan(rows);
    // A run of the engine takes up to `queries` queries of every row.
    expect(ran).toBeLessThan(0.9 * rows * (queries + 1));
    for (const row of [0, 5, 11]) {
      const alone = await searched([row]);
      expect(alone.result).toEqual(rowOf(best, row));
      expect([...alone.passes.forward]).toEqual([asked[row]]);
    }
  });
});
