// Statistics against SciPy's figures (test/fixtures/make_statistics.py), printed ones, and their own definitions.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bootstrapInterval } from "../../src/evaluation/statistics/bootstrap.js";
import { holm } from "../../src/evaluation/statistics/holm.js";
import { mcNemar } from "../../src/evaluation/statistics/mcnemar.js";
import { normalCdf, normalQuantile } from "../../src/evaluation/statistics/normal.js";
import { summarize } from "../../src/evaluation/statistics/summary.js";
import {
  differences,
  wilcoxonSignedRank,
  type Alternative,
} from "../../src/evaluation/statistics/wilcoxon.js";
import { wilsonInterval } from "../../src/evaluation/statistics/wilson.js";

interface Fixture {
  readonly wilcoxon: readonly {
    readonly name: string;
    readonly differences: readonly number[];
    readonly zeros: "wilcox" | "pratt";
    readonly alternative: Alternative;
    readonly positive: number;
    readonly normal: number;
    readonly exact: number | null;
  }[];
  readonly bootstrap: readonly {
    readonly values: readonly number[];
    readonly statistic: "mean" | "median";
    readonly level: number;
    readonly low: number;
    readonly high: number;
  }[];
  readonly summary: readonly { values: readonly number[]; mean: number; sd: number | null; median: number }[];
  readonly holm: readonly { readonly p: readonly number[]; readonly corrected: readonly number[] }[];
  readonly mcnemar: readonly { readonly b: number; readonly c: number; readonly p: number }[];
  readonly normal: readonly { readonly x: number; readonly cdf: number }[];
}

const file = new URL("../fixtures/statistics.json", import.meta.url);
const scipy = JSON.parse(readFileSync(file, "utf8")) as Fixture;

/** |got − expected| as a share of `expected`. */
const relative = (got: number, expected: number): number =>
  Math.abs(got - expected) / Math.max(Math.abs(expected), Number.MIN_VALUE);

describe("wilcoxonSignedRank", () => {
  it.each(scipy.wilcoxon)("is SciPy's on $name, $zeros, $alternative", (known) => {
    const { differences: d, zeros, alternative } = known;
    const normal = wilcoxonSignedRank(d, { zeros, alternative, method: "normal" });
    expect(normal.positive).toBe(known.positive);
    expect(relative(normal.p, known.normal)).toBeLessThan(1e-12);
    const exact = wilcoxonSignedRank(d, { zeros, alternative, method: "exact" });
    if (known.exact !== null) expect(relative(exact.p, known.exact)).toBeLessThan(1e-12);
    expect(exact.positive + exact.negative).toBe(normal.positive + normal.negative);
    expect(exact.pairs + exact.zeros).toBe(d.length);
  });

  it("counts signs where SciPy has no exact value", () => {
    const unknown = scipy.wilcoxon.filter(({ exact }) => exact === null);
    expect(new Set(unknown.map(({ name }) => name))).toEqual(new Set(["many with ties and zeros"]));
    for (const { differences: d, zeros, alternative, normal } of unknown)
      expect(wilcoxonSignedRank(d, { zeros, alternative, method: "exact" }).p).toBeCloseTo(normal, 2);
  });

  it("is exact up to 100 pairs, and names what it did", () => {
    expect(wilcoxonSignedRank([1, 2, 3, 4, 5, 6]).method).toBe(
      "Wilcoxon signed-rank, exact, 6 pairs, two-sided",
    );
    expect(wilcoxonSignedRank([0, 2, 2, -1], { zeros: "pratt", alternative: "greater" }).method).toBe(
      "Wilcoxon signed-rank, exact, 3 pairs, 1 more without a difference ranked, then left out (Pratt), ties share their ranks, one-sided (greater)",
    );
    expect(wilcoxonSignedRank([0, 1]).method).toBe(
      "Wilcoxon signed-rank, exact, 1 pair, 1 more without a difference left out, two-sided",
    );
    const many = Array.from({ length: 101 }, (_, i) => i + 1);
    expect(wilcoxonSignedRank(many.slice(1)).method).toContain("exact, 100 pairs");
    expect(wilcoxonSignedRank(many).method).toContain("normal approximation, 101 pairs");
  });

  it("says how small p could get", () => {
    expect(wilcoxonSignedRank([1, 2, 3, 4, 5])).toMatchObject({ p: 0.0625, leastP: 0.0625 });
    expect(wilcoxonSignedRank([1, 2, 3, 4, 5], { alternative: "greater" }).leastP).toBe(0.03125);
    expect(wilcoxonSignedRank([0, 0])).toMatchObject({ p: 1, leastP: 1, pairs: 0 });
  });

  it("refuses differences that are no numbers", () => {
    expect(() => wilcoxonSignedRank([1, NaN])).toThrow(
      "wilcoxonSignedRank: expected finite differences, got 1, NaN",
    );
  });

  it("finds ties among figures of decimals", () => {
    const d = differences([0.3, 0.2, 0.5], [0.2, 0.1, 0.5]);
    expect(d[0]).toBe(d[1]);
    expect(d[2]).toBe(0);
    expect(() => differences([1], [])).toThrow(
      "differences: expected as many figures on both sides, got 1 and 0",
    );
  });
});

