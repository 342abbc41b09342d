// The runner: what it counts, what it attacks, and what it does not let attacks decide.
import { afterAll, describe, expect, it } from "vitest";
import type { Attack } from "../../src/attacks/attack.js";
import * as attacks from "../../src/attacks/index.js";
import { fgsm, jsma, pgd } from "../../src/attacks/index.js";
import { evaluate, type EvaluateOptions, type Progress } from "../../src/evaluation/evaluate.js";
import { pixelData, type EvaluationData } from "../../src/evaluation/data.js";
import type { Classifier } from "../../src/nn/model.js";
import { softmax } from "../../src/ops/log-softmax.js";
import { localEngine, type Engine } from "../../src/runtime/engine.js";
import type { NormName } from "../../src/threat/find.js";
import { linearClassifier, mlpClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 2 });
afterAll(() => engine.close());

const width = 8;
const n = 230;
const weight = [3, -2, 1, 0.5, -4, 2.5, -1, 1.5];
const linear = linearClassifier([weight, weight.map((w) => -w)], [-0.75, 0.75], [0, 1]);
const points = uniformPoints(n, linear);
const rowOf = (i: number): Float32Array => points.subarray(i * width, (i + 1) * width);
/** z₀ − z₁. */
const margin = (x: Float32Array): number => x.reduce((total, v, i) => total + 2 * v * (weight[i] ?? 0), -1.5);
/** Every seventh label is wrong. */
const labels = Array.from({ length: n }, (_, i) => (margin(rowOf(i)) > 0 ? 0 : 1) ^ (i % 7 === 0 ? 1 : 0));

const dataOf = (values: Float32Array, classes: readonly number[]): EvaluationData => ({
  count: classes.length,
  labels: classes,
  rows: (indices) =>
    Float32Array.from(indices.flatMap((i) => [...values.subarray(i * width, (i + 1) * width)])),
});
const data = dataOf(points, labels);

const run = (options: Partial<EvaluateOptions>, classifier: Classifier = linear, images = data) =>
  evaluate(classifier, images, { engines: [engine], trials: [], ...options });

/** Whether the closed-form worst case of the box and the L∞ ball leaves image i rightly classified. */
function survives(i: number, epsilon: number): boolean {
  const side = labels[i] === 0 ? 1 : -1;
  const moved = rowOf(i).map((v, k) =>
    Math.min(Math.max(v - side * epsilon * Math.sign(weight[k] ?? 0), 0), 1),
  );
  return side * margin(rowOf(i)) > 0 && side * margin(moved) > 0;
}

