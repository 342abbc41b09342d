// Norm balls: projections hold and are nearest, steps are steepest, starts are inside, and the box is kept.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { B } from "../../src/base/shape.js";
import { randomStream } from "../../src/base/random.js";
import { floats, scalar } from "../../src/base/tensor.js";
import { graphFunction } from "../../src/graph/function.js";
import { input, type Node } from "../../src/graph/node.js";
import { exportFunction } from "../../src/onnx/export.js";
import { add, div, mul } from "../../src/ops/arithmetic.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import * as threats from "../../src/threat/index.js";
import { l0 } from "../../src/threat/l0.js";
import { l1 } from "../../src/threat/l1.js";
import { l2 } from "../../src/threat/l2.js";
import { linf } from "../../src/threat/linf.js";
import { rowSums } from "../../src/threat/rows.js";
import {
  asNorm,
  checkRadius,
  intoBallAndBox,
  type Bounds,
  type NormThreat,
  type Threat,
} from "../../src/threat/threat.js";
import { leastNorm } from "../support/least-norm.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const columns = 7;
const bounds: Bounds = [0, 1];
const x = input("x", [B, columns]);
const y = input("y", [B, columns]);
const radius = input("radius", []);

type Compute = (x: Float32Array, y: Float32Array, radius: number) => Promise<Float32Array>;

/** A function of two [n, columns] arrays and a scalar, run by ONNX Runtime. */
async function compile(result: Node): Promise<Compute> {
  const program = await engine.load(exportFunction(graphFunction("f", [x, y, radius], { result })));
  return async (a, b, r) => {
    const shape = [a.length / columns, columns];
    const out = await program.run({
      x: floats(shape, a.slice()),
      y: floats(shape, b.slice()),
      radius: scalar(r),
    });
    return out["result"]?.data as Float32Array;
  };
}

const number = (min: number, max: number) =>
  fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true });
const row = (min: number, max: number) =>
  fc.array(number(min, max), { minLength: columns, maxLength: columns });
const epsilon = number(2 ** -10, 4);
const radiusOf = ({ counts }: Threat) => (counts === true ? fc.integer({ min: 1, max: columns }) : epsilon);
const one = (values: readonly number[]): Float32Array => Float32Array.from(values);
const difference = (a: Float32Array, b: Float32Array): Float32Array => a.map((v, i) => v - (b[i] ?? 0));

/** Whether each of `sizes` is among the r largest, of equal ones the first. */
const amongLargest = (sizes: readonly number[], r: number): boolean[] => {
  const order = [...sizes.keys()].sort((i, j) => (sizes[j] ?? 0) - (sizes[i] ?? 0) || i - j);
  return sizes.map((_, i) => order.indexOf(i) < r);
};

/** Euclidean projections in float64, by sorting for L1 (Duchi et al. 2008) and L0. */
const exact: Record<string, (delta: readonly number[], r: number) => number[]> = {
  linf: (delta, r) => delta.map((d) => Math.max(-r, Math.min(r, d))),
  l2: (delta, r) => delta.map((d) => d * Math.min(1, r / Math.hypot(...delta))),
  l0: (delta, r) => {
    const kept = amongLargest(delta.map(Math.abs), r);
    return delta.map((d, i) => (kept[i] ? d : 0));
  },
  l1: (delta, r) => {
    const sizes = delta.map(Math.abs).sort((a, b) => b - a);
    if (sizes.reduce((a, b) => a + b, 0) <= r) return [...delta];
    let threshold = 0;
    let total = 0;
    sizes.forEach((size, i) => {
      total += size;
      if (size > (total - r) / (i + 1)) threshold = (total - r) / (i + 1);
    });
    return delta.map((d) => Math.sign(d) * Math.max(Math.abs(d) - threshold, 0));
  },
};

/** max ⟨g, d⟩ subject to ‖d‖ ≤ r: the dual norm of g times r. */
const dual: Record<string, (g: readonly number[]) => number> = {
  linf: (g) => g.reduce((a, v) => a + Math.abs(v), 0),
  l2: (g) => Math.hypot(...g),
  l1: (g) => Math.max(...g.map(Math.abs)),
};

