// Published figures in words: verdicts, pairs, pooled tests.
import { describe, expect, it } from "vitest";
import type { PublishedCell, PublishedTable } from "../../src/experiments/published.js";
import type { ResultRow } from "../../src/experiments/records.js";
import type { Block } from "../../src/report/document.js";
import { pText, publishedBlocks, publishedTableBlocks } from "../../src/report/published.js";

const row = (method: string, seed: number, clean: number): ResultRow => ({
  ...{ case: "dnn", method, seed, clean, options: {}, epochs: 20, robust: [] },
});
const cell = (method: string, value: number, more: Partial<PublishedCell> = {}): PublishedCell => ({
  ...{ case: "dnn", method, measure: "accuracy", value },
  ...more,
});
const table = (cells: PublishedCell[], more: Partial<PublishedTable> = {}): PublishedTable => ({
  ...{ source: "Table 4", statistic: "mean", cells },
  ...more,
});

/** The last cell but none of each row of the first table, and all paragraphs. */
function said(rows: ResultRow[], of: PublishedTable) {
  const blocks = publishedTableBlocks(rows, of);
  const tables = blocks.flatMap((block) => (block.kind === "table" ? [block.table] : []));
  const columns = tables[0]?.columns.map(({ name }) => name) ?? [];
  const verdict = columns.indexOf("verdict");
  return {
    columns,
    verdicts: tables[0]?.rows.map(({ cells }) => cells[verdict]) ?? [],
    rows: tables.map((each) => each.rows),
    text: blocks.flatMap((block: Block) => (block.kind === "paragraph" ? [block.text] : [])).join("\n"),
  };
}

const seeds = [0, 1, 2, 3, 4, 5];
const rows = seeds.flatMap((seed) => [
  row("standard", seed, 0.9 + seed / 1000),
  row("sgm", seed, 0.92 + seed / 500),
]);

describe("publishedTableBlocks", () => {
  it("says in words whether a figure agrees", () => {
    const cells = [
      cell("sgm", 92.5),
      cell("standard", 91.5, { note: "read off a figure" }),
      cell("sgm", 98, { case: "cnn" }),
    ];
    const { verdicts, columns, rows: all } = said(rows, table(cells));
    expect(verdicts).toEqual(["agrees within spread", "differs by −1.25", "not run"]);
    expect(columns).toContain("note");
    expect(all[0]?.[0]).toEqual({
      name: "sgm, dnn: accuracy",
      cells: ["92.50", "92.50 ± 0.37", "92.23 to 92.77", "6", "±0.00", "agrees within spread", "–"],
    });
  });

  it("says where the paper trained longer, for a number of epochs that it prints or not", () => {
    const all = ([50, "more"] as const).map((epochs) => said(rows, table([cell("sgm", 92.5)], { epochs })));
    expect(all.flatMap(({ verdicts }) => verdicts)).toEqual([
      "not run at this scale (20 of 50 epochs): agrees within spread",
      "not run at this scale (20 epochs, the paper's were more): agrees within spread",
    ]);
    expect(all[1]?.text).toContain("Printed: mean after more epochs, it is not said how many. Measured");
  });

  it("states the rule, the interval's method, the paper's runs and what is left out", () => {
    const more = { statistic: "median" as const, seeds: 5, epochs: 20, leftOut: "CIFAR-10" };
    const { text, columns } = said(rows, table([cell("sgm", 92.5)], more));
    expect(text).toContain(
      "Printed: median of 5 runs after 20 epochs. Measured: mean ± sample standard deviation over seeds; 95 % interval of the mean: BCa bootstrap, all resamples. A figure agrees where its median lies within 2·√(s² + s′²) of the printed one",
    );
    expect(text).toContain("Left out, or other than in print: CIFAR-10");
    expect(text).not.toContain("too narrow");
    expect(
      said(
        rows.filter(({ seed }) => seed < 3),
        table([cell("sgm", 92.5)]),
      ).text,
    ).toContain("BCa bootstrap, all resamples, which of so few seeds is too narrow.");
    expect(columns).toContain("median");
    expect(columns).not.toContain("note");
  });

  it("compares seed by seed, and pools the places as one test", () => {
    const cells = [
      ...[cell("standard", 98.81), cell("sgm", 98.93)],
      ...[cell("standard", 99.03, { case: "cnn" }), cell("sgm", 99.01, { case: "cnn" })],
    ];
    const { rows: all, text } = said(rows, table(cells));
    expect(all[1]).toEqual([
      {
        name: "sgm – standard, dnn: accuracy",
        cells: [
          "+2.25",
          "0.031",
          "0.031",
          "Wilcoxon signed-rank, exact, 6 pairs, two-sided",
          "sgm is better than standard",
        ],
      },
    ]);
    expect(text).toContain("p (Holm) is corrected for the 1 test of this table");
    expect(text).toContain(
      "sgm against standard, printed figures: Wilcoxon signed-rank, exact, 2 pairs, two-sided: p = 1; one-sided, that sgm is better: p = 0.5.",
    );
  });

  it("says how small p could get with few pairs", () => {
    const few = rows.filter(({ seed }) => seed < 5);
    const { rows: all } = said(few, table([cell("sgm", 92.5)]));
    expect(all[1]?.[0]?.cells.at(-1)).toBe("no verdict below 6 pairs: with 5 p cannot go below 0.0625");
  });

  it("does not let FGSM stand alone", () => {
    const under = (attack: string, accuracy: number) => ({
      ...{ attack, norm: "linf" as const, epsilon: 0.1, accuracy, n: 100, labels: "true" as const },
    });
    const attacked = { ...row("sgm", 0, 0.99), robust: [under("fgsm", 0.8)] };
    const cells = [cell("sgm", 80, { attack: "fgsm", epsilon: 0.1 })];
    expect(said([attacked], table(cells)).text).toContain(
      "is no robust accuracy; no attack of many steps was run at these radii.",
    );
    const both = { ...attacked, robust: [under("fgsm", 0.8), under("pgd", 0.25)] };
    const { columns, rows: all, text } = said([both], table(cells));
    expect(all[0]?.[0]?.cells[columns.indexOf("accuracy under many steps")]).toBe("25.00 (PGD)");
    expect(text).toContain(
      "beside it stands what the strongest attack of many steps leaves at the same radius.",
    );
  });
});

describe("publishedBlocks", () => {
  it("is nothing without tables", () => {
    expect(publishedBlocks(rows, [])).toEqual([]);
    expect(publishedBlocks(rows, [table([cell("sgm", 92.5)])])[0]).toEqual({
      kind: "heading",
      level: 2,
      text: "Beside the published figures",
    });
  });
});

describe("pText", () => {
  it("has two digits", () => {
    expect([0.03125, 0.5, 1, 0.00611, 0.00002].map(pText)).toEqual([
      "0.031",
      "0.5",
      "1",
      "0.0061",
      "< 0.0001",
    ]);
  });
});
