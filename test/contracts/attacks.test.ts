// The attack contract: every attack the registry exports is held to it by existing, in each norm it supports.
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import type { Attack, AttackBatch, AttackFactory } from "../../src/attacks/attack.js";
import { attackNames, createAttack } from "../../src/attacks/create.js";
import * as registry from "../../src/attacks/index.js";
import { randomStream } from "../../src/base/random.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { linearClassifier, mlpClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 2 });
afterAll(() => engine.close());

/** Options under which each attack is tried, beside its defaults; few steps keep the suite short. */
const variants: Record<string, readonly Record<string, unknown>[]> = {
  pgd: [{ steps: 12 }, { steps: 7, restarts: 3, stepSize: 0.05 }, { steps: 6, randomStart: false }],
};
const epsilons: Record<string, number> = { linf: 0.1, l2: 0.7, l1: 2.5 };

const width = 21;
const mlp = mlpClassifier([3, 7], [16, 5], { scale: 3 });
const points = uniformPoints(131, mlp);

async function logitsOf(classifier: Classifier, inputs: Float32Array): Promise<Float32Array> {
  const program = await engine.load(exportClassifier(classifier));
  const shape = [
    inputs.length / classifier.model.inputShape.reduce((a, b) => a * b, 1),
    ...classifier.model.inputShape,
  ];
  const { logits } = await program.run({ input: floats(shape, inputs.slice()) });
  await program.release();
  return logits?.data as Float32Array;
}

/** −log softmax(z)_y of each row. */
function crossEntropies(logits: Float32Array, labels: Int32Array): number[] {
  const classes = logits.length / labels.length;
  return [...labels].map((label, row) => {
    const z = [...logits.subarray(row * classes, (row + 1) * classes)];
    return Math.log(z.reduce((total, value) => total + Math.exp(value - (z[label] ?? 0)), 0));
  });
}

const predictions = argMaxRows(await logitsOf(mlp, points), 5);

const batchOf = (
  epsilon: number,
  from: number,
  to: number,
  more: Partial<AttackBatch> = {},
): AttackBatch => ({
  inputs: floats([to - from, 3, 7], points.slice(from * width, to * width)),
  labels: predictions.slice(from, to),
  targeted: false,
  indices: Array.from({ length: to - from }, (_, i) => from + i),
  epsilon,
  seed: 4,
  ...more,
});

async function perturb(
  attack: Attack,
  norm: string,
  batch: AttackBatch,
  classifier = mlp,
): Promise<Float32Array> {
  const prepared = await attack.prepare({ engine, classifier, threat: findThreat(norm) });
  const result = await prepared.perturb(batch);
  await prepared.release();
  return result;
}

/** Attacks with the options to try, by a title for each. */
const cases = Object.entries(registry satisfies Record<string, AttackFactory>).flatMap(([name, factory]) =>
  [{}, ...(variants[name] ?? [])].map((options) => {
    const attack = (factory as AttackFactory)(options as never);
    return [`${name} ${JSON.stringify(options)}`, attack] as const;
  }),
);
const withNorms = cases.flatMap(([title, attack]) =>
  attack.norms.map((norm) => [`${title} ${norm}`, attack, norm, epsilons[norm] ?? 0] as const),
);

describe("the registry", () => {
  it("names each attack as its export", () => {
    expect([...attackNames].sort()).toEqual(Object.keys(registry).sort());
    for (const name of attackNames) expect(createAttack(name).name).toBe(name);
  });

  it("refuses what it does not know, by name", () => {
    expect(() => createAttack("fgms")).toThrow(
      `attack: unknown attack 'fgms' – did you mean 'fgsm'? (known: ${attackNames.join(", ")})`,
    );
    expect(() => createAttack("pgd", { step: 3 })).toThrow(
      "pgd: unknown option 'step' – did you mean 'steps'?",
    );
    expect(() => createAttack("fgsm", { steps: 3 })).toThrow("fgsm: unknown option 'steps' (known: none)");
  });
});

