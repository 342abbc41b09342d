// The optimizer contract: every optimizer the registry exports is held to it by existing.
import { describe, expect, it } from "vitest";
import type { AnyUnit } from "../../src/base/options.js";
import { gradient } from "../../src/autodiff/gradient.js";
import { interpret } from "../../src/graph/interpret.js";
import { constant, input } from "../../src/graph/node.js";
import type { Array64 } from "../../src/graph/op.js";
import { add, mul, slice, sub, sum } from "../../src/ops/index.js";
import * as registry from "../../src/optim/index.js";
import type { Optimizer } from "../../src/optim/optimizer.js";
import type { Node } from "../../src/graph/node.js";

const optimizers = Object.entries(registry as Record<string, AnyUnit<Optimizer>>);

/** Runs `steps` steps on the loss over two parameters from `start`; returns the parameters after each. */
function descend(
  optimizer: Optimizer,
  lossOf: (w: Node) => Node,
  start: readonly number[],
  rate: number,
  steps: number,
): number[][] {
  const w = input("w", [2]);
  const slots = Object.fromEntries(Object.keys(optimizer.slots).map((name) => [name, input(name, [2])]));
  const [step, learningRate] = [input("step", []), input("rate", [])];
  const [g = w] = gradient(lossOf(w), [w]);
  const next = optimizer.update({ parameter: w, slots }, g, { learningRate, step });
  const names = Object.keys(slots);
  const outputs = [next.parameter, ...names.map((name) => next.slots[name] ?? constant(NaN))];
  let state: Float64Array[] = [
    Float64Array.from(start),
    ...names.map((name) => new Float64Array(2).fill(optimizer.slots[name] ?? 0)),
  ];
  return Array.from({ length: steps }, (_, i) => {
    const values: Record<string, Array64> = {
      w: { shape: [2], data: state[0] ?? new Float64Array() },
      step: { shape: [], data: Float64Array.of(i + 1) },
      rate: { shape: [], data: Float64Array.of(rate) },
    };
    names.forEach((name, k) => (values[name] = { shape: [2], data: state[k + 1] ?? new Float64Array() }));
    state = interpret(outputs, { batch: 1, values }).map((value) => value.data);
    return [...(state[0] ?? [])];
  });
}

const parabola = (w: Node): Node =>
  sum(mul(constant({ dtype: "float32", shape: [2], data: Float32Array.of(1, 4) }), mul(w, w)));
/** (1 − a)² + 10·(b − a²)². */
const rosenbrock = (w: Node): Node => {
  const [a, b] = [0, 1].map((i) => slice(w, { axes: [0], starts: [i], ends: [i + 1] }));
  if (!a || !b) throw new Error("two parameters");
  const valley = sub(b, mul(a, a));
  return sum(add(mul(sub(1, a), sub(1, a)), mul(10, mul(valley, valley))));
};

describe.each(optimizers)("%s", (_, make) => {
  it("finds the bottom of a parabola", () => {
    const [a = NaN, b = NaN] = descend(make(), parabola, [1, -1], 0.01, 600).at(-1) ?? [];
    expect(Math.hypot(a, b)).toBeLessThan(0.1);
  });

  it("goes down Rosenbrock's valley", () => {
    const path = descend(make(), rosenbrock, [-0.5, 0.5], 0.002, 500);
    const value = ([a = NaN, b = NaN]: readonly number[]): number => (1 - a) ** 2 + 10 * (b - a * a) ** 2;
    expect(value(path.at(-1) ?? [])).toBeLessThan(0.8 * value([-0.5, 0.5]));
  });

  it("does not move at a learning rate of 0", () => {
    expect(descend(make(), parabola, [1, -1], 0, 5).at(-1)).toEqual([1, -1]);
  });
});

/** The same steps on Σ c·w², written out. */
function reference(steps: number, update: (g: number, i: number, t: number) => number): number[][] {
  const w = [1, -1];
  return Array.from({ length: steps }, (_, s) => {
    [0, 1].forEach((i) => (w[i] = (w[i] ?? 0) + update(2 * (i === 0 ? 1 : 4) * (w[i] ?? 0), i, s + 1)));
    return [...w];
  });
}

const expectPath = (actual: readonly number[][], expected: readonly number[][]): void =>
  expected.forEach((point, s) => point.forEach((x, i) => expect(actual[s]?.[i]).toBeCloseTo(x, 5)));