describe("Mosca & Magoulas 2018, Table 5", () => {
  const control = [
    98.77, 98.59, 94.61, 83.31, 99.03, 98.78, 95.1, 84.24, 99.47, 99.01, 84.16, 61.1, 99.54, 99.33, 91.47,
    71.55, 89.82, 82.4, 51.2, 40.53, 92.98, 91.49, 74.24, 59.5, 64.61, 53.26, 26.19, 19.01, 69.78, 67.76,
    48.47, 32.77,
  ];
  const updates = [
    98.79, 98.56, 94.68, 83.14, 98.91, 98.78, 95.06, 84.34, 99.45, 99.21, 89.01, 66.93, 99.62, 99.39, 92.2,
    73.48, 90.18, 87.81, 66.86, 52.57, 93, 91.33, 74.06, 58.73, 65.55, 62.59, 40.92, 27.38, 70.12, 68.08,
    48.29, 32.12,
  ];

  it("gives p = .0061 where all its cells are pooled, .0031 one-sided: the printed level of .005 is met by the latter alone", () => {
    const both = wilcoxonSignedRank(differences(updates, control));
    expect(both.p).toBeCloseTo(0.0061, 4);
    expect(both).toMatchObject({ pairs: 31, zeros: 1, ties: true });
    const above = wilcoxonSignedRank(differences(updates, control), { alternative: "greater" });
    expect(above.p).toBeCloseTo(0.0031, 4);
  });
});

describe("bootstrapInterval", () => {
  it.each(scipy.bootstrap)("is SciPy's BCa over all resamples: $statistic of $values, $level", (known) => {
    const { values, statistic, level, low, high } = known;
    const got = bootstrapInterval(values, { statistic, level });
    expect(got.low).toBeCloseTo(low, 12);
    expect(got.high).toBeCloseTo(high, 12);
    expect(got.method).toBe("BCa bootstrap, all resamples");
  });

  it("draws by its seed alone where there are too many to count", () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6, 5].map((value) => value / 10);
    const drawn = bootstrapInterval(values, { seed: 4 });
    expect(drawn.method).toBe("BCa bootstrap, 9999 resamples drawn");
    expect(bootstrapInterval(values, { seed: 4 })).toEqual(drawn);
    expect(bootstrapInterval(values, { seed: 5 })).not.toEqual(drawn);
    const counted = bootstrapInterval(values.slice(0, 8));
    const all = bootstrapInterval([...values.slice(0, 8), 0.3875], { resamples: 20000 });
    expect(Math.abs(all.low - counted.low)).toBeLessThan(0.05);
    expect(Math.abs(all.high - counted.high)).toBeLessThan(0.05);
  });

  it("is one point where all figures are equal, and needs two", () => {
    expect(bootstrapInterval([0.5, 0.5, 0.5])).toMatchObject({ low: 0.5, high: 0.5 });
    expect(() => bootstrapInterval([0.5])).toThrow("bootstrapInterval: expected at least two figures, got 1");
    expect(() => bootstrapInterval([1, 2], { level: 1 })).toThrow(
      "bootstrapInterval: level: expected a share in (0, 1), got 1",
    );
  });
});

