// The attack contract: every attack the registry exports is held to it by existing, in each norm it supports.
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import type { Attack, AttackBatch, AttackFactory, PreparedAttack } from "../../src/attacks/attack.js";
import { attackNames, createAttack } from "../../src/attacks/create.js";
import { drawing } from "../../src/attacks/draws.js";
import * as registry from "../../src/attacks/index.js";
import { randomStream } from "../../src/base/random.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { leastNorm } from "../support/least-norm.js";
import { linearClassifier, mlpClassifier, randomized, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 2 });
afterAll(() => engine.close());

/** Options under which each attack is tried, beside its defaults; few steps keep the suite short. */
const variants: Record<string, readonly Record<string, unknown>[]> = {
  fgsm: [{ eot: 3 }],
  bim: [{ steps: 12, eot: 2 }],
  "mi-fgsm": [{ steps: 12 }],
  "apgd-ce": [{ steps: 10, randomStart: false, eot: 20 }],
  "apgd-dlr": [{ steps: 10, randomStart: false }],
  "apgd-t": [{ steps: 10, randomStart: false, targets: 1 }],
  jsma: [
    { theta: -0.4, map: "single", of: "probabilities", target: "random" },
    { bothWays: true, target: "each" },
  ],
  pgd: [{ steps: 12 }, { steps: 7, restarts: 3, stepSize: 0.05, eot: 3 }, { steps: 6, randomStart: false }],
};
/** Short budgets in place of the published ones, which would take the suite minutes. */
const brief: Record<string, Record<string, unknown>> = {
  fab: { steps: 6, restarts: 2 },
  "fab-t": { steps: 6, targets: 2 },
  deepfool: { steps: 10 },
  "hop-skip-jump": { steps: 3, initialQueries: 25 },
  spsa: { steps: 12, samples: 24, learningRate: 0.02 },
  square: { queries: 120 },
  ddn: { steps: 20 },
  "carlini-wagner": { steps: 40, searchSteps: 3, initialConstant: 1, stepSize: 0.05 },
  ead: { steps: 40, searchSteps: 3, initialConstant: 1 },
  "apgd-ce": { steps: 8 },
  "apgd-dlr": { steps: 8 },
  "apgd-t": { steps: 8, targets: 2 },
};
/** Budgets below the published ones that come within 5 % of the nearest point already. */
const sufficient: Record<string, Record<string, unknown>> = {
  jsma: { bothWays: true, map: "single", of: "probabilities", theta: 0.5 },
  "hop-skip-jump": { steps: 15 },
  fab: { steps: 40 },
  "fab-t": { steps: 40 },
  "carlini-wagner": { steps: 300, searchSteps: 7 },
  ead: { steps: 300, searchSteps: 7 },
};
const epsilons: Record<string, number> = { linf: 0.1, l2: 0.7, l1: 2.5, l0: 6 };

const width = 21;
const mlp = mlpClassifier([3, 7], [16, 5], { scale: 3 });
const noisy = randomized(mlp, 0.05);
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

/** Of each of the first points the class of the largest logit beside its label. */
async function strongestRivals(labels: Int32Array): Promise<Int32Array> {
  const logits = (await logitsOf(mlp, points)).slice(0, 5 * labels.length);
  labels.forEach((label, row) => (logits[5 * row + label] = -Infinity));
  return argMaxRows(logits, 5);
}

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

/** Prepared attacks, each made once. */
const ready = new Map<string, Map<Attack, Map<Classifier, Promise<PreparedAttack>>>>();
const within = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
};

async function perturb(
  attack: Attack,
  norm: string,
  batch: AttackBatch,
  classifier = mlp,
): Promise<Float32Array> {
  const ofNorm = within(ready, norm, () => new Map<Attack, Map<Classifier, Promise<PreparedAttack>>>());
  const ofAttack = within(ofNorm, attack, () => new Map<Classifier, Promise<PreparedAttack>>());
  const prepared = within(ofAttack, classifier, () =>
    attack.prepare({ engine, classifier, threat: findThreat(norm) }),
  );
  return (await prepared).perturb(batch);
}

/** Attacks with the options to try, by a title for each. Suites are held to it by their stages (attacks/suite.test.ts). */
const cases = Object.entries(registry satisfies Record<string, AttackFactory>).flatMap(([name, factory]) =>
  [brief[name] ?? {}, ...(variants[name] ?? [])].flatMap((options) => {
    const attack = (factory as AttackFactory)(options as never);
    return attack.stages ? [] : [[`${name} ${JSON.stringify(options)}`, attack] as const];
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
    expect(() => createAttack("fgsm", { steps: 3 })).toThrow("fgsm: unknown option 'steps' (known: eot)");
  });
});

