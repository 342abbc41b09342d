// Rows beside printed figures, methods beside their control, models image by image.
import { describe, expect, it } from "vitest";
import { bitsToText } from "../../src/base/bits.js";
import { besidePublished } from "../../src/experiments/comparison/beside.js";
import { imageComparisons, type ImageRow } from "../../src/experiments/comparison/images.js";
import { pairedComparisons, pooledComparisons } from "../../src/experiments/comparison/paired.js";
import { read } from "../../src/experiments/measures.js";
import type { PublishedCell, PublishedTable } from "../../src/experiments/published.js";
import type { ResultRow } from "../../src/experiments/records.js";

const row = (method: string, seed: number, clean: number, robust: readonly [string, number, number][] = []) =>
  ({
    ...{ method, seed, clean, options: {}, epochs: 20 },
    robust: robust.map(([attack, epsilon, accuracy]) => ({
      ...{ attack, norm: "linf" as const, epsilon, accuracy, n: 8, labels: "true" as const },
    })),
  }) satisfies ResultRow;

/** Activations of a network of which so many are exactly zero. */
const activationsOf = (zeros: number) => ({
  n: 10,
  bins: { low: -1, high: 5, width: 0.1 },
  all: { units: 4, zeros, counts: [], below: 0, above: 0, mean: 0.2 },
  sites: [],
});

const table = (
  cells: readonly Partial<PublishedCell>[],
  more: Partial<PublishedTable> = {},
): PublishedTable => ({
  source: "Table 1",
  statistic: "mean",
  cells: cells.map((cell) => ({ method: "sgm", measure: "accuracy", value: 98, ...cell })),
  ...more,
});

describe("besidePublished", () => {
  const rows = [row("sgm", 0, 0.97), row("sgm", 1, 0.98), row("sgm", 2, 0.99)];
  const first = (
    cell: Partial<PublishedCell>,
    more: Partial<PublishedTable> = {},
    from: ResultRow[] = rows,
  ) => besidePublished(from, table([cell], more))[0];

  it("takes mean, spread and interval over the seeds, in per cent", () => {
    const compared = first({ value: 97.5 });
    expect(compared?.measured?.mean).toBeCloseTo(98, 12);
    expect(compared?.measured?.sd).toBeCloseTo(1, 12);
    expect(compared?.difference).toBeCloseTo(0.5, 12);
    expect(compared?.interval?.low).toBeGreaterThan(97);
    expect(first({ measure: "testError", value: 2 })?.difference).toBeCloseTo(0, 12);
  });

  it("agrees up to twice the root of both variances, and not beyond", () => {
    expect(first({ value: 96 })?.agreement).toBe("agrees");
    expect(first({ value: 95.99 })?.agreement).toBe("differs");
    const both = 2 * Math.sqrt(1 + 0.25);
    expect(first({ value: 98 + both - 0.01, spread: 0.5 })?.agreement).toBe("agrees");
    expect(first({ value: 98 + both + 0.01, spread: 0.5 })?.agreement).toBe("differs");
  });

  it("takes the median where the paper did", () => {
    const skewed = [row("sgm", 0, 0.5), row("sgm", 1, 0.98), row("sgm", 2, 0.99)];
    expect(first({ value: 98 }, { statistic: "median" }, skewed)?.difference).toBeCloseTo(0, 12);
  });

  it("gives no verdict for a single seed beside a figure without spread, nor without rows", () => {
    const single = [row("sgm", 0, 0.97)];
    expect(first({}, {}, single)).toMatchObject({ agreement: "undecided", interval: null });
    expect(first({ spread: 0.6 }, {}, single)?.agreement).toBe("agrees");
    expect(first({}, {}, [])).toMatchObject({ agreement: "not-run", measured: null });
    expect(first({ case: "cnn" })).toMatchObject({ agreement: "not-run" });
    expect(first({ attack: "fgsm", epsilon: 0.1 })).toMatchObject({ agreement: "not-run" });
  });

  it("says where fewer epochs were run than printed", () => {
    expect(first({}, { epochs: 50 })?.fewerEpochs).toBe(20);
    expect(first({}, { epochs: 20 })?.fewerEpochs).toBeNull();
    expect(first({}, { epochs: "more" })?.fewerEpochs).toBe(20);
  });

  it("puts what many steps leave beside a single one", () => {
    const attacked = [0, 1].map((seed) =>
      row("sgm", seed, 0.98, [
        ["fgsm", 0.1, 0.9],
        ["bim", 0.1, 0.7],
        ["pgd", 0.1, 0.5 + seed / 10],
        ["pgd", 0.2, 0],
      ]),
    );
    const compared = first({ attack: "fgsm", epsilon: 0.1, value: 90 }, {}, attacked);
    expect(compared?.iterated).toMatchObject({ record: { attack: "pgd", epsilon: 0.1 } });
    expect(compared?.iterated?.accuracy).toBeCloseTo(55, 12);
    expect(first({ attack: "pgd", epsilon: 0.1 }, {}, attacked)?.iterated).toBeNull();
  });
});