/** The distance of one row in the threat's norm. */
const distanceIn =
  (threat: Threat) =>
  (delta: Float32Array): number =>
    threat.distance(delta, delta.length)[0] ?? NaN;

describe.each(Object.entries(threats as Record<string, Threat>))("%s", (name, threat) => {
  const tolerance = threat.tolerance(columns, bounds);
  const distanceOf = distanceIn(threat);

  it("is found by its name", () => {
    expect(threat.name).toBe(name);
    expect(findThreat(name)).toBe(threat);
  });

  it("projects to the nearest point of the ball", async () => {
    const project = await compile(threat.project(x, radius));
    const property = fc.asyncProperty(row(-2, 2), radiusOf(threat), async (delta, r) => {
      const got = await project(one([...delta, ...delta]), one([...delta, ...delta]), r);
      const want = exact[name]?.(delta, r) ?? [];
      want.forEach((v, i) => expect(Math.abs((got[i] ?? NaN) - v)).toBeLessThanOrEqual(2 ** -20));
      expect(distanceOf(got.slice(0, columns))).toBeLessThanOrEqual(r + 4 * tolerance);
    });
    await fc.assert(property, { numRuns: 300, seed: 1 });
  });

  it("leaves points inside the ball as they are", async () => {
    const project = await compile(threat.project(x, radius));
    const property = fc.asyncProperty(row(-1, 1), async (delta) => {
      const got = await project(one(delta), one(delta), columns * 1.001);
      expect([...got].map((v) => v + 0)).toEqual([...one(delta)].map((v) => v + 0));
    });
    await fc.assert(property, { numRuns: 100, seed: 2 });
  });

  it("keeps ball and box together", async () => {
    const into = await compile(intoBallAndBox(threat, y, { center: x, epsilon: radius, bounds }));
    const property = fc.asyncProperty(row(0, 1), row(-3, 3), radiusOf(threat), async (center, moved, r) => {
      const got = await into(one(center), one(moved), r);
      expect(distanceOf(difference(got, one(center)))).toBeLessThanOrEqual(r + tolerance);
      for (const v of got) expect(v >= 0 && v <= 1).toBe(true);
    });
    await fc.assert(property, { numRuns: 300, seed: 3 });
  });

  it("steps by no amount along a zero gradient, and by the whole length along a tiny one", async () => {
    const steepest = await compile(threat.steepest(y, { from: x, length: radius, bounds }));
    const center = new Float32Array(2 * columns).fill(0.5);
    const gradient = new Float32Array(2 * columns);
    gradient[columns + 2] = -1e-28;
    const [length, way] = threat.counts === true ? [1, 0.5] : [0.25, 0.25];
    const step = await steepest(center, gradient, length);
    expect([...step].map((v) => v + 0)).toEqual([...gradient].map((v) => (v === 0 ? 0 : -way)));
  });

  it("measures distances in float64, row by row", () => {
    const delta = Float32Array.of(3, -4, 0, 0, 1, 0);
    const want = { linf: [4, 1], l2: [5, 1], l1: [7, 1], l0: [2, 1] }[name];
    expect([...threat.distance(delta, 3)]).toEqual(want);
  });
});