describe.each(cases)("%s", (_, attack) => {
  it("refuses a norm it does not know, and batches that do not fit", async () => {
    const threat = { ...findThreat("linf"), name: "l7" };
    await expect(attack.prepare({ engine, classifier: mlp, threat })).rejects.toThrow(
      `${attack.name}: expected a norm out of ${attack.norms.join(", ")}, got 'l7'`,
    );
    const wrong: [Partial<AttackBatch>, string][] = [
      [{ epsilon: -0.1 }, "expected a finite ε of at least 0, got -0.1"],
      [{ epsilon: NaN }, "expected a finite ε of at least 0, got NaN"],
      [{ labels: Int32Array.of(0, 5) }, "expected labels from 0 to 4, got 5"],
      [{ labels: Int32Array.of(0) }, "expected 2 labels, got 1"],
      [{ indices: [0] }, "expected 2 indices, got 1"],
      [
        { inputs: floats([2, 21], points.slice(0, 42)) },
        "expected float32 inputs [n, 3, 7], got float32 [2, 21]",
      ],
    ];
    for (const [more, message] of wrong)
      await expect(perturb(attack, "linf", batchOf(0.1, 0, 2, more))).rejects.toThrow(
        `${attack.name}: ${message}`,
      );
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("stopped by the user"));
    const prepared = await attack.prepare({ engine, classifier: mlp, threat: findThreat("linf"), signal });
    await expect(prepared.perturb(batchOf(0.1, 0, 2))).rejects.toThrow("stopped by the user");
  });
});

describe.each(withNorms)("%s", (_, attack, norm, epsilon) => {
  const threat = findThreat(norm);

  it("stays in ball and box before any clipping, and never touches its inputs", async () => {
    for (const radius of [epsilon / 20, epsilon, epsilon * 6]) {
      const batch = batchOf(radius, 0, 100);
      const got = await perturb(attack, norm, batch);
      expect(batch.inputs.data).toEqual(points.slice(0, 100 * width));
      expect(batch.labels).toEqual(predictions.slice(0, 100));
      const distances = threat.distance(
        got.map((v, i) => v - (points[i] ?? NaN)),
        width,
      );
      for (const distance of distances)
        expect(distance).toBeLessThanOrEqual(radius + threat.tolerance(width, [0, 1]));
      for (const v of got) expect(v >= 0 && v <= 1).toBe(true);
    }
  });

  it("is the identity at ε = 0", async () => {
    expect(await perturb(attack, norm, batchOf(0, 0, 5))).toEqual(points.slice(0, 5 * width));
  });

  it("brings points down, and gives the same bytes for the same seed", async () => {
    const got = await perturb(attack, norm, batchOf(epsilon, 0, 100));
    expect(await perturb(attack, norm, batchOf(epsilon, 0, 100))).toEqual(got);
    const after = argMaxRows(await logitsOf(mlp, got), 5);
    expect(after.filter((c, i) => c !== predictions[i]).length).toBeGreaterThan(20);
  });

  it("gives an image the same bytes in every batch of 1 to 128", async () => {
    const prepared = await attack.prepare({ engine, classifier: mlp, threat });
    const all = await prepared.perturb(batchOf(epsilon, 0, 128));
    for (const size of [1, 2, 3, 7, 31, 64, 127])
      for (const from of [0, 1, 60]) {
        const to = Math.min(from + size, 128);
        const got = await prepared.perturb(batchOf(epsilon, from, to));
        expect(got).toEqual(all.slice(from * width, to * width));
      }
    await prepared.release();
  });

  it("lowers the loss of the class it aims at", async () => {
    const targets = predictions.slice(0, 60).map((label) => (label + 1) % 5);
    const got = await perturb(attack, norm, batchOf(epsilon, 0, 60, { labels: targets, targeted: true }));
    const before = crossEntropies((await logitsOf(mlp, points)).slice(0, 300), targets);
    const after = crossEntropies(await logitsOf(mlp, got), targets);
    const lower = after.filter((loss, i) => loss < (before[i] ?? 0)).length;
    expect(lower).toBeGreaterThan(55);
  });

  it("keeps its direction where the softmax saturates", async () => {
    const columns = [0, 1].map((c) =>
      Array.from({ length: width }, (__, i) => (c === 0 ? 1 : -1) * (1 + (i % 5)) * 40),
    );
    const steep = linearClassifier(columns, [3000, 0], [0, 1]);
    const batch: AttackBatch = {
      inputs: floats([3, width], points.slice(0, 3 * width)),
      labels: Int32Array.of(0, 0, 0),
      targeted: false,
      indices: [0, 1, 2],
      epsilon,
      seed: 0,
    };
    const before = await logitsOf(steep, points.slice(0, 3 * width));
    const after = await logitsOf(steep, await perturb(attack, norm, batch, steep));
    for (const row of [0, 2, 4]) expect(after[row]).toBeLessThan(before[row] ?? 0);
  });

  it("runs as one ONNX file in plain ONNX Runtime, with the same bytes", async () => {
    for (const targeted of [false, true]) {
      const labels = predictions.slice(0, 40).map((label) => (targeted ? (label + 2) % 5 : label));
      const batch = batchOf(epsilon, 0, 40, { labels, targeted });
      const file = attack.toOnnx?.({ classifier: mlp, threat }, { targeted });
      if (file === undefined) return;
      const session = await ort.InferenceSession.create(file);
      expect(session.outputNames).toEqual(["adversarial"]);
      const feeds: Record<string, ort.Tensor> = {
        input: new ort.Tensor("float32", points.slice(0, 40 * width), [40, 3, 7]),
        labels: new ort.Tensor("int32", labels, [40]),
        epsilon: new ort.Tensor("float32", Float32Array.of(epsilon), []),
      };
      if (session.inputNames.includes("iterations")) {
        if (attack.options["randomStart"] === true || attack.options["restarts"] !== 1) return;
        const { steps = 1, stepSize, relativeStepSize } = attack.options as Record<string, number>;
        const step = stepSize ?? ((relativeStepSize ?? 0) * epsilon) / steps;
        feeds["iterations"] = new ort.Tensor("int64", BigInt64Array.of(BigInt(steps)), []);
        feeds["step_size"] = new ort.Tensor("float32", Float32Array.of(step), []);
        feeds["start"] = new ort.Tensor("float32", points.slice(0, 40 * width), [40, 3, 7]);
      }
      const { adversarial } = await session.run(feeds);
      expect(adversarial?.data).toEqual(await perturb(attack, norm, batch));
      await session.release();
    }
  });
});

