// Suites, attacks that look for the nearest point, and evaluations that go on where they were stopped.
import { describe, expect, it } from "vitest";
import { floatsOf, guarded, type Attack, type AttackBatch } from "../../src/attacks/attack.js";
import { count } from "../../src/base/shape.js";
import type { EvaluationData } from "../../src/evaluation/data.js";
import { evaluate, type EvaluateOptions, type Trial } from "../../src/evaluation/evaluate.js";
import type { Journal, JournalEntry } from "../../src/evaluation/journal.js";
import { localEngine } from "../../src/runtime/engine.js";
import { linearClassifier } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });

/** z₀ − z₁ = x₀ − 0.5: the class is 0 where x₀ is above a half. */
const classifier = linearClassifier(
  [
    [0.5, 0],
    [-0.5, 0],
  ],
  [-0.25, 0.25],
  [0, 1],
);
const n = 40;
const firsts = Float32Array.from({ length: n }, (_, i) => 0.525 + 0.01 * i);
const data: EvaluationData = {
  count: n,
  labels: Array.from({ length: n }, (_, i) => (i === 7 ? 1 : 0)),
  rows: (indices) => Float32Array.from(indices.flatMap((i) => [firsts[i] ?? 0, 0.25])),
};

/** Moves x₀ of the images that `reaches` allows to just beyond the boundary. */
function stepper(name: string, reaches: (index: number) => boolean, more: Partial<Attack> = {}): Attack {
  const move = ({ inputs, indices, epsilon }: AttackBatch): Promise<Float32Array> => {
    const points = floatsOf(inputs).slice();
    for (let row = 0; row < indices.length; row++) {
      const x = points[2 * row] ?? 0;
      const near = Math.fround(x - 0.4999) <= epsilon;
      if (near && reaches(indices[row] ?? 0)) points[2 * row] = 0.4999;
    }
    return Promise.resolve(points);
  };
  const attack: Attack = {
    name,
    kind: "iterative",
    options: {},
    norms: ["linf"],
    prepare: (context) =>
      Promise.resolve({ perturb: guarded(attack, context, move), release: () => Promise.resolve() }),
    ...more,
  };
  return attack;
}
const even = stepper("even", (index) => index % 2 === 0);
const all = stepper("all", () => true);
const nearest = stepper("near", (index) => index < 35, { nearest: true });
const suite: Attack = { ...all, name: "both", stages: () => [even, all] };

/** An evaluation without its times, which are never the same twice. */
async function run(trials: readonly Trial[], options: Partial<EvaluateOptions> = {}) {
  const { times, ...found } = await evaluate(classifier, data, {
    engines: [engine],
    trials,
    batchSize: 6,
    ...options,
  });
  expect(times.every(({ seconds }) => seconds >= 0)).toBe(true);
  return found;
}
const within = (epsilon: number): number[] =>
  [...firsts.keys()].filter((i) => i !== 7 && Math.fround((firsts[i] ?? 0) - 0.4999) <= epsilon);

describe("a suite", () => {
  it("lets each stage meet what the ones before left, and counts the whole", async () => {
    const { robust, outcomes } = await run([{ attack: suite, norm: "linf", epsilons: [0.1, 0.3] }]);
    const right = n - 1;
    const left = (epsilon: number) => (right - within(epsilon).length) / n;
    const afterEven = (epsilon: number) => (right - within(epsilon).filter((i) => i % 2 === 0).length) / n;
    expect(robust.map(({ attack, suite: of, epsilon, accuracy }) => [attack, of, epsilon, accuracy])).toEqual(
      [
        ["even", "both", 0.1, afterEven(0.1)],
        ["even", "both", 0.3, afterEven(0.3)],
        ["all", "both", 0.1, left(0.1)],
        ["all", "both", 0.3, left(0.3)],
        ["both", undefined, 0.1, left(0.1)],
        ["both", undefined, 0.3, left(0.3)],
      ],
    );
    expect(outcomes.at(-1)?.correct).toEqual(outcomes.at(-3)?.correct);
  });

  it("counts its stages in the progress", async () => {
    const shares: number[] = [];
    await run([{ attack: suite, norm: "linf", epsilons: [0.1, 0.3] }], {
      onProgress: ({ done, total }) => void shares.push(done / total),
    });
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });
});

