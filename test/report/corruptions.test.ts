// Corruptions in reports: severities across, means last, and what the figures cannot be compared with.
import { describe, expect, it } from "vitest";
import { corruptionNotes, corruptionTable, methodCorruptionTable } from "../../src/report/corruptions.js";
import { auditReport } from "../../src/report/audit-report.js";
import { terminalAudit, terminalTable } from "../../src/report/index.js";
import { fakeAudit, fakeRun } from "./fake-run.js";

const fields = {
  corruptions: [
    { name: "frost", severity: 1, accuracy: 0.9, n: 500 },
    { name: "frost", severity: 5, accuracy: 0.5, n: 500 },
    { name: "random-flip", severity: 1, accuracy: 0.8, n: 500 },
  ],
  corruptionMeans: [
    { over: "frost", records: 2, accuracy: 0.7 },
    { over: "random-flip", records: 1, accuracy: 0.8 },
    { over: "common", records: 2, accuracy: 0.7 },
    { over: "disturbances", records: 1, accuracy: 0.8 },
  ],
  corruptionParameters: "cifar-10-c" as const,
};
const audit = { ...fakeAudit(), ...fields };

describe("the corruptions of an audit", () => {
  it("are a table of severities", () => {
    const table = corruptionTable(audit);
    expect(table?.columns.map(({ name }) => name)).toEqual(["1", "5", "mean"]);
    expect(table?.rows).toEqual([
      { name: "frost", cells: ["90.0", "50.0", "70.0"] },
      { name: "random-flip", cells: ["80.0", "", "80.0"] },
      { name: "mean, common corruptions", cells: ["", "", "70.0"] },
      { name: "mean, disturbances", cells: ["", "", "80.0"] },
    ]);
  });

  it("stand in page, Markdown and terminal, and not where none were run", async () => {
    const { html, markdown } = await auditReport(audit);
    const text = terminalAudit(audit, 80, { color: false });
    for (const each of [html, markdown, text]) {
      expect(each).toContain("mean, disturbances");
      expect(each.replaceAll("\n", " ")).toContain("Frost is drawn, not photographed");
    }
    expect(html).toContain("under 2 corruptions");
    expect(terminalAudit(fakeAudit(), 80, { color: false })).not.toContain("orruption");
    expect(corruptionTable(fakeAudit())).toBeNull();
  });

  it("say what they cannot be compared with", () => {
    expect(corruptionNotes(fields)).toEqual([
      "Common corruptions have the published parameters of CIFAR-10-C; values are not rounded to 8 bits. Frost is drawn, not photographed: its figures, and means with them, are not comparable with published ones.",
      "Disturbances were published without parameters: the severities are Temper's.",
    ]);
    expect(corruptionNotes({})).toEqual([]);
  });
});

describe("the corruptions of a run", () => {
  it("are a table of methods, over seeds", () => {
    const { results } = fakeRun({ seeds: [0, 1] });
    const rows = results.rows.map((row, i) => ({
      ...row,
      ...fields,
      corruptionMeans: [{ over: "frost", records: 2, accuracy: i % 2 === 0 ? 0.6 : 0.8 }],
    }));
    const table = methodCorruptionTable(rows);
    expect(table?.columns.map(({ name }) => name)).toEqual([...new Set(rows.map(({ method }) => method))]);
    expect(table?.rows[0]?.cells[0]).toBe("70.0 ± 14.1");
    expect(terminalTable({ ...results, rows }, 80, { color: false })).toContain("frost");
    expect(methodCorruptionTable(results.rows)).toBeNull();
  });
});