describe.each(Object.entries({ linf, l2, l1 } as Record<string, NormThreat>))(
  "%s, a norm",
  (name, threat) => {
    const tolerance = threat.tolerance(columns, bounds);
    const distanceOf = distanceIn(threat);

    it("steps as steeply as its dual norm allows, within the length", async () => {
      const free: Bounds = [-Infinity, Infinity];
      const steepest = await compile(threat.steepest(y, { from: x, length: radius, bounds: free }));
      const property = fc.asyncProperty(row(-2, 2), epsilon, async (g, r) => {
        const step = await steepest(one(g), one(g), r);
        const reached = step.reduce((a, v, i) => a + v * (g[i] ?? 0), 0);
        const best = r * (dual[name]?.(g) ?? NaN);
        expect(reached).toBeGreaterThanOrEqual(best * (1 - 2 ** -20) - 1e-37);
        expect(distanceOf(step)).toBeLessThanOrEqual(r * (1 + 2 ** -21));
      });
      await fc.assert(property, { numRuns: 300, seed: 4 });
    });

    it("goes the shortest way to a hyperplane, or as far as the box allows", async () => {
      const rise = add(mul(rowSums(x), 0), radius);
      const shortest = await compile(threat.shortest(y, { from: x, rise, bounds }));
      // Sixteenths: what float32 cannot tell from the room's end decides nothing here.
      const sixteenths = (low: number, high: number) =>
        fc.array(
          fc.integer({ min: 16 * low, max: 16 * high }).map((k) => k / 16),
          { minLength: columns, maxLength: columns },
        );
      const property = fc.asyncProperty(
        sixteenths(0, 1),
        sixteenths(-2, 2),
        number(-6, 6),
        async (from, g, wanted) => {
          const got = await shortest(one(from), one(g), wanted);
          const room = from.map((v, i) => ((g[i] ?? 0) * wanted > 0 ? 1 - v : v));
          const capacity = room.reduce((a, r, i) => a + r * Math.abs(g[i] ?? 0), 0);
          const target = Math.min(Math.abs(wanted), capacity);
          const reached = got.reduce((a, v, i) => a + v * (g[i] ?? 0), 0) * Math.sign(wanted);
          expect(Math.abs(reached - target)).toBeLessThanOrEqual(1e-5 * Math.max(...g.map(Math.abs)));
          const least = leastNorm(name, g.map(Math.abs), room, target);
          expect(distanceOf(got)).toBeLessThanOrEqual(least * (1 + 1e-5) + 1e-5);
          got.forEach((v, i) =>
            expect(v + (from[i] ?? 0) >= -1e-7 && v + (from[i] ?? 0) <= 1 + 1e-7).toBe(true),
          );
        },
      );
      await fc.assert(property, { numRuns: 300, seed: 5 });
    });

    it("goes by rise / dual norm where there is no box, along tiny gradients too", async () => {
      const free: Bounds = [-Infinity, Infinity];
      const rise = add(mul(rowSums(x), 0), radius);
      const shortest = await compile(threat.norm(threat.shortest(y, { from: x, rise, bounds: free })));
      const ratio = await compile(div(radius, threat.dualNorm(y)));
      const property = fc.asyncProperty(
        row(-2, 2),
        fc.constantFrom(1, 1e-18),
        epsilon,
        async (g, scale, wanted) => {
          fc.pre(Math.max(...g.map(Math.abs)) > 2 ** -8);
          const gradient = one(g.map((v) => v * scale));
          const [got, want] = [
            await shortest(gradient, gradient, wanted * scale),
            await ratio(gradient, gradient, wanted * scale),
          ];
          expect(Math.abs((got[0] ?? NaN) / (want[0] ?? NaN) - 1)).toBeLessThan(1e-5);
          expect(await shortest(one(g), new Float32Array(columns), wanted)).toEqual(one([0]));
        },
      );
      await fc.assert(property, { numRuns: 100, seed: 6 });
    });

    it("starts uniformly in the ball, the same point for the same position", () => {
      const out = new Float32Array(columns);
      const again = new Float32Array(columns);
      const start = { center: new Float32Array(columns).fill(0.5), epsilon: 0.3, bounds };
      const radii = Array.from({ length: 4000 }, (_, sample) => {
        threat.randomStart(randomStream(3, "start"), { sample }, start, out);
        expect(distanceOf(out)).toBeLessThanOrEqual(0.3 + tolerance);
        return distanceOf(out) / 0.3;
      });
      threat.randomStart(randomStream(3, "start"), { sample: 3999 }, start, again);
      expect(again).toEqual(out);
      // ‖δ‖/ε of a uniform point has mean d/(d + 1).
      const mean = radii.reduce((a, b) => a + b, 0) / radii.length;
      expect(Math.abs(mean - columns / (columns + 1))).toBeLessThan(0.01);
    });

    it("withdraws perturbations into the ball on the host", () => {
      const delta = one([0.5, -2, 0.25, 1, -0.125, 0, 1]);
      const distance = distanceOf(delta);
      const withdrawn = delta.slice();
      threat.withdraw(withdrawn, { epsilon: distance / 2, distance });
      expect(withdrawn).toEqual(delta.map((d) => d / 2));
    });
  },
);

