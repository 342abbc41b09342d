// What a search found and tried, on the page, in the terminal and among kept results.
import { describe, expect, it } from "vitest";
import type { SearchRecord } from "../../src/experiments/records.js";
import { html } from "../../src/report/html.js";
import { resultsPage } from "../../src/report/kept-results.js";
import { markdown } from "../../src/report/markdown.js";
import { runReport } from "../../src/report/run-report.js";
import { searchText } from "../../src/report/searches.js";
import { terminalTable } from "../../src/report/terminal.js";
import { fakeRun } from "./fake-run.js";

const record: SearchRecord = {
  ...{ method: "sign-noise", identity: "", objective: "clean", images: 5000, seeds: [0], draws: null },
  ...{ rungs: [3, 8, 20], eta: 2, found: 1, seconds: 60 },
  candidates: [
    { values: { epsilon: 0.1, sites: ["input"] }, scores: [0.9701, 0.9802], pruned: 8 },
    { values: { epsilon: 0.5, sites: ["input"] }, scores: [0.9711, 0.9812, 0.9881], pruned: null },
    { values: { epsilon: 0.75, sites: ["relu1"] }, scores: [0.9711, 0.9812, 0.988], pruned: null },
    { values: { epsilon: 99, sites: ["input"] }, scores: [null], pruned: 3 },
  ],
};
const pgd = { attack: "pgd", norm: "linf", epsilon: 8 / 255, options: { steps: 10 } } as const;
const other: SearchRecord = {
  ...{ ...record, case: "relu", method: "sgm", objective: pgd, images: 500 },
  ...{ seeds: [1, 2], draws: { trials: 9, seed: 3 }, rungs: [20], found: 0 },
  candidates: [{ values: { lambda: 0.02 }, scores: [0.5], pruned: null }],
};

describe("a search", () => {
  it("is said in words: what was found, among how many, measured on what and trained how", () => {
    expect(searchText(record)).toBe(
      'Search of sign-noise: epsilon 0.5, sites ["input"] found, 98.81 % accuracy on 5,000 validation images; the best of ' +
        "4 candidates (every combination) after 20 epochs, seed 0; one in 2 went on from 3 and 8 epochs. Test images took no part.",
    );
    expect(searchText(other)).toBe(
      "Search of relu.sgm: lambda 0.02 found, 50.0 % accuracy under PGD L∞ at ε 8/255 (steps 10) on 500 validation images; " +
        "the best of 1 candidate (9 draws, seed 3) after 20 epochs, mean of seeds 1, 2. Test images took no part.",
    );
  });

  it("is on the page with all candidates, at each rung, and where they were pruned", async () => {
    const run = fakeRun();
    const page = (searches: SearchRecord[]) => runReport({ ...run, run: { ...run.run, searches } }, []);
    const text = markdown(await page([record, other]));
    expect(text).toContain("### Searches\n\nSearch of sign\\-noise: ".replace("\\-", "-"));
    const rows = text.split("\n").filter((line) => /^\| (epsilon|lambda) /.test(line));
    const cells = rows.map((row) =>
      row
        .split("|")
        .map((cell) => cell.trim())
        .slice(2, -1),
    );
    expect(cells).toEqual([
      ["97.01", "98.02", "–", "pruned at 8"],
      ["97.11", "98.12", "98.81", "found"],
      ["97.11", "98.12", "98.80", ""],
      ["diverged", "–", "–", "pruned at 3"],
      ["50.0", "found"],
    ]);
    expect(html(await page([record]))).toContain("All candidates of sign-noise");
    expect(markdown(await runReport(run, []))).not.toContain("Searches");
  });

  it("stands below the table in the terminal, and with kept results", () => {
    const text = terminalTable(fakeRun().results, 80, { color: false, searches: [record] });
    expect(text.replace(/\s+/g, " ")).toContain(searchText(record));
    const results = {
      ...({ schema: 1, kind: "temper-results", name: "r", recipe: "r.yaml", description: null } as const),
      ...{
        dataset: "mnist",
        published: [],
        questions: [],
        trials: ["sign-noise-seed0"],
        kept: [],
        searches: [record],
      },
    };
    const images = { schema: 1, kind: "temper-results-images", trials: {} } as const;
    expect(resultsPage([{ results, images }])).toContain("### Searches");
  });
});