describe("summarize", () => {
  it("is NumPy's mean, sd with n − 1, and median", () => {
    for (const { values, mean, sd, median } of scipy.summary) {
      const got = summarize(values);
      expect(got.n).toBe(values.length);
      expect(got.mean).toBeCloseTo(mean, 14);
      expect(got.median).toBeCloseTo(median, 14);
      if (sd === null) expect(got.sd).toBeNull();
      else expect(got.sd).toBeCloseTo(sd, 14);
    }
  });

  it("needs a figure", () => {
    expect(() => summarize([])).toThrow("summarize: expected at least one figure, got none");
  });
});

describe("holm", () => {
  it("is statsmodels' correction", () => {
    for (const { p, corrected } of scipy.holm)
      holm(p).forEach((each, i) => expect(each).toBeCloseTo(corrected[i] ?? NaN, 14));
  });

  it("refuses what is no probability", () => {
    expect(() => holm([0.5, 1.5])).toThrow("holm: expected p-values in [0, 1], got 0.5, 1.5");
  });
});

describe("mcNemar", () => {
  const right = (from: number, length: number): Uint8Array =>
    Uint8Array.from({ length: 12000 }, (_, i) => (i >= from && i < from + length ? 1 : 0));

  it("is SciPy's binomial test on the images that differ", () => {
    for (const { b, c, p } of scipy.mcnemar) {
      const got = mcNemar(right(1000, b), right(1000 + b, c));
      expect(got).toMatchObject({ firstOnly: b, secondOnly: c, n: 12000 });
      expect(relative(got.p, p)).toBeLessThan(1e-9);
    }
    expect(mcNemar(right(0, 900), right(30, 900)).method).toBe(
      "McNemar, exact, 60 of 12,000 images differ, two-sided",
    );
  });

  it("needs the same images", () => {
    expect(() => mcNemar([1, 0], [1])).toThrow(
      "mcNemar: expected the same images for both models, got 2 and 1",
    );
  });
});

describe("the normal distribution", () => {
  it("is SciPy's, far into its tails", () => {
    for (const { x, cdf } of scipy.normal) expect(relative(normalCdf(x), cdf)).toBeLessThan(1e-12);
  });

  it("has an inverse", () => {
    for (const { x, cdf } of scipy.normal.filter((each) => each.cdf < 0.999))
      expect(Math.abs(normalQuantile(cdf) - x)).toBeLessThan(1e-12 * Math.max(1, Math.abs(x)));
    expect([0, 1].map(normalQuantile)).toEqual([-Infinity, Infinity]);
    expect(() => normalQuantile(1.5)).toThrow("normalQuantile: expected a probability in [0, 1], got 1.5");
  });
});

describe("wilsonInterval", () => {
  it("equals Newcombe's (1998) printed examples", () => {
    const cases = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [successes, n, low, high] of cases) {
      const got = wilsonInterval(successes, n);
      expect(got[0]).toBeCloseTo(low, 4);
      expect(got[1]).toBeCloseTo(high, 4);
    }
  });

  it("solves (share − p)² = z²·p(1 − p)/n", () => {
    for (const p of wilsonInterval(9151, 10000, 2.5))
      expect((0.9151 - p) ** 2).toBeCloseTo((2.5 ** 2 * p * (1 - p)) / 10000, 12);
  });

  it("stays within [0, 1] at the ends, and knows nothing without images", () => {
    expect(wilsonInterval(10, 10)[1]).toBe(1);
    expect(wilsonInterval(0, 10)[0]).toBe(0);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});