describe("l1", () => {
  it("spends a step on the largest coordinates, each to its bound", async () => {
    const steepest = await compile(findThreat("l1").steepest(y, { from: x, length: radius, bounds }));
    const from = one([0.5, 0.75, 0.25, 1, 0, 0.5, 0.5]);
    const gradient = one([-1, 4, 3, 9, -8, 2, 0]);
    expect([...(await steepest(from, gradient, 1.5))].map((v) => v + 0)).toEqual([
      0, 0.25, 0.75, 0, 0, 0.5, 0,
    ]);
    expect([...(await steepest(from, gradient, 9))].map((v) => v + 0)).toEqual([
      -0.5, 0.25, 0.75, 0, 0, 0.5, 0,
    ]);
  });

  it("projects long rows with sizes of many magnitudes", async () => {
    const d = 785;
    const wide = input("x", [B, d]);
    const fn = graphFunction("f", [wide, radius], { result: findThreat("l1").project(wide, radius) });
    const program = await engine.load(exportFunction(fn));
    for (const [seed, r] of [
      [1, 0.5],
      [2, 5],
      [3, 40],
    ] as const) {
      const delta = new Float32Array(2 * d);
      randomStream(seed, "wide").normal(delta, { sample: 0 });
      const skewed = delta.map((v, i) => (i < d ? v : Math.sign(v) * 2 ** (-((i * 37) % 40) / 2)));
      const { result } = await program.run({ x: floats([2, d], skewed.slice()), radius: scalar(r) });
      [0, d].forEach((start) => {
        const want = exact["l1"]?.([...skewed.subarray(start, start + d)], r) ?? [];
        want.forEach((v, i) => expect(Math.abs(Number(result?.data[start + i]) - v)).toBeLessThan(2e-6));
      });
    }
  });
});

