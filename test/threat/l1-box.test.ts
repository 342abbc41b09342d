// The projection on the L1 ball within the box, against slow halving in float64.
import { afterAll, expect, it } from "vitest";
import { B } from "../../src/base/shape.js";
import { randomStream } from "../../src/base/random.js";
import { floats, scalar } from "../../src/base/tensor.js";
import { graphFunction } from "../../src/graph/function.js";
import { input } from "../../src/graph/node.js";
import { exportFunction } from "../../src/onnx/export.js";
import { localEngine } from "../../src/runtime/engine.js";
import { l1 } from "../../src/threat/index.js";
import { projectL1IntoBox } from "../../src/threat/l1-box.js";
import type { Bounds } from "../../src/threat/threat.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const [rows, columns] = [24, 300];

async function project(delta: Float32Array, from: Float32Array, radius: number, bounds: Bounds) {
  const [d, center, epsilon] = [
    input("d", [B, columns]),
    input("center", [B, columns]),
    input("epsilon", []),
  ];
  const result = projectL1IntoBox(d, { center, epsilon, bounds });
  const program = await engine.load(exportFunction(graphFunction("f", [d, center, epsilon], { result })));
  const shape = [delta.length / columns, columns];
  const out = await program.run({
    d: floats(shape, delta.slice()),
    center: floats(shape, from.slice()),
    epsilon: scalar(radius),
  });
  await program.release();
  return out["result"]?.data as Float32Array;
}

/** sign(δ)·min(max(|δ| − λ, 0), room) with λ by 200 halvings. */
function exact(delta: readonly number[], from: readonly number[], radius: number, [low, high]: Bounds) {
  const room = delta.map((d, i) => (d > 0 ? high - (from[i] ?? NaN) : (from[i] ?? NaN) - low));
  const at = (threshold: number) =>
    delta.map((d, i) => Math.sign(d) * Math.min(Math.max(Math.abs(d) - threshold, 0), room[i] ?? NaN));
  const length = (d: readonly number[]) => d.reduce((total, v) => total + Math.abs(v), 0);
  if (length(at(0)) <= radius) return at(0);
  let [below, above] = [0, Math.max(...delta.map(Math.abs))];
  for (let halving = 0; halving < 200; halving++) {
    const middle = (below + above) / 2;
    if (length(at(middle)) > radius) below = middle;
    else above = middle;
  }
  return at(above);
}

/** Perturbations of many kinds: dense, sparse, longer than the box is wide, of many magnitudes. */
function samples(bounds: Bounds) {
  const [delta, from] = [new Float32Array(rows * columns), new Float32Array(rows * columns)];
  const stream = randomStream(3, "samples");
  stream.normal(delta, { sample: 0 });
  stream.uniform(from, { sample: 1 }, bounds);
  delta.forEach((d, i) => {
    const kind = Math.floor(i / columns) % 4;
    if (kind === 1) delta[i] = i % 9 === 0 ? d : 0;
    if (kind === 2) delta[i] = 10 * d;
    if (kind === 3) delta[i] = d ** 3;
    // As in images, many values lie at a bound.
    if (i % 3 > 0) from[i] = bounds[i % 2] ?? 0;
  });
  return { delta, from };
}

it.each([
  [0.01, [0, 1]],
  [1, [0, 1]],
  [12, [0, 1]],
  [150, [0, 1]],
  [5, [-1, 3]],
] as const)("is the nearest point for ε = %d in %j", async (radius, bounds) => {
  const { delta, from } = samples(bounds);
  const got = await project(delta, from, radius, bounds);
  const epsilon = Math.fround(radius);
  for (let row = 0; row < rows; row++) {
    const [d, center, own] = [delta, from, got].map((all) => [
      ...all.slice(row * columns, (row + 1) * columns),
    ]);
    if (!d || !center || !own) throw new Error("no row");
    exact(d, center, epsilon, bounds).forEach((v, i) =>
      expect(Math.abs((own[i] ?? NaN) - v)).toBeLessThan(1e-5 + 3e-5 * radius),
    );
    own.forEach((v, i) => {
      const moved = Math.fround((center[i] ?? NaN) + v);
      expect(moved).toBeGreaterThanOrEqual(bounds[0] - 3e-7);
      expect(moved).toBeLessThanOrEqual(bounds[1] + 3e-7);
    });
  }
  const distances = l1.distance(got, columns);
  for (const distance of distances) expect(distance).toBeLessThanOrEqual(epsilon * (1 + 1e-5));
});

it("moves nothing at ε = 0, and gives a row the same bytes in every batch", async () => {
  const { delta, from } = samples([0, 1]);
  const none = await project(delta, from, 0, [0, 1]);
  expect(none.every((v) => v === 0)).toBe(true);
  const all = await project(delta, from, 4, [0, 1]);
  const part = await project(
    delta.slice(5 * columns, 9 * columns),
    from.slice(5 * columns, 9 * columns),
    4,
    [0, 1],
  );
  expect(part).toEqual(all.slice(5 * columns, 9 * columns));
});
