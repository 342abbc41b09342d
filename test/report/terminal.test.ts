// Tables at the width of a terminal.
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { ResultsFile } from "../../src/experiments/records.js";
import { terminalAudit, terminalTable } from "../../src/report/index.js";
import { fakeAudit, fakeRun } from "./fake-run.js";
import { expectGolden } from "./golden.js";

const bare = { color: false } as const;
const widest = (text: string): number => Math.max(...text.split("\n").map((line) => Array.from(line).length));

describe("terminalTable", () => {
  it("shows the quickstart's table at 80 columns", () => {
    const text = terminalTable(fakeRun().results, 80, bare);
    expectGolden("terminal.txt", text);
    expect(widest(text)).toBeLessThanOrEqual(80);
  });

  it("breaks into two tables where the columns are too many, attacks whole where they can be", () => {
    const text = terminalTable(fakeRun({ seeds: [0, 1, 2] }).results, 80, bare);
    expectGolden("terminal-wide.txt", text);
    expect(widest(text)).toBeLessThanOrEqual(80);
    expect(text.match(/^method /gm)).toHaveLength(2);
  });

  it("stays within narrow terminals", () => {
    for (const width of [40, 50, 64])
      expect(widest(terminalTable(fakeRun().results, width, bare))).toBeLessThanOrEqual(width);
  });

  it("has colours only when asked", () => {
    const [plain, coloured] = [bare, { color: true }].map((options) =>
      terminalTable(fakeRun().results, 80, options),
    );
    expect(plain).not.toContain("\u001b");
    expect(coloured).toContain("\u001b");
    expect(stripVTControlCharacters(coloured ?? "")).toBe(plain);
  });

  it("shortens long names and drops control characters", () => {
    const name = `\u001b[31m${"defence-".repeat(12)}`;
    const text = terminalTable(fakeRun({ names: ["standard", name] }).results, 80, bare);
    expect(text).not.toContain("\u001b");
    expect(widest(text)).toBeLessThanOrEqual(80);
    expect(text).toContain("…");
  });

  it("says so when there is nothing but clean accuracy", () => {
    const { results } = fakeRun();
    const rows = results.rows.map((row) => ({ ...row, robust: [] }));
    const clean: ResultsFile = { ...results, rows };
    expectGolden("terminal-clean.txt", terminalTable(clean, 80, bare));
  });

  it("explains the columns of a suite's stages", () => {
    const { results } = fakeRun({ names: ["standard"] });
    const withSuite = results.rows.map((row) => {
      const [first] = row.robust;
      if (first === undefined) throw new Error("no record");
      const whole = { ...first, attack: "autoattack" };
      return { ...row, robust: [{ ...whole, attack: "fab-t", suite: "autoattack" }, whole] };
    });
    const note =
      "AutoAttack's stages run one after another: a column has what its stage and those before it leave.";
    const said = (rows: ResultsFile["rows"]): string =>
      terminalTable({ ...results, rows }, 80, bare).replaceAll("\n", " ");
    expect(said(withSuite)).toContain(note);
    expect(said(results.rows)).not.toContain("stages");
  });

  it("puts doubts first", () => {
    const { results } = fakeRun({ names: ["standard"] });
    const flags = [{ name: "masking", message: "PGD is weaker than FGSM", remedy: "more steps" }];
    const rows = results.rows.map((row) => ({ ...row, flags }));
    const text = terminalTable({ ...results, rows }, 80, bare);
    expect(text.split("\n")[0]).toBe(
      "! standard, seed 0: masking: PGD is weaker than FGSM. Remedy: more steps.",
    );
  });
});

describe("terminalAudit", () => {
  it("keeps its columns together in narrow terminals", () => {
    const text = terminalAudit(fakeAudit(), 60, bare);
    expect(widest(text)).toBeLessThanOrEqual(60);
    expect(text).toMatch(/^attack +ε +accuracy +forward +gradient$/m);
  });

  it("ends with the budget, and explains stages; all attacks together have no row where they repeat another", () => {
    const audit = fakeAudit();
    const [first] = audit.robust;
    if (first === undefined) throw new Error("no record");
    const whole = { ...first, attack: "autoattack", epsilon: 0.1, accuracy: 0.4 };
    const robust = [
      { ...whole, attack: "apgd-ce", suite: "autoattack" },
      whole,
      { ...whole, attack: "worst-case" },
      { ...whole, attack: "worst-case", epsilon: 0.2, accuracy: 0.01 },
    ];
    const text = terminalAudit({ ...audit, robust }, 80, bare);
    expect(text.match(/^all of these L∞ .*$/gm)).toHaveLength(1);
    expect(text).toMatch(/^all of these L∞ +0\.2 +1\.00 /m);
    expect(text).toContain("AutoAttack's stages run one after another: a row has what its stage and those");
    expect(text.trimEnd().split("\n").slice(-2).join(" ")).toMatch(
      /Budget: [\d,]+ forward passes \(queries\) and/,
    );
  });

  it("has notes only where the model has some", () => {
    const audit = fakeAudit();
    expect(terminalAudit({ ...audit, model: { ...audit.model, notes: [] } }, 80, bare)).not.toContain("Note");
  });

  it("shows doubts, then one row for each attack and radius", () => {
    const text = terminalAudit(fakeAudit(), 80, bare);
    expectGolden("terminal-audit.txt", text);
    expect(text).toContain("Note: a trailing Softmax was taken off: its input is read as logits.\n");
    expect(widest(text)).toBeLessThanOrEqual(80);
  });
});