describe("formulas", () => {
  it("sgd with momentum, Nesterov momentum and weight decay", () => {
    for (const nesterov of [false, true]) {
      const v = [0, 0];
      const w = [1, -1];
      const expected = reference(8, (g, i) => {
        const full = g + 0.1 * (w[i] ?? 0);
        v[i] = 0.9 * (v[i] ?? 0) + full;
        const change = -0.01 * (nesterov ? full + 0.9 * (v[i] ?? 0) : (v[i] ?? 0));
        w[i] = (w[i] ?? 0) + change;
        return change;
      });
      const optimizer = registry.sgd({ momentum: 0.9, nesterov, weightDecay: 0.1 });
      expectPath(descend(optimizer, parabola, [1, -1], 0.01, 8), expected);
    }
  });

  it("adam", () => {
    const [m, v] = [
      [0, 0],
      [0, 0],
    ];
    const expected = reference(8, (g, i, t) => {
      m[i] = 0.9 * (m[i] ?? 0) + 0.1 * g;
      v[i] = 0.999 * (v[i] ?? 0) + 0.001 * g * g;
      return (-0.01 * ((m[i] ?? 0) / (1 - 0.9 ** t))) / (Math.sqrt((v[i] ?? 0) / (1 - 0.999 ** t)) + 1e-8);
    });
    expectPath(descend(registry.adam(), parabola, [1, -1], 0.01, 8), expected);
  });

  it("rmsprop, with momentum and without, ε under the root", () => {
    for (const momentum of [0, 0.9]) {
      const [v, m] = [
        [1, 1],
        [0, 0],
      ];
      const expected = reference(8, (g, i) => {
        v[i] = 0.8 * (v[i] ?? 0) + 0.2 * g * g;
        m[i] = momentum * (m[i] ?? 0) + (0.01 * g) / Math.sqrt((v[i] ?? 0) + 0.5);
        return -(m[i] ?? 0);
      });
      const optimizer = registry.rmsprop({ decay: 0.8, momentum, epsilon: 0.5 });
      expectPath(descend(optimizer, parabola, [1, -1], 0.01, 8), expected);
    }
  });

  it("wame in the form adjusted after talk with the author", () => {
    const [last, zeta, Z, theta] = [
      [0, 0],
      [1, 1],
      [0, 0],
      [0, 0],
    ];
    const expected = reference(30, (g, i) => {
      const product = g * (last[i] ?? 0);
      const grown = (zeta[i] ?? 0) * (product > 0 ? 1.2 : product < 0 ? 0.1 : 1);
      zeta[i] = Math.min(Math.max(grown, 0.01), 100);
      Z[i] = 0.9 * (Z[i] ?? 0) + 0.1 * (zeta[i] ?? 0);
      theta[i] = 0.9 * (theta[i] ?? 0) + 0.1 * g * g;
      last[i] = g;
      return (-0.02 * (Z[i] ?? 0) * g) / (Math.sqrt(theta[i] ?? 0) + 1e-11);
    });
    expectPath(descend(registry.wame(), parabola, [1, -1], 0.02, 30), expected);
  });

  it("wame in the author's ratio form", () => {
    const [last, zeta, Z, v] = [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ];
    const expected = reference(20, (g, i, t) => {
      const product = g * (last[i] ?? 0);
      const grown = (zeta[i] ?? 0) * (product > 0 ? 1.2 : product < 0 ? 0.1 : 1);
      zeta[i] = Math.min(Math.max(grown, 0.01), 100);
      Z[i] = 0.9 * (Z[i] ?? 0) + 0.1 * (zeta[i] ?? 0);
      v[i] = 0.999 * (v[i] ?? 0) + 0.001 * g * g;
      last[i] = g;
      const correction = Math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t);
      return (-0.01 * correction * ((zeta[i] ?? 0) / (Z[i] ?? 1)) * g) / (Math.sqrt(v[i] ?? 0) + 1e-11);
    });
    expectPath(descend(registry.wame({ variant: "ratio" }), parabola, [1, -1], 0.01, 20), expected);
  });

  it("rprop as iRprop−: no step where the sign has changed, none remembered after it", () => {
    const [last, size] = [
      [0, 0],
      [0.1, 0.1],
    ];
    let changes = 0;
    const expected = reference(25, (g, i) => {
      const agreement = Math.sign(g) * (last[i] ?? 0);
      if (agreement < 0) changes++;
      const grown = (size[i] ?? 0) * (agreement > 0 ? 1.2 : agreement < 0 ? 0.5 : 1);
      size[i] = Math.min(Math.max(grown, 1e-6), 0.3);
      last[i] = agreement < 0 ? 0 : Math.sign(g);
      return -(size[i] ?? 0) * (last[i] ?? 0);
    });
    expectPath(descend(registry.rprop({ most: 0.3 }), parabola, [1, -1], 1, 25), expected);
    expect(changes).toBeGreaterThan(4);
  });
});