describe("read", () => {
  it("tells points crafted on another model from the model's own", () => {
    const crafted = {
      attack: "fgsm transfer from standard-seed0",
      options: { from: "standard-seed0", attack: "fgsm" },
    };
    const record = { norm: "linf" as const, epsilon: 0.25, n: 8, labels: "true" as const };
    const own = row("sgm", 0, 0.9);
    const both = {
      ...own,
      robust: [
        { ...record, ...crafted, accuracy: 0.75 },
        { ...record, attack: "fgsm", accuracy: 0.125 },
      ],
    };
    const reading = { measure: "testError" as const, attack: "fgsm", epsilon: 0.25 };
    expect(read(both, reading)).toBe(87.5);
    expect(read(both, { ...reading, from: "standard-seed0" })).toBe(25);
    expect(read(both, { ...reading, from: "standard-seed1" })).toBeNull();
    expect(read(own, { measure: "accuracy" })).toBe(90);
    expect(read(own, { measure: "meanTestErrorOfLast" })).toBeNull();
    const last = { ...own, meanOfLast: { epochs: 10, testError: 0.0083 } };
    expect(read(last, { measure: "meanTestErrorOfLast" })).toBeCloseTo(0.83, 12);
    const sparse = { ...own, activations: activationsOf(0.61) };
    expect(read(sparse, { measure: "hiddenZeros" })).toBe(61);
    expect(read(own, { measure: "hiddenZeros" })).toBeNull();
  });
});

describe("pairedComparisons", () => {
  const gains = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07];
  const seeds = (count: number, gain = 1) =>
    gains
      .slice(0, count)
      .flatMap((d, seed) => [
        row("standard", seed, 0.9 + seed / 1000),
        row("sgm", seed, 0.9 + seed / 1000 + gain * d),
        row("sign-noise", seed, 0.9 + seed / 1000 + d * (seed % 2 === 0 ? 1 : -1)),
      ]);
  const cells = [{ method: "sgm" }, { method: "standard" }];

  it("tests every method against the control over its seeds, with Holm's correction", () => {
    const [sgm, noise, ...rest] = pairedComparisons(seeds(7), table(cells));
    expect(rest).toEqual([]);
    expect(sgm).toMatchObject({ method: "sgm", control: "standard", verdict: "better" });
    expect(sgm?.test).toMatchObject({
      p: 0.015625,
      method: "Wilcoxon signed-rank, exact, 7 pairs, two-sided",
    });
    expect([sgm?.corrected, sgm?.least]).toEqual([0.03125, 0.03125]);
    expect(sgm?.difference).toBeCloseTo(4, 9);
    expect(noise).toMatchObject({ method: "sign-noise", verdict: "no difference shown" });
  });

  it("decides where p after the correction is below 5 %, in the direction of the measure", () => {
    const without = (from: ResultRow[]) => from.filter(({ method }) => method !== "sign-noise");
    expect(pairedComparisons(without(seeds(6)), table(cells))[0]?.verdict).toBe("better");
    expect(pairedComparisons(without(seeds(6, -1)), table(cells))[0]?.verdict).toBe("worse");
    const errors = table(cells.map((cell) => ({ ...cell, measure: "testError" as const })));
    expect(pairedComparisons(without(seeds(6)), errors)[0]).toMatchObject({ verdict: "better" });
    expect(pairedComparisons(without(seeds(6)), errors)[0]?.difference).toBeCloseTo(-3.5, 9);
  });

  it("calls more hidden zeros sparser, not better", () => {
    const withZeros = seeds(6)
      .filter(({ method }) => method !== "sign-noise")
      .map((each) => ({ ...each, activations: activationsOf(each.clean - 0.5) }));
    const zeros = table(cells.map((cell) => ({ ...cell, measure: "hiddenZeros" as const })));
    expect(pairedComparisons(withZeros, zeros)[0]?.verdict).toBe("sparser");
    const turned = withZeros.map((each) => ({ ...each, activations: activationsOf(1.5 - each.clean) }));
    expect(pairedComparisons(turned, zeros)[0]?.verdict).toBe("denser");
    const both = table([...zeros.cells, ...cells.map((cell) => ({ ...cell, top: 1 }))]);
    expect(pooledComparisons(withZeros, both)).toEqual([]);
  });

  it("gives no verdict where so many tests could not have shown anything", () => {
    const [sgm, noise] = pairedComparisons(seeds(6), table(cells));
    expect(sgm).toMatchObject({ corrected: 0.0625, least: 0.0625, verdict: null });
    expect(noise).toMatchObject({ verdict: null });
  });

  it("gives no verdict below six pairs", () => {
    expect(pairedComparisons(seeds(5), table(cells))[0]).toMatchObject({
      verdict: null,
      test: { p: 0.0625 },
    });
  });

  it("pairs equal seeds only, against the control that the table names", () => {
    const rows = [row("sgm", 0, 0.9), row("sgm", 1, 0.8), row("sign-noise", 1, 0.7)];
    const [pair] = pairedComparisons(rows, table(cells, { control: "sign-noise" }));
    expect(pair).toMatchObject({ control: "sign-noise", test: { pairs: 1 } });
    expect(pair?.difference).toBeCloseTo(10, 9);
    expect(pairedComparisons(rows, table(cells))).toEqual([]);
  });
});