describe("the worst images", () => {
  const shownOf = async (trial: Trial, options: Partial<EvaluateOptions>) =>
    (await run([trial], { worst: 3, ...options })).worst.map(
      ({ epsilon, originals, adversarial, ...shown }) => ({
        epsilon,
        from: [...originals].filter((_, i) => i % 2 === 0).map((x) => x.toFixed(3)),
        to: [...adversarial].filter((_, i) => i % 2 === 0).map((x) => x.toFixed(3)),
        right: shown.predictions.every((c, i) => c === shown.labels[i]),
        fallen: shown.adversarialPredictions.every((c, i) => c !== shown.labels[i]),
      }),
    );
  /** Every image as far to the left as ε allows: the farther left it began, the wider the wrong class leads. */
  const pusher: Attack = {
    ...all,
    name: "push",
    prepare: (context) =>
      Promise.resolve({
        perturb: guarded(pusher, context, ({ inputs, epsilon }) =>
          Promise.resolve(floatsOf(inputs).map((x, i) => (i % 2 === 0 ? Math.max(x - epsilon, 0) : x))),
        ),
        release: () => Promise.resolve(),
      }),
  };

  it.each([2, 6, 40])(
    "are those with the widest lead of a wrong class, in batches of %i",
    async (batchSize) => {
      const trial = { attack: pusher, norm: "linf", epsilons: [0, 0.2] } as const;
      expect(await shownOf(trial, { batchSize })).toEqual([
        {
          epsilon: 0.2,
          from: ["0.525", "0.535", "0.545"],
          to: ["0.325", "0.335", "0.345"],
          right: true,
          fallen: true,
        },
      ]);
    },
  );

  it("are the nearest ones where an attack looks for the nearest point", async () => {
    const [shown] = await shownOf({ attack: nearest, norm: "linf", epsilons: [0.3] }, {});
    expect(shown).toMatchObject({ from: ["0.525", "0.535", "0.545"], to: ["0.500", "0.500", "0.500"] });
    expect(shown?.epsilon).toBeCloseTo(0.545 - 0.4999, 5);
  });

  it("come from all stages of a suite, and are none where nothing fell", async () => {
    const [shown, ...more] = await shownOf({ attack: suite, norm: "linf", epsilons: [0.2] }, {});
    expect(more).toEqual([]);
    expect(shown).toMatchObject({ right: true, fallen: true });
    expect(shown?.from).toEqual(["0.525", "0.535", "0.545"]);
    expect(await shownOf({ attack: suite, norm: "linf", epsilons: [0.001] }, {})).toEqual([]);
  });
});

describe("an attack that looks for the nearest point", () => {
  it("runs once, and is counted at every radius and by its distances", async () => {
    const { robust, distances, examples } = await run(
      [{ attack: nearest, norm: "linf", epsilons: [0.1, 0.3] }],
      { examples: 4 },
    );
    const found = [...firsts.keys()].filter((i) => i < 35 && i !== 7);
    const falls = (epsilon: number) => found.filter((i) => within(epsilon).includes(i)).length;
    expect(robust.map(({ epsilon, accuracy }) => [epsilon, accuracy])).toEqual([
      [0.1, (n - 1 - falls(0.1)) / n],
      [0.3, (n - 1 - falls(0.3)) / n],
    ]);
    const [record] = distances;
    expect(record).toMatchObject({ attack: "near", norm: "linf", n: 39, found: 34, labels: "true" });
    const distanceOf = (i: number): number => Math.fround(firsts[i] ?? 0) - 0.4999;
    const { least, lower, median, upper, most } = record?.quantiles ?? {};
    expect(least).toBeCloseTo(distanceOf(0), 6);
    expect(median).toBeCloseTo(distanceOf(20), 6);
    expect(lower).toBeLessThan(median ?? 0);
    expect(upper).toBeGreaterThan(median ?? 0);
    expect(most).toBe(null);
    expect(examples[0]?.epsilon).toBeCloseTo(distanceOf(3), 6);
  });

  it("needs no radius", async () => {
    const { robust, distances } = await run([{ attack: nearest, norm: "linf", epsilons: [] }]);
    expect(robust).toEqual([]);
    expect(distances).toHaveLength(1);
  });
});

/** A journal in memory that gives up when it holds `most` entries. */
function memoryJournal(most: number): Journal & { entries: [string, JournalEntry][] } {
  const entries: [string, JournalEntry][] = [];
  return {
    entries,
    read: (strike) => entries.filter(([name]) => name === strike).map(([, entry]) => entry),
    write: (strike, entry) => {
      if (entries.length >= most) return Promise.reject(new Error("killed"));
      entries.push([strike, entry]);
      return Promise.resolve();
    },
  };
}

describe("a journal", () => {
  const trials: readonly Trial[] = [
    { attack: even, norm: "linf", epsilons: [0.1, 0.3] },
    { attack: suite, norm: "linf", epsilons: [0.2] },
    { attack: nearest, norm: "linf", epsilons: [0.1] },
  ];

  it.each([0, 1, 5, 9, 14, 20])(
    "lets an evaluation stopped after %i batches end as if never stopped",
    async (most) => {
      const whole = await run(trials, { examples: 9, worst: 3 });
      const journal = memoryJournal(most);
      await expect(run(trials, { journal, examples: 9, worst: 3 })).rejects.toThrow("killed");
      expect(journal.entries).toHaveLength(most);
      const { entries } = journal;
      const attacked: number[] = [];
      const onWrite: Journal = {
        read: (strike) => journal.read(strike),
        write: (strike, entry) => {
          attacked.push(entry.indices.length);
          entries.push([strike, entry]);
          return Promise.resolve();
        },
      };
      expect(await run(trials, { journal: onWrite, examples: 9, worst: 3 })).toEqual(whole);
      const images = entries.reduce((total, [, { indices }]) => total + indices.length, 0);
      const alone = memoryJournal(Infinity);
      await run(trials, { journal: alone });
      expect(images).toBe(alone.entries.reduce((total, [, { indices }]) => total + indices.length, 0));
      expect(attacked.length).toBeGreaterThan(0);
    },
  );
});

it("the toy data is what the tests take it for", () => {
  expect(count(classifier.model.inputShape)).toBe(2);
});