describe("evaluate", () => {
  it("counts as the closed form does, in records as results.json has them", async () => {
    const trials = [
      { attack: fgsm(), norm: "linf", epsilons: [0, 0.05, 0.15] },
      { attack: pgd({ steps: 10, stepSize: 0.05 }), norm: "linf", epsilons: [0.05] },
    ] as const;
    const { clean, predictions, robust, outcomes, flags } = await run({ trials });
    const right = Array.from({ length: n }, (_, i) => i).filter((i) => i % 7 !== 0);
    expect(clean).toBe(right.length / n);
    expect([...predictions]).toEqual(labels.map((label, i) => label ^ (i % 7 === 0 ? 1 : 0)));
    const accuracy = (epsilon: number): number => right.filter((i) => survives(i, epsilon)).length / n;
    const common = { norm: "linf", n, labels: "true" };
    expect(robust).toEqual([
      { attack: "fgsm", epsilon: 0, accuracy: clean, ...common },
      { attack: "fgsm", epsilon: 0.05, accuracy: accuracy(0.05), ...common },
      { attack: "fgsm", epsilon: 0.15, accuracy: accuracy(0.15), ...common },
      {
        attack: "pgd",
        epsilon: 0.05,
        accuracy: accuracy(0.05),
        ...common,
        options: pgd({ steps: 10, stepSize: 0.05 }).options,
      },
    ]);
    expect(accuracy(0.15)).toBeLessThan(accuracy(0.05));
    expect(accuracy(0.15)).toBeGreaterThan(0);
    expect([...(outcomes[1]?.correct ?? [])]).toEqual(labels.map((_, i) => (survives(i, 0.05) ? 1 : 0)));
    expect(flags).toEqual([]);
  });

  it("finds the same on any number of engines", async () => {
    const trials = [{ attack: pgd({ steps: 4 }), norm: "l2", epsilons: [0.2] }] as const;
    const { times, ...one } = await run({ trials, examples: 3 });
    const others = [localEngine({ threads: 2 }), localEngine({ threads: 2 })];
    const { times: otherTimes, ...several } = await run({
      trials,
      examples: 3,
      engines: [engine, ...others],
    });
    expect(several).toEqual(one);
    expect(times).toHaveLength(otherTimes.length);
  });

  it("refuses engines that would differ, and none", async () => {
    const engines = [engine, localEngine({ threads: 1 })];
    await expect(run({ engines })).rejects.toThrow(
      "evaluate: engines: expected one or more of equal threads, got threads 2, 1",
    );
    await expect(run({ engines: [] })).rejects.toThrow(
      "evaluate: engines: expected one or more of equal threads, got none",
    );
  });

  it("gives each image the same fate in any batch and under any limit", async () => {
    const mlp = mlpClassifier([width], [12, 4], { seed: 3, scale: 3 });
    const trials = [
      { attack: pgd({ steps: 8, restarts: 2 }), norm: "l2", epsilons: [0.2] },
      { attack: fgsm(), norm: "l1", epsilons: [0.4] },
    ] as const;
    const { predictions } = await run({}, mlp, dataOf(points, labels));
    const own = dataOf(points, [...predictions]);
    const all = await run({ trials, examples: 9 }, mlp, own);
    for (const { accuracy } of all.robust) expect(Math.abs(accuracy - 0.5)).toBeLessThan(0.45);
    for (const more of [
      { batchSize: 2 },
      { batchSize: 37 },
      { batchSize: 128, limit: 129 },
      { limit: 9 },
      { limit: 1 },
    ]) {
      const part = await run({ trials, examples: Math.min(9, more.limit ?? 9), ...more }, mlp, own);
      part.outcomes.forEach(({ correct }, t) => {
        expect(correct).toEqual(all.outcomes[t]?.correct.slice(0, more.limit ?? n));
      });
      part.examples.forEach(({ adversarial }, t) => {
        expect(adversarial).toEqual(all.examples[t]?.adversarial.slice(0, adversarial.length));
      });
    }
  });

  it("returns the first images with what became of them", async () => {
    const { examples, outcomes } = await run({
      trials: [{ attack: fgsm(), norm: "linf", epsilons: [0.15] }],
      examples: 16,
    });
    const [shown] = examples;
    expect(shown?.originals).toEqual(points.slice(0, 16 * width));
    expect([...(shown?.labels ?? [])]).toEqual(labels.slice(0, 16));
    for (let i = 0; i < 16; i++) {
      const moved = shown?.adversarial.slice(i * width, (i + 1) * width);
      if (i % 7 === 0) expect(moved).toEqual(rowOf(i).slice());
      else expect(moved).not.toEqual(rowOf(i).slice());
      expect(shown?.adversarialPredictions[i] === labels[i]).toBe(outcomes[0]?.correct[i] === 1);
    }
  });

  it("combines attacks to the worst case when asked", async () => {
    const mlp = mlpClassifier([width], [12, 4], { seed: 3, scale: 3 });
    const { predictions } = await run({}, mlp);
    const trials = [
      { attack: fgsm(), norm: "linf", epsilons: [0.05, 0.1] },
      { attack: pgd({ steps: 5 }), norm: "linf", epsilons: [0.1] },
    ] as const;
    const { robust, outcomes } = await run(
      { trials, worstCase: true },
      mlp,
      dataOf(points, [...predictions]),
    );
    expect(robust.map(({ attack, epsilon }) => [attack, epsilon])).toEqual([
      ["fgsm", 0.05],
      ["fgsm", 0.1],
      ["pgd", 0.1],
      ["worst-case", 0.1],
    ]);
    const both =
      outcomes[1]?.correct.filter((c, i) => c === 1 && outcomes[2]?.correct[i] === 1).length ?? NaN;
    expect(robust[3]?.accuracy).toBe(both / n);
  });

  it("takes predicted labels and random targets, and says so", async () => {
    const mlp = mlpClassifier([width], [12, 4], { seed: 3, scale: 3 });
    const { predictions } = await run({}, mlp);
    const images = dataOf(points, [...predictions]);
    const trials = [{ attack: pgd({ steps: 5 }), norm: "linf", epsilons: [0.3] }] as const;
    const truly = await run({ trials }, mlp, images);
    const predicted = await run({ trials, labels: "predicted" }, mlp, images);
    expect(predicted.robust).toEqual([{ ...truly.robust[0], labels: "predicted" }]);
    const aimed = await run({ trials: [{ ...trials[0], targeted: true }] }, mlp, images);
    expect(aimed.robust[0]?.targeted).toBe(true);
    expect(aimed.robust[0]?.accuracy).toBeGreaterThanOrEqual(truly.robust[0]?.accuracy ?? NaN);
    expect(aimed.robust[0]?.accuracy).toBeLessThan(1);
  });

  it("reads pixels as byte / 255", async () => {
    const pixels = pixelData(Uint8Array.of(0, 255, 51, 102), [1, 0], 2);
    expect(pixels.count).toBe(2);
    expect([...(await pixels.rows([1, 0]))].map((v) => Math.round(v * 255))).toEqual([51, 102, 0, 255]);
  });

  it("tells how far it is, and stops when told to", async () => {
    const trials = [{ attack: fgsm(), norm: "linf", epsilons: [0.05, 0.1] }] as const;
    const seen: Progress[] = [];
    await run({ trials, onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ doing: "fgsm linf 0.1", done: 3 * n, total: 3 * n });
    expect(seen.every(({ done }, i) => i === 0 || done >= (seen[i - 1]?.done ?? 0))).toBe(true);
    const stop = new AbortController();
    const stopped = run({
      trials,
      signal: stop.signal,
      onProgress: ({ doing }) => doing !== "clean" && stop.abort(new Error("stopped by the user")),
    });
    await expect(stopped).rejects.toThrow("stopped by the user");
  });

  it("refuses wrong input with one clear line", async () => {
    const trial = (epsilon: number) => [{ attack: fgsm(), norm: "linf", epsilons: [epsilon] }] as const;
    const loud = points.slice();
    loud[3 * width + 1] = 255;
    const cases: [() => Promise<unknown>, string][] = [
      [() => run({ trials: trial(-1) }), "evaluate: ε: expected a finite number of at least 0, got -1"],
      [() => run({ trials: trial(NaN) }), "evaluate: ε: expected a finite number of at least 0, got NaN"],
      [() => run({ batchSize: 0 }), "evaluate: batch size: expected a whole number of at least 1, got 0"],
      [() => run({ limit: 1.5 }), "evaluate: limit: expected a whole number of at least 1, got 1.5"],
      [
        () => run({}, linear, { ...data, count: 0 }),
        "evaluate: images: expected a whole number of at least 1, got 0",
      ],
      [
        () => run({}, linear, dataOf(loud, labels)),
        "evaluate: expected inputs in [0, 1], got 255 in image 3",
      ],
      [
        () => run({}, linear, dataOf(points, [0, 1, 2])),
        "evaluate: expected labels from 0 to 1, got 2 at image 2",
      ],
      [
        () => run({}, linear, { ...data, rows: () => new Float32Array(7) }),
        "evaluate: expected 8 numbers an image, got 0.07",
      ],
    ];
    for (const [result, message] of cases) await expect(result()).rejects.toThrow(message);
  });

  it("refuses what an attack cannot work on before an engine loads anything", async () => {
    const unused: Engine = { ...engine, load: () => Promise.reject(new Error("loaded")) };
    const of = (attack: Attack, norm: NormName, epsilon = 0.1) =>
      run({ engines: [unused], trials: [{ attack, norm, epsilons: [epsilon] }] });
    const cases: [Promise<unknown>, string][] = [
      [of(attacks["apgd-t"](), "linf"), "apgd-t: expected a model of 4 classes or more, got 2"],
      [of(attacks["apgd-dlr"](), "l1"), "apgd-dlr: expected a model of 3 classes or more, got 2"],
      [of(pgd({ loss: "dlr" }), "linf"), "pgd: expected a model of 3 classes or more, got 2"],
      [of(pgd(), "l0", 3), "pgd: expected a norm out of linf, l2, l1, got 'l0'"],
      [of(jsma(), "linf"), "jsma: expected a norm out of l0, got 'linf'"],
      [of(fgsm(), "l0"), "evaluate: ε: expected a whole number of input elements as ε in l0, got 0.1"],
      [of(fgsm(), "linf"), "loaded"],
    ];
    for (const [result, message] of cases) await expect(result).rejects.toThrow(message);
  });

  it("counts input elements in L0: few changes, what they cost, and images in between", async () => {
    const options = { bothWays: true, map: "single", of: "probabilities" } as const;
    const trials = [
      { attack: jsma(options), norm: "l0", epsilons: [1, 2, 8] },
      { attack: fgsm(), norm: "l0", epsilons: [1, 2, 8] },
    ] as const;
    const { robust, distances, flags } = await run({ trials, limit: 100 });
    const { least, most } = distances[0]?.quantiles ?? {};
    expect(least).toBe(1);
    expect(Number.isInteger(most)).toBe(true);
    const of = (attack: string) => robust.filter((record) => record.attack === attack).map((r) => r.accuracy);
    // One step to the bounds is the worst case of a linear model; the search by saliency passes over the room.
    of("fgsm").forEach((accuracy, i) => expect(accuracy).toBeLessThanOrEqual(of("jsma")[i] ?? 0));
    expect(of("jsma")[0]).toBeGreaterThan(of("jsma")[1] ?? 1);
    expect(of("fgsm")[2]).toBe(0);
    expect(flags.map(({ name }) => name)).not.toContain("left-ball");
  });
});