describe.each(cases)("%s", (_, attack) => {
  it("refuses a norm it does not know, and batches that do not fit", async () => {
    const threat = { ...findThreat("linf"), name: "l7" };
    await expect(attack.prepare({ engine, classifier: mlp, threat })).rejects.toThrow(
      `${attack.name}: expected a norm out of ${attack.norms.join(", ")}, got 'l7'`,
    );
    const radius = attack.nearest === true ? "an ε" : "a finite ε";
    const [norm = ""] = attack.norms;
    const one = findThreat(norm).counts === true ? 1 : 0.1;
    const wrong: [Partial<AttackBatch>, string][] = [
      [{ epsilon: -0.1 }, `expected ${radius} of at least 0, got -0.1`],
      [{ epsilon: NaN }, `expected ${radius} of at least 0, got NaN`],
      [{ labels: Int32Array.of(0, 5) }, "expected labels from 0 to 4, got 5"],
      [{ labels: Int32Array.of(0) }, "expected 2 labels, got 1"],
      [{ indices: [0] }, "expected 2 indices, got 1"],
      [
        { inputs: floats([2, 21], points.slice(0, 42)) },
        "expected float32 inputs [n, 3, 7], got float32 [2, 21]",
      ],
    ];
    for (const [more, message] of wrong)
      await expect(perturb(attack, norm, batchOf(one, 0, 2, more))).rejects.toThrow(
        `${attack.name}: ${message}`,
      );
    if (attack.norms.includes("l0"))
      await expect(perturb(attack, "l0", batchOf(0.5, 0, 2))).rejects.toThrow(
        `${attack.name}: expected a whole number of input elements as ε in l0, got 0.5`,
      );
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("stopped by the user"));
    const threat = findThreat(attack.norms[0] ?? "");
    const prepared = await attack.prepare({ engine, classifier: mlp, threat, signal });
    await expect(prepared.perturb(batchOf(1, 0, 2))).rejects.toThrow("stopped by the user");
  });
});