/** Two classes: the margin falls along w; the worst case is known in closed form. */
const weight = Array.from({ length: width }, (_, i) => ((i * 7) % 11) - 5 + (i % 3) * 0.25);
const linear = linearClassifier([weight, weight.map((w) => -w)], [40, -40], [0, 1]);
const margin = (x: Float32Array): number => x.reduce((total, v, i) => total + 2 * (weight[i] ?? 0) * v, 80);

/** The smallest margin that the ball allows; for L∞ with the box. */
const worstMargin: Record<string, (x: Float32Array, epsilon: number) => number> = {
  linf: (x, epsilon) =>
    margin(x.map((v, i) => Math.min(Math.max(v - epsilon * Math.sign(weight[i] ?? 0), 0), 1))),
  l2: (x, epsilon) => margin(x) - 2 * epsilon * Math.hypot(...weight),
  l1: (x, epsilon) => margin(x) - 2 * epsilon * Math.max(...weight.map(Math.abs)),
};

describe.each(withNorms)("%s on a linear model", (_, attack, norm) => {
  const inner = new Float32Array(10 * width);
  randomStream(8, "inner").uniform(inner, { sample: 0 }, [0.4, 0.6]);
  const outer = uniformPoints(10, linear, 9);
  /** With the box where it is part of the closed form (L∞), else far from it. */
  const radius = { linf: 0.2, l2: 0.35, l1: 0.2 }[norm] ?? 0;
  const from = norm === "linf" ? outer : inner;

  it("reaches the closed-form worst case", async () => {
    const rows = 10;
    // A random start is forgotten by half with each step of length ε; the default steps leave 1 % of it in L2.
    const { relativeStepSize: _, ...options } = attack.options;
    const iterative = attack.kind === "iterative" ? { steps: 40, stepSize: radius } : {};
    const full = createAttack(attack.name, { ...options, ...iterative });
    const batch: AttackBatch = {
      inputs: floats([rows, width], from.slice()),
      labels: new Int32Array(rows),
      targeted: false,
      indices: Array.from({ length: rows }, (__, i) => i),
      epsilon: radius,
      seed: 2,
    };
    const got = await perturb(full, norm, batch, linear);
    for (let row = 0; row < rows; row++) {
      const [x, moved] = [from, got].map((all) => all.slice(row * width, (row + 1) * width));
      if (!x || !moved) throw new Error("no row");
      const worst = worstMargin[norm]?.(x, radius) ?? NaN;
      expect(worst).toBeGreaterThan(0);
      if (norm === "linf") {
        const want = x.map((v, i) =>
          Math.min(Math.max(v - Math.fround(radius) * Math.sign(weight[i] ?? 0), 0), 1),
        );
        moved.forEach(
          (v, i) => weight[i] !== 0 && expect(Math.abs(v - (want[i] ?? NaN))).toBeLessThanOrEqual(2 ** -23),
        );
      }
      const reached = (margin(x) - margin(moved)) / (margin(x) - worst);
      expect(reached).toBeGreaterThan(norm === "linf" ? 1 - 1e-5 : 1 - 1e-4);
      expect(reached).toBeLessThan(1 + 1e-5);
    }
  });
});