describe("l0", () => {
  it("keeps so many elements of many equal or nearly equal ones, the first", async () => {
    const d = 785;
    const wide = input("x", [B, d]);
    const fn = graphFunction("f", [wide, radius], { result: l0.project(wide, radius) });
    const program = await engine.load(exportFunction(fn));
    const delta = Float32Array.from({ length: 2 * d }, (_, i) => (i < d ? 0.5 : -1 + (i % 3) * 2 ** -24));
    for (const r of [0, 1, 2, 300, 784, 785, 900]) {
      const { result } = await program.run({ x: floats([2, d], delta.slice()), radius: scalar(r) });
      const kept = Float32Array.from(delta, (v, i) => (i % d < r ? v : 0));
      expect(l0.distance(result?.data as Float32Array, d)).toEqual(new Float64Array(2).fill(Math.min(r, d)));
      expect((result?.data as Float32Array).slice(0, d)).toEqual(kept.slice(0, d));
    }
  });

  it("projects on ball and box together: what the box cuts off counts for nothing", async () => {
    const into = await compile(intoBallAndBox(l0, y, { center: x, epsilon: radius, bounds }));
    const property = fc.asyncProperty(
      row(0, 1),
      row(-3, 3),
      fc.integer({ min: 1, max: columns }),
      async (center, moved, r) => {
        const got = await into(one(center), one(moved), r);
        const boxed = moved.map((m) => Math.min(Math.max(m, 0), 1));
        const gains = moved.map((m, i) => (m - (center[i] ?? 0)) ** 2 - (m - (boxed[i] ?? 0)) ** 2);
        const best = [...gains].sort((a, b) => b - a).slice(0, r);
        const gained = moved.map((m, i) => (m - (center[i] ?? 0)) ** 2 - (m - (got[i] ?? 0)) ** 2);
        const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
        expect(Math.abs(sum(gained) - sum(best))).toBeLessThan(1e-5);
      },
    );
    await fc.assert(property, { numRuns: 200, seed: 7 });
  });

  it("spends a step on the elements that gain most, each to its bound", async () => {
    const steepest = await compile(l0.steepest(y, { from: x, length: radius, bounds }));
    const property = fc.asyncProperty(
      row(0, 1),
      row(-2, 2),
      fc.integer({ min: 1, max: columns }),
      async (from, g, r) => {
        const step = await steepest(one(from), one(g), r);
        const worth = g.map((v, i) => Math.abs(v) * (v > 0 ? 1 - (from[i] ?? 0) : (from[i] ?? 0)));
        const best = [...worth].sort((a, b) => b - a).slice(0, r);
        const reached = step.reduce((a, v, i) => a + v * (g[i] ?? 0), 0);
        expect(Math.abs(reached - best.reduce((a, b) => a + b, 0))).toBeLessThan(1e-5);
        expect(l0.distance(step, columns)[0]).toBeLessThanOrEqual(r);
      },
    );
    await fc.assert(property, { numRuns: 200, seed: 8 });
  });

  it("starts at so many elements at random, uniform in the box", () => {
    const center = new Float32Array(columns).fill(0.25);
    const out = new Float32Array(columns);
    const [hits, values] = [new Array<number>(columns).fill(0), [] as number[]];
    for (let sample = 0; sample < 3000; sample++) {
      l0.randomStart(randomStream(3, "start"), { sample }, { center, epsilon: 3, bounds }, out);
      expect(l0.distance(out, columns)[0]).toBe(3);
      out.forEach((d, i) => {
        if (d === 0) return;
        hits[i] = (hits[i] ?? 0) + 1;
        values.push(d + 0.25);
      });
    }
    for (const hit of hits) expect(Math.abs(hit / 3000 - 3 / columns)).toBeLessThan(0.04);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThanOrEqual(1);
    expect(Math.abs(values.reduce((a, b) => a + b, 0) / values.length - 0.5)).toBeLessThan(0.02);
  });

  it("withdraws to the largest changes, and those alone", () => {
    const delta = one([0.5, -2, 0.25, 1, -0.125, 0, 1]);
    l0.withdraw(delta, { epsilon: 3, distance: 6 });
    expect(delta).toEqual(one([0, -2, 0, 1, 0, 0, 1]));
  });

  it("needs a box, counts whole elements, and has no ways to hyperplanes", () => {
    const free: Bounds = [-Infinity, 1];
    const refused = "l0: expected inputs with finite bounds, got [-Infinity, 1]";
    expect(() => l0.steepest(y, { from: x, length: 2, bounds: free })).toThrow(refused);
    const out = new Float32Array(columns);
    const start = { center: out, epsilon: 1, bounds: free };
    expect(() => l0.randomStart(randomStream(0, "start"), { sample: 0 }, start, out)).toThrow(refused);
    expect(() => checkRadius(l0, 0.5, "fgsm")).toThrow(
      "fgsm: expected a whole number of input elements as ε in l0, got 0.5",
    );
    expect(() => checkRadius(l0, Infinity, "fgsm")).not.toThrow();
    expect(() => checkRadius(l1, 0.5, "fgsm")).not.toThrow();
    expect(() => asNorm(l0)).toThrow("threat: expected a norm, for ways to hyperplanes, got 'l0'");
  });
});

describe("an unknown norm", () => {
  it("is named, with the known ones and the nearest", () => {
    expect(() => findThreat("lin", "audit --norm")).toThrow(
      "audit --norm: unknown norm 'lin' – did you mean 'linf'? (known: l0, l1, l2, linf)",
    );
  });
});
