// Hidden activations as a figure: bars, scales and the share of exact zeros in words.
import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import type { ActivationRecord, ResultRow } from "../../src/experiments/records.js";
import type { RunRecord } from "../../src/experiments/run-record.js";
import { standalone, type Figure } from "../../src/report/figure.js";
import { hiddenActivations } from "../../src/report/hidden-activations.js";
import { fakeRun } from "./fake-run.js";
import { expectGolden } from "./golden.js";

const n = 100;

/** Activations of two layers of 10 units: `zeros` of 1,000 numbers are 0, the others fall off from 0 over `bins` bins. */
function activations(zeros: number, bins = 8, above = 0): ActivationRecord {
  const left = 1000 - zeros - above;
  const counts = Array.from({ length: 60 }, (_, i) =>
    i >= 10 && i < 10 + bins ? Math.floor((left * 2 * (bins - (i - 10))) / (bins * (bins + 1))) : 0,
  );
  counts[10] = (counts[10] ?? 0) + left - counts.reduce((a, b) => a + b, 0);
  const layer = { units: 10, zeros: zeros / 1000, mean: 0.25, counts, below: 0, above };
  const all = { ...layer, units: 20, counts: counts.map((count) => 2 * count), above: 2 * above };
  return {
    n,
    bins: { low: -1, high: 5, width: 0.1 },
    all,
    sites: [
      { site: "relu1", ...layer },
      { site: "relu2", ...layer },
    ],
  };
}

function withActivations(record: RunRecord, of: (row: ResultRow) => ActivationRecord): RunRecord {
  const rows = record.results.rows.map((row) => ({ ...row, activations: of(row) }));
  return { ...record, results: { ...record.results, rows } };
}

const names = ["standard", "adversarial-backprop"];
const zerosOf = ({ method, seed }: ResultRow): number => (method === "standard" ? 392 : 612) + seed;
const figureOf = async (record: RunRecord): Promise<Figure> => {
  const figure = await hiddenActivations(record);
  if (!figure) throw new Error("no figure");
  return figure;
};
const texts = (figure: Figure, of = 0): string[] => [
  ...(figure.panels[of]?.svg.match(/(?<=<text[^>]*>)[^<]+/g) ?? []),
];
const barsOf = (figure: Figure): number[][] =>
  figure.panels.map(({ svg }) => {
    const { document } = new JSDOM(svg, { contentType: "image/svg+xml" }).window;
    return [...document.querySelectorAll("g[aria-label=rect] rect")].map((bar) =>
      Number(bar.getAttribute("height")),
    );
  });

describe("hidden activations", () => {
  it("are histograms on one scale, their zeros in words", async () => {
    const figure = await figureOf(withActivations(fakeRun({ names }), (row) => activations(zerosOf(row))));
    expectGolden("hidden-activations.svg", standalone(figure));
    expect(texts(figure).slice(0, 3)).toEqual([
      "standard",
      "exactly zero: 39.2 %; mean 0.250",
      "relu1 39.2 %, relu2 39.2 %",
    ]);
    expect(figure.alt).toBe(
      "Histograms of the hidden activations; exactly zero are: standard 39.2 %, adversarial-backprop 61.2 %.",
    );
    const [standard = [], hardened = []] = barsOf(figure);
    expect(standard).toHaveLength(8);
    expect(hardened).toHaveLength(8);
    for (const [i, height] of hardened.entries())
      expect(height / (standard[i] ?? 0)).toBeCloseTo(388 / 608, 1);
    expect(figure.caption).toContain("All hidden units (20) on 100 test images, bins of 0.1");
  });

  it("are means over seeds, with the range of the zeros", async () => {
    const record = fakeRun({ names, seeds: [0, 8] });
    const figure = await figureOf(withActivations(record, (row) => activations(zerosOf(row))));
    expect(texts(figure)[1]).toBe("exactly zero: 39.6 % (39.2 to 40.0); mean 0.250");
    expect(figure.caption).toContain("in brackets, the lowest and the highest seed");
  });

  it("say what lies beyond their axes, and where a mean is none", async () => {
    const record = withActivations(fakeRun({ names }), (row) => activations(zerosOf(row), 3, 20));
    const figure = await figureOf(record);
    expect(figure.caption).toContain("Up to 2.0 % lie beyond the axes.");
    const lost = withActivations(record, (row) => {
      const { all, ...rest } = activations(zerosOf(row));
      return { ...rest, ...(all && { all: { ...all, mean: null } }) };
    });
    expect(texts(await figureOf(lost))[1]).toBe("exactly zero: 39.2 %; mean not a number");
  });

  it("have a scale of their own in each case", async () => {
    const record = fakeRun({ names: ["standard"], seeds: [0, 1] });
    const rows = record.results.rows.map((row) => ({
      ...row,
      case: row.seed === 0 ? "narrow" : "wide",
      activations: activations(row.seed === 0 ? 500 : 100, row.seed === 0 ? 4 : 12),
    }));
    const figure = await figureOf({ ...record, results: { ...record.results, rows }, galleries: [] });
    expect([texts(figure)[0], texts(figure, 1)[0]]).toEqual(["narrow: standard", "wide: standard"]);
    const [narrow = [], wide = []] = barsOf(figure);
    expect([narrow.length, wide.length]).toEqual([4, 12]);
    expect(narrow[0]).toBe(wide[0]);
  });

  it("are left out where none were measured or there are no hidden units", async () => {
    const record = fakeRun({ names });
    expect(await hiddenActivations(record)).toBeNull();
    const { n: count, bins } = activations(0);
    expect(
      await hiddenActivations(withActivations(record, () => ({ n: count, bins, sites: [] }))),
    ).toBeNull();
  });
});