describe.each(withNorms)("%s", (_, attack, norm, epsilon) => {
  const threat = findThreat(norm);

  it("stays in ball and box before any clipping, and never touches its inputs", async () => {
    for (const radius of [threat.counts === true ? 1 : epsilon / 20, epsilon, epsilon * 6]) {
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

  it("gives an image of a random model the same bytes in every batch, by its draws", async () => {
    const prepared = await attack.prepare({
      engine: drawing(engine, noisy.model, "attack"),
      classifier: noisy,
      threat,
    });
    const all = await prepared.perturb(batchOf(epsilon, 0, 40));
    for (const [from, to] of [
      [0, 1],
      [3, 5],
      [20, 39],
    ] as const)
      expect(await prepared.perturb(batchOf(epsilon, from, to))).toEqual(all.slice(from * width, to * width));
    expect(await prepared.perturb(batchOf(epsilon, 0, 40, { seed: 5 }))).not.toEqual(all);
    await prepared.release();
  });

  it("lowers the loss of the class it aims at, or refuses to", async () => {
    const targets = predictions.slice(0, 60).map((label) => (label + 1) % 5);
    if (attack.untargeted === true) {
      const aimed = perturb(attack, norm, batchOf(epsilon, 0, 60, { labels: targets, targeted: true }));
      return expect(aimed).rejects.toThrow(`${attack.name}: expected labels to leave, got targets`);
    }
    const radius = attack.nearest === true ? Infinity : epsilon;
    const full = attack.nearest === true ? createAttack(attack.name, sufficient[attack.name]) : attack;
    const got = await perturb(full, norm, batchOf(radius, 0, 60, { labels: targets, targeted: true }));
    const before = crossEntropies((await logitsOf(mlp, points)).slice(0, 300), targets);
    const after = crossEntropies(await logitsOf(mlp, got), targets);
    const lower = after.filter((loss, i) => loss < (before[i] ?? 0)).length;
    // Attacks that look for the nearest point may end between classes, and then return the original.
    expect(lower).toBeGreaterThan(attack.nearest === true ? 45 : 55);
  });

  it("keeps its direction where the softmax saturates", async () => {
    const columns = [1, -1, 0, 0].map((slope) =>
      Array.from({ length: width }, (__, i) => slope * (1 + (i % 5)) * 40),
    );
    // The softmax is 1 to the last bit either way; the nearest point has to exist.
    const nearest = attack.nearest === true;
    const steep = linearClassifier(columns, [nearest ? -1200 : 3000, 0, -9000, -9000], [0, 1]);
    const batch: AttackBatch = {
      inputs: floats([3, width], points.slice(0, 3 * width)),
      labels: Int32Array.of(0, 0, 0),
      targeted: false,
      indices: [0, 1, 2],
      epsilon: nearest ? Infinity : epsilon,
      seed: 0,
    };
    const before = await logitsOf(steep, points.slice(0, 3 * width));
    const full = nearest ? createAttack(attack.name, sufficient[attack.name]) : attack;
    const after = await logitsOf(steep, await perturb(full, norm, batch, steep));
    for (const row of [0, 4, 8]) expect(after[row]).toBeLessThan(before[row] ?? 0);
  });

  it("runs as one ONNX file in plain ONNX Runtime, with the same bytes", async () => {
    for (const targeted of attack.untargeted === true ? [false] : [false, true]) {
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
      const start = new ort.Tensor("float32", points.slice(0, 40 * width), [40, 3, 7]);
      if (session.inputNames.includes("start")) {
        if (attack.options["randomStart"] === true || (attack.options["restarts"] ?? 1) !== 1) return;
        feeds["start"] = start;
      }
      if (session.inputNames.includes("candidates"))
        feeds["candidates"] = new ort.Tensor("int32", await strongestRivals(labels), [40]);
      if (session.inputNames.includes("iterations")) {
        const { steps = 1, stepSize, relativeStepSize } = attack.options as Record<string, number>;
        const step = stepSize ?? ((relativeStepSize ?? 0) * epsilon) / steps;
        feeds["iterations"] = new ort.Tensor("int64", BigInt64Array.of(BigInt(steps)), []);
        feeds["step_size"] = new ort.Tensor("float32", Float32Array.of(step), []);
        if (session.inputNames.includes("momentum"))
          feeds["momentum"] = new ort.Tensor("float32", new Float32Array(40 * width), [40, 3, 7]);
      }
      const { adversarial } = await session.run(feeds);
      expect(adversarial?.data).toEqual(await perturb(attack, norm, batch));
      await session.release();
    }
  });
});

/** Two classes that matter and two far below: the margin falls along w; the worst case is known in closed form. */
const weight = Array.from({ length: width }, (_, i) => ((i * 7) % 11) - 5 + (i % 3) * 0.25);
const none = weight.map(() => 0);
const linear = linearClassifier([weight, weight.map((w) => -w), none, none], [40, -40, -900, -900], [0, 1]);
const margin = (x: Float32Array): number => x.reduce((total, v, i) => total + 2 * (weight[i] ?? 0) * v, 80);

/** What each coordinate takes off the margin at its bound. */
const gainsToBounds = (x: readonly number[]): number[] =>
  x.map((v, i) => 2 * Math.abs(weight[i] ?? 0) * ((weight[i] ?? 0) > 0 ? v : 1 - v));

/** The smallest margin that the ball allows; for L∞ and L0 with the box. */
const worstMargin: Record<string, (x: Float32Array, epsilon: number) => number> = {
  linf: (x, epsilon) =>
    margin(x.map((v, i) => Math.min(Math.max(v - epsilon * Math.sign(weight[i] ?? 0), 0), 1))),
  l2: (x, epsilon) => margin(x) - 2 * epsilon * Math.hypot(...weight),
  l1: (x, epsilon) => margin(x) - 2 * epsilon * Math.max(...weight.map(Math.abs)),
  l0: (x, epsilon) =>
    gainsToBounds([...x])
      .sort((a, b) => b - a)
      .slice(0, epsilon)
      .reduce((left, gain) => left - gain, margin(x)),
};

const fixed = withNorms.filter(([, attack]) => attack.nearest !== true);
describe.each(fixed)("%s on a linear model", (_, attack, norm) => {
  const inner = new Float32Array(10 * width);
  randomStream(8, "inner").uniform(inner, { sample: 0 }, [0.4, 0.6]);
  const outer = uniformPoints(10, linear, 9);
  /** With the box where it is part of the closed form (L∞), else far from it. */
  const radius = { linf: 0.2, l2: 0.35, l1: 0.2, l0: 2 }[norm] ?? 0;
  const from = norm === "linf" ? outer : inner;

  it("reaches the closed-form worst case", async () => {
    const rows = 10;
    // A random start is forgotten by half with each step of length ε; the default steps leave 1 % of it in L2.
    const { relativeStepSize: _, ...options } = attack.options;
    const fixedStep = "stepSize" in attack.options || "relativeStepSize" in attack.options;
    const iterative = attack.kind === "iterative" ? { steps: fixedStep ? 40 : 100 } : {};
    const random = attack.kind === "black-box";
    const full = createAttack(
      attack.name,
      random ? {} : { ...options, ...iterative, ...(fixedStep && { stepSize: radius }) },
    );
    const batch: AttackBatch = {
      inputs: floats([rows, width], from.slice()),
      labels: new Int32Array(rows),
      targeted: false,
      indices: Array.from({ length: rows }, (__, i) => i),
      epsilon: radius,
      seed: 2,
    };
    const got = await perturb(full, norm, batch, linear);
    let total = 0;
    for (let row = 0; row < rows; row++) {
      const [x, moved] = [from, got].map((all) => all.slice(row * width, (row + 1) * width));
      if (!x || !moved) throw new Error("no row");
      const worst = worstMargin[norm]?.(x, radius) ?? NaN;
      expect(worst).toBeGreaterThan(0);
      if (norm === "linf" && !random) {
        const want = x.map((v, i) =>
          Math.min(Math.max(v - Math.fround(radius) * Math.sign(weight[i] ?? 0), 0), 1),
        );
        moved.forEach(
          (v, i) => weight[i] !== 0 && expect(Math.abs(v - (want[i] ?? NaN))).toBeLessThanOrEqual(2 ** -23),
        );
      }
      const reached = (margin(x) - margin(moved)) / (margin(x) - worst);
      // Random search without gradients comes within 10 % on average, with all of its published budget.
      if (!random) expect(reached).toBeGreaterThan(norm === "linf" ? 1 - 1e-5 : 1 - 1e-4);
      expect(reached).toBeLessThan(1 + 1e-5);
      total += reached;
    }
    expect(total / rows).toBeGreaterThan(0.9);
  });
});

describe.each(withNorms.filter(([, attack]) => attack.nearest === true))(
  "%s on a linear model",
  (_, attack, norm) => {
    const rows = 12;
    const reachable = linearClassifier([weight, weight.map((w) => -w)], [12, -12], [0, 1]);
    const uniform = uniformPoints(rows, reachable, 9);
    // Where elements are counted, corners: with unequal room the most salient element is not the one to move.
    const from = findThreat(norm).counts === true ? uniform.map(Math.round) : uniform;
    /** The box is met: with the L∞ distance of the farthest point many coordinates are at their bounds. */
    const least = Array.from({ length: rows }, (__, row) => {
      const x = [...from.subarray(row * width, (row + 1) * width)];
      const room = x.map((v, i) => ((weight[i] ?? 0) > 0 ? v : 1 - v));
      return leastNorm(
        norm,
        weight.map((w) => 2 * Math.abs(w)),
        room,
        margin(Float32Array.from(x)) - 2 * (40 - 12),
      );
    });
    const batch: AttackBatch = {
      inputs: floats([rows, width], from.slice()),
      labels: new Int32Array(rows),
      targeted: false,
      indices: Array.from({ length: rows }, (__, i) => i),
      epsilon: Infinity,
      seed: 2,
    };
    const distancesOf = (got: Float32Array) =>
      findThreat(norm).distance(
        got.map((v, i) => v - (from[i] ?? NaN)),
        width,
      );

    it("finds the nearest point within 5 %, and none nearer", async () => {
      const got = await perturb(createAttack(attack.name, sufficient[attack.name]), norm, batch, reachable);
      const classes = argMaxRows(await logitsOf(reachable, got), 2);
      expect([...classes]).toEqual(new Array(rows).fill(1));
      distancesOf(got).forEach((distance, row) => {
        expect(distance / (least[row] ?? NaN)).toBeGreaterThan(1 - 1e-5);
        expect(distance / (least[row] ?? NaN)).toBeLessThan(1.05);
      });
    });

    it("leaves originals where there is nothing within ε", async () => {
      const epsilon = [...least].sort((a, b) => a - b)[rows / 2] ?? 0;
      const got = await perturb(
        createAttack(attack.name, sufficient[attack.name]),
        norm,
        { ...batch, epsilon },
        reachable,
      );
      distancesOf(got).forEach((distance, row) => {
        if ((least[row] ?? 0) > epsilon) expect(distance).toBe(0);
        else if ((least[row] ?? 0) < epsilon / 1.05) expect(distance).toBeGreaterThan(0);
        expect(distance).toBeLessThanOrEqual(epsilon);
      });
    });
  },
);
