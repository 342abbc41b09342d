// report.html and report.md: structure, figures equal to the record, escaping, files.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JSDOM } from "jsdom";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RobustRecord } from "../../src/experiments/records.js";
import type { RunRecord } from "../../src/experiments/run-record.js";
import { auditReport, writeAuditReport, writeReport } from "../../src/report/index.js";
import { figuresOf } from "../../src/report/figures.js";
import { html } from "../../src/report/html.js";
import { markdown } from "../../src/report/markdown.js";
import { runReport } from "../../src/report/run-report.js";
import { fakeAudit, fakeRun } from "./fake-run.js";
import { expectGolden } from "./golden.js";

async function reportOf(record: RunRecord): Promise<{ page: string; text: string; document: Document }> {
  const report = await runReport(record, await figuresOf(record));
  const page = html(report);
  return { page, text: markdown(report), document: new JSDOM(page).window.document };
}

const strongestFirst = (robust: readonly RobustRecord[]): RobustRecord[] => [
  ...robust.filter(({ attack }) => attack === "pgd"),
  ...robust.filter(({ attack }) => attack === "fgsm"),
];

const texts = (nodes: Iterable<Element>): string[] => Array.from(nodes, ({ textContent }) => textContent);

/** No request leaves the page, headings descend one by one, tables name their cells. */
function expectSound(document: Document, page: string): void {
  const outside = [...page.matchAll(/(?:src|href|url\()\s*=?\s*["']?([^"')\s>]*)/g)].map(
    ([, target = ""]) => target,
  );
  expect(outside.filter((target) => !target.startsWith("data:") && target !== "")).toEqual([]);
  expect(page.match(/https?:\/\/(?!www\.w3\.org\/)/g)).toBeNull();
  expect(document.querySelectorAll("script, iframe, link:not([href^='data:'])")).toHaveLength(0);
  expect(document.documentElement.lang).toBe("en");
  expect(document.title).not.toBe("");
  const levels = Array.from(document.querySelectorAll("h1, h2, h3, h4"), ({ tagName }) => Number(tagName[1]));
  expect(levels[0]).toBe(1);
  levels.slice(1).forEach((level, i) => {
    expect(level).toBeGreaterThan(1);
    expect(level).toBeLessThanOrEqual((levels[i] ?? 0) + 1);
  });
  for (const table of document.querySelectorAll("table")) {
    expect(table.closest(".scroll")).not.toBeNull();
    expect(table.caption?.textContent).not.toBe("");
    for (const th of table.querySelectorAll("th")) expect(["row", "col", "colgroup"]).toContain(th.scope);
  }
  for (const scrolled of document.querySelectorAll(".scroll, pre")) {
    expect(scrolled.getAttribute("role")).toBe("region");
    expect(scrolled.getAttribute("tabindex")).toBe("0");
    expect(scrolled.getAttribute("aria-label")).not.toBeFalsy();
  }
  for (const figure of document.querySelectorAll("figure")) {
    expect(figure.querySelector("figcaption")?.textContent).not.toBe("");
    expect(figure.querySelector("svg[role=img]")?.getAttribute("aria-label")).not.toBe("");
  }
}

describe("the report of a run", () => {
  let document: Document;
  let page: string;
  let text: string;
  beforeAll(async () => ({ document, page, text } = await reportOf(fakeRun())));

  it("is one sound page without requests", () => expectSound(document, page));

  it("holds the record's figures, cell by cell", () => {
    const rows = [...(document.querySelector("table tbody")?.querySelectorAll("tr") ?? [])];
    const shown = rows.map((row) => texts(row.children));
    const expected = fakeRun().results.rows.map(({ method, clean, robust }) => [
      method,
      ...[clean, ...strongestFirst(robust).map(({ accuracy }) => accuracy)].map((share) =>
        (share * 100).toFixed(2),
      ),
    ]);
    expect(shown).toEqual(expected);
  });

  it("states the conditions of its table", () => {
    const terms = texts(document.querySelectorAll("dt"));
    for (const term of [
      "Seeds",
      "Images (n)",
      "Dataset and split",
      "Labels attacked",
      "Space and unit of ε",
      "Crafting",
      "Engine",
      "Threads",
      "Versions",
      "Commit",
    ])
      expect(terms).toContain(term);
    expect(page).toContain("High accuracy under a single step (FGSM) proves nothing");
  });

  it("says under its table which methods hold, and which do not", () => {
    const headings = texts(document.querySelectorAll("h2, h3"));
    expect(headings.slice(0, 3)).toEqual(["Results", "What holds", "Conditions"]);
    const [said] = texts(document.querySelectorAll("dl"));
    expect(said).toContain("sign-noisedoes not hold at ε 0.1 – PGD-20 L∞ leaves 44.0 % (43.0–45.0 %)");
  });

  it("has the recipe, the environment and the times at hand", () => {
    const summaries = texts(document.querySelectorAll("summary"));
    expect(summaries).toEqual([
      "Options of the methods",
      "Recipe, defaults included",
      "Environment",
      "Times",
    ]);
    const [recipe] = texts(document.querySelectorAll("pre"));
    expect(recipe).toContain("hidden:\n      - 400");
  });

  it("says whether trials ran side by side, as their times depend on it", async () => {
    expect(page).toContain("Up to 2 trials ran side by side: the times of each depend on those beside it.");
    const alone = await reportOf(fakeRun({ names: ["standard"] }));
    expect(alone.page).toContain("Trials ran one after another.");
  });

  it("reads as it did in Markdown", () => expectGolden("report.md", text));

  it("shows mean and spread, and every seed, where there are several", async () => {
    const several = await reportOf(fakeRun({ seeds: [0, 1, 2], names: ["standard", "sgm"] }));
    const [table, seeds] = several.document.querySelectorAll("table");
    expect(texts(table?.querySelectorAll("td") ?? [])[0]).toMatch(/^98\.\d\d ± 0\.\d\d$/);
    expect(seeds?.querySelectorAll("tbody tr")).toHaveLength(6);
    expect(several.text).toContain("mean ± sample standard deviation over seeds");
  });

  it("counts one thing in the singular", async () => {
    const record = fakeRun({ names: ["standard"] });
    const rows = record.results.rows.map((row) => ({
      ...row,
      epochs: 1,
      robust: row.robust.map((each) => ({ ...each, n: 1 })),
    }));
    const { text: one } = await reportOf({ ...record, results: { ...record.results, rows } });
    expect(one).toContain(
      "1 method trained on mnist for 1 epoch with 1 seed, then attacked on 1 test image with",
    );
    expect(one.match(/\b1 (methods|epochs|seeds|images|test images|trials|engines|filters)\b/g)).toBeNull();
    const audit = fakeAudit();
    const small = await auditReport({ ...audit, dataset: { ...audit.dataset, n: 1 } });
    expect(small.markdown).toContain("attacked on 1 image of mnist");
  });

  it("leads with doubts, and says when none was raised", async () => {
    const record = fakeRun({ names: ["standard"] });
    const withFlags = (flags: { name: string; message: string; remedy: string }[]): RunRecord => ({
      ...record,
      results: { ...record.results, rows: record.results.rows.map((row) => ({ ...row, flags })) },
    });
    const doubtful = await reportOf(
      withFlags([{ name: "masking", message: "PGD is weaker than FGSM", remedy: "steps" }]),
    );
    expect(texts(doubtful.document.querySelectorAll("h2"))[0]).toBe("Doubts");
    expect(doubtful.text.indexOf("masking")).toBeLessThan(doubtful.text.indexOf("## Results"));
    expect((await reportOf(withFlags([]))).page).toContain("raised no doubt");
    expect(page).not.toContain("raised no doubt");
  });

  it("tells n and labels apart by attack where they differ", async () => {
    const record = fakeRun({ names: ["standard"] });
    const rows = record.results.rows.map((row) => ({
      ...row,
      robust: row.robust.map((each) =>
        each.attack === "pgd" ? { ...each, n: 500, labels: "predicted" as const } : each,
      ),
    }));
    const { document: mixed } = await reportOf({ ...record, results: { ...record.results, rows } });
    const values = texts(mixed.querySelectorAll("dd"));
    expect(values).toContain("PGD-20 L∞ 500; FGSM L∞ 10,000");
    expect(values.join()).toContain("PGD-20 L∞: randomStart true, restarts 1, steps 20, labels predicted");
  });

  it("tells a doubt that all models share once, and then has no note of its own on single steps", async () => {
    const record = fakeRun();
    const flags = [{ name: "single-step-alone", message: "one step", remedy: "more" }];
    const rows = record.results.rows.map((row) => ({ ...row, flags }));
    const { page: only, text: markdown } = await reportOf({
      ...record,
      results: { ...record.results, rows },
    });
    expect(markdown).toContain("- **every model: single-step-alone**: one step. Remedy: more.");
    expect(markdown.match(/one step\. Remedy/g)).toHaveLength(1);
    expect(only).not.toContain("proves nothing");
    const two = rows.map((row, i) => ({ ...row, flags: i < 2 ? flags : [] }));
    expect((await reportOf({ ...record, results: { ...record.results, rows: two } })).text).toContain(
      "- **standard, seed 0; sgm, seed 0: single-step-alone**",
    );
  });

  it("tells a doubt of a method's seeds by the first, each of a name for itself", async () => {
    const record = fakeRun({ names: ["standard", "sgm"], seeds: [0, 1, 2] });
    const flagsOf = (seed: number) =>
      ["near", "far"].map((at) => ({ name: "too-few", message: `${at}, ${seed}`, remedy: "more" }));
    const rows = record.results.rows.map((row) => ({
      ...row,
      flags: row.method === "standard" ? flagsOf(row.seed) : [],
    }));
    const { text: markdown } = await reportOf({ ...record, results: { ...record.results, rows } });
    expect(markdown.match(/too-few\*\*: .*/g)).toEqual([
      "too-few**: in seed 0: near, 0. Remedy: more.",
      "too-few**: in seed 0: far, 0. Remedy: more.",
    ]);
    expect(markdown).toContain("**standard, seeds 0, 1, 2: too-few**");
  });
});

describe("nasty names", () => {
  const nasty = `</td><script>alert("1")</script>&'|*_[x](y)\u0007\ud800`;

  it("stay text in HTML, SVG and Markdown", async () => {
    const { document, page, text } = await reportOf(fakeRun({ names: ["standard", nasty] }));
    expectSound(document, page);
    const readable = `</td><script>alert("1")</script>&'|*_[x](y)`;
    expect(texts(document.querySelectorAll("th[scope=row]"))).toContain(readable);
    expect(document.querySelectorAll("script")).toHaveLength(0);
    expect(page).not.toContain("\u0007");
    expect(text.replace(/```[^]*?```/g, "")).not.toMatch(/(?<!\\)<script>/);
    const width = (line: string): number => line.split(/(?<!\\)\|/).length;
    const table = text.split("\n").filter((line) => line.startsWith("| "));
    expect(new Set(table.slice(0, 4).map(width)).size).toBe(1);
  });
});

describe("files", () => {
  const folder = mkdtempSync(join(tmpdir(), "temper-report-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are the same bytes for equal records", async () => {
    const [a, b] = [join(folder, "a"), join(folder, "b")];
    const files = await writeReport(a, fakeRun());
    expect(files).toEqual(await writeReport(b, fakeRun()));
    for (const file of files)
      expect(readFileSync(join(a, file)).equals(readFileSync(join(b, file)))).toBe(true);
    const links = [...readFileSync(join(a, "report.md"), "utf8").matchAll(/\]\((figures\/[\w-]+\.svg)\)/g)];
    expect(links.map(([, path]) => path)).toEqual(files.filter((file) => file.endsWith(".svg")));
  });

  it("of an audit with single steps alone open with that doubt", async () => {
    const doubt = { name: "single-step-alone", message: "one step", remedy: "more" };
    const { html: only } = await auditReport({ ...fakeAudit(), flags: [doubt] });
    const { document } = new JSDOM(only).window;
    expect(texts(document.querySelectorAll("h2"))[0]).toBe("Doubts");
    expect(only).not.toContain("raised no doubt");
    expect(only).not.toContain("proves nothing");
  });

  it("of an audit hold its doubts and its figure", async () => {
    const files = await writeAuditReport(join(folder, "audit"), fakeAudit());
    expect(files).toEqual([
      "figures/accuracy-against-epsilon.svg",
      "figures/accuracy-against-epsilon.png",
      "report.md",
      "report.html",
    ]);
    const report = await auditReport(fakeAudit());
    expectSound(new JSDOM(report.html).window.document, report.html);
    expect(readFileSync(join(folder, "audit", "report.html"), "utf8")).toBe(report.html);
    expectGolden("audit.md", report.markdown);
  });
});