describe("pooledComparisons", () => {
  const control = [98.77, 98.59, 94.61, 83.31, 99.03, 98.78, 95.1, 84.24];
  const updates = [98.79, 98.56, 94.68, 83.14, 98.91, 98.78, 95.06, 84.34];
  const epsilons = [0.001, 0.01, 0.1, 0.2];
  const cells = ["dnn", "dnn-aug"].flatMap((of, c) =>
    epsilons.flatMap((epsilon, e) => {
      const place = { case: of, attack: "fgsm", epsilon };
      return [
        { ...place, method: "standard", value: control[4 * c + e] ?? NaN },
        { ...place, method: "sgm", value: updates[4 * c + e] ?? NaN },
      ];
    }),
  );

  it("takes a pair from each place, printed and measured", () => {
    const accuracies = (method: string, seed: number, gain: number) => ({
      ...row(
        method,
        seed,
        0.99,
        epsilons.map((epsilon, e) => ["fgsm", epsilon, 0.9 - e / 10 + gain * (e + 1)]),
      ),
      case: "dnn",
    });
    const rows = [0, 1, 2].flatMap((seed) => [
      accuracies("standard", seed, 0),
      accuracies("sgm", seed, seed === 0 ? -0.3 : 0.001),
    ]);
    const [printed, measured] = pooledComparisons(rows, table(cells, { statistic: "median" }));
    expect(printed).toMatchObject({ of: "printed", test: { pairs: 7, zeros: 1 } });
    expect(measured).toMatchObject({ of: "measured", test: { pairs: 4, p: 0.125 }, oneSided: { p: 0.0625 } });
  });

  it("turns errors around, so that more is better", () => {
    const errors = [1, 2, 3].flatMap((epsilon) => [
      { method: "standard", measure: "testError" as const, attack: "fgsm", epsilon, value: 10 * epsilon },
      { method: "sgm", measure: "testError" as const, attack: "fgsm", epsilon, value: 9 * epsilon },
    ]);
    expect(pooledComparisons([], table(errors))[0]?.oneSided.p).toBe(0.125);
  });
});

describe("imageComparisons", () => {
  const image = (
    method: string,
    seed: number,
    bits: readonly number[],
    under: readonly number[],
  ): ImageRow => ({
    trial: `${method}-seed${seed}`,
    row: row(method, seed, 0.5, [["pgd", 0.1, 0.5]]),
    correct: { schema: 1, n: 8, clean: bitsToText(bits), robust: [bitsToText(under)] },
  });

  it("compares models of one seed, clean and under each attack", () => {
    const rows = [
      image("standard", 0, [1, 1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]),
      image("sgm", 0, [1, 1, 0, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1]),
      image("sgm", 1, [1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1]),
    ];
    const compared = imageComparisons(rows, "standard");
    expect(compared.map(({ seed, record }) => [seed, record?.attack])).toEqual([
      [0, undefined],
      [0, "pgd"],
    ]);
    expect(compared[0]?.test).toMatchObject({ firstOnly: 2, secondOnly: 1, p: 1 });
    expect(compared[1]?.test).toMatchObject({ firstOnly: 8, secondOnly: 0 });
    expect(compared[1]?.test.p).toBeCloseTo(2 ** -7, 12);
    expect(compared[1]?.corrected).toBeCloseTo(2 ** -6, 12);
  });

  it("tests a suite once, by what all of its stages leave", () => {
    const suite = (method: string, bits: readonly number[]): ImageRow => {
      const plain = image(method, 0, [1, 1, 1, 1, 1, 1, 1, 1], bits);
      const { row: of, correct } = plain;
      const [record] = row(method, 0, 0.5, [["autoattack", 0.1, 0.5]]).robust;
      if (record === undefined) throw new Error("no record");
      const stages = ["apgd-ce", "square"].map((attack) => ({ ...record, attack, suite: "autoattack" }));
      const [left = ""] = correct.robust;
      const robust = [bitsToText([1, 1, 1, 1, 1, 1, 1, 1]), left, left];
      return { ...plain, row: { ...of, robust: [...stages, record] }, correct: { ...correct, robust } };
    };
    const compared = imageComparisons(
      [suite("standard", [0, 0, 0, 0, 0, 0, 0, 0]), suite("sgm", [1, 1, 1, 1, 1, 1, 1, 0])],
      "standard",
    );
    expect(compared.map(({ record }) => record?.attack)).toEqual([undefined, "autoattack"]);
    expect(compared[1]?.test).toMatchObject({ firstOnly: 7, secondOnly: 0 });
    expect(compared[1]?.corrected).toBeCloseTo(2 ** -5, 12);
  });

  it("does not compare unequal sets of images", () => {
    const short = image("standard", 0, [1, 1], [0, 0]);
    const rows = [
      { ...short, correct: { ...short.correct, n: 2 } },
      image("sgm", 0, [1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]),
    ];
    expect(imageComparisons(rows, "standard")).toEqual([]);
  });
});