/** An attack that gives back what `change` makes of its inputs. */
const fake = (change: (x: number, i: number) => number): Attack => ({
  name: "fake",
  kind: "iterative",
  options: {},
  norms: ["linf", "l0"],
  prepare: () =>
    Promise.resolve({
      perturb: ({ inputs }) => Promise.resolve(Float32Array.from(inputs.data as Float32Array, change)),
      release: () => Promise.resolve(),
    }),
});

describe("the runner's own hand", () => {
  const under = (attack: Attack, epsilon: number) =>
    run({ trials: [{ attack, norm: "linf", epsilons: [epsilon] }], examples: 20 });

  it("takes points back into ball and box, and flags the attack", async () => {
    const { examples, flags } = await under(
      fake((x) => 1.5 - x * 3),
      0.05,
    );
    const [{ adversarial, originals } = { adversarial: [], originals: [] }] = examples;
    adversarial.forEach((v, i) => {
      expect(Math.abs(v - (originals[i] ?? NaN))).toBeLessThanOrEqual(0.05 + 2 ** -23);
      expect(v >= 0 && v <= 1).toBe(true);
    });
    expect(flags.map(({ name }) => name)).toEqual(["too-few-steps", "left-ball"]);
    expect(flags[1]?.message).toMatch(/^fake \(linf, ε 0.05\) left its ball or the bounds at \d+ images/);
  });

  it("takes points back into L0 balls: the largest changes stay", async () => {
    const trials = [
      { attack: fake((x) => (x < 0.5 ? x + 0.5 : x - 0.25)), norm: "l0", epsilons: [2] },
    ] as const;
    const { examples } = await run({ trials, examples: 20, limit: 20 });
    const [{ adversarial, originals } = { adversarial: [], originals: [] }] = examples;
    const moved = Float32Array.from(adversarial, (v, i) => v - (originals[i] ?? NaN));
    for (let row = 0; row < 20; row++) {
      const changes = moved.subarray(row * width, (row + 1) * width).filter((d) => d !== 0);
      expect([0, 2]).toContain(changes.length);
    }
    expect(moved.some((d) => d > 0.4)).toBe(true);
  });

  it("counts points that are not numbers as attacks that failed", async () => {
    const { robust, clean, flags } = await under(
      fake((x, i) => (i % 5 === 0 ? NaN : x)),
      0.05,
    );
    expect(robust[0]?.accuracy).toBe(clean);
    expect(flags.map(({ name }) => name)).toEqual(["non-finite", "too-few-steps"]);
  });

  it("goes on correctly where outputs are probabilities", async () => {
    const wrapped: Classifier = {
      ...linear,
      model: { ...linear.model, apply: (x, pass) => softmax(linear.model.apply(x, pass)) },
    };
    const trials = [
      { attack: pgd({ steps: 8, stepSize: 0.05 }), norm: "linf", epsilons: [0.05, 0.15] },
    ] as const;
    const [plain, soft] = [await run({ trials }), await run({ trials }, wrapped)];
    expect(soft.robust).toEqual(plain.robust);
    expect(soft.flags.map(({ name }) => name)).toEqual(["probabilities"]);
  });
});
