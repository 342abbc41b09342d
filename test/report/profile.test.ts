// Profiles: sums by pass, layer, operator and kernel; the icicles; what a terminal and a page say.
import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { profileFile } from "../../src/experiments/records.js";
import { figuresOf } from "../../src/report/figures.js";
import { inline, standalone, type Figure } from "../../src/report/figure.js";
import { icicle } from "../../src/report/icicle.js";
import { treeOf, type Branch } from "../../src/report/icicle-tree.js";
import { byKind, byLayer, byPass, leading, placeOf, single } from "../../src/report/profile-groups.js";
import { profileNotes } from "../../src/report/profile-report.js";
import { kernelTable, layerTable, passTable, scopeText } from "../../src/report/profile-tables.js";
import { runReport } from "../../src/report/run-report.js";
import { terminalProfile } from "../../src/report/terminal.js";
import { profilePage } from "../../src/report/write.js";
import { fakeProfile } from "../support/profiles.js";
import { fakeRun } from "./fake-run.js";
import { expectGolden } from "./golden.js";

const { kernels } = fakeProfile;

describe("the made-up profile", () => {
  it("is one by the schema, and adds up", () => {
    expect(profileFile.parse(fakeProfile)).toEqual(fakeProfile);
    const sum = kernels.reduce((total, { milliseconds }) => total + milliseconds, 0);
    expect(sum).toBe(fakeProfile.times.kernels);
  });
});

describe("a place", () => {
  it.each([
    ["train/conv2/gradient/weight", { pass: "train", layer: "conv2", order: 1 }],
    [
      "jacobian-penalty/conv2/gradient/gradient/input",
      { pass: "jacobian-penalty", layer: "conv2", order: 2 },
    ],
    ["craft//block1/conv1", { pass: "craft", layer: "block1/conv1", order: 0 }],
    ["optimizer/conv2.weight", { pass: "optimizer", layer: "conv2.weight", order: 0 }],
    ["batch", { pass: "batch", layer: "", order: 0 }],
    ["", { pass: "graph", layer: "", order: 0 }],
  ])("is read from %j", (scope, place) => expect(placeOf(scope)).toEqual(place));
});

describe("groups", () => {
  const rows = (found: ReturnType<typeof byPass>) =>
    found.map(({ name, milliseconds, gigaflops }) => [
      name,
      milliseconds,
      gigaflops && Math.round(gigaflops),
    ]);

  it("by pass stand in the order in which most of their time passes", () => {
    expect(rows(byPass(kernels))).toEqual([
      ["batch", 0.25, null],
      ["craft, forward", 3.25, 100],
      ["craft, gradient", 2.25, 100],
      ["train, forward", 3.25, 100],
      ["train, gradient", 5, 50],
      ["optimizer", 3, null],
      ["outputs", 0.5, null],
      ["onnxruntime", 0.5, null],
    ]);
  });

  it("by layer, operator and kernel, the largest first", () => {
    expect(rows(byLayer(kernels)).slice(0, 3)).toEqual([
      ["train/dense1", 6, 67],
      ["craft/dense1", 4, 100],
      ["optimizer/dense1.weight", 3, null],
    ]);
    expect(rows(byKind(kernels)).slice(0, 3)).toEqual([
      ["Gemm", 8, 100],
      ["Transpose", 2, null],
      ["Mul", 1.75, null],
    ]);
    expect(rows(single(kernels)).slice(0, 1)).toEqual([["craft/dense1", 2, 100]]);
  });

  it("too small to be shown are one", () => {
    const shown = leading(byKind(kernels), 3, 0.05);
    expect(shown.map(({ name }) => name)).toEqual(["Gemm", "Transpose", "Mul", "8 others"]);
    expect(shown.reduce((sum, { milliseconds }) => sum + milliseconds, 0)).toBe(18);
    expect(leading(byKind(kernels), 99, 0)).toHaveLength(11);
  });
});

describe("tables of a profile", () => {
  it("end with what a step is beside its kernels", () => {
    expect(passTable(fakeProfile).rows.slice(-4)).toEqual([
      { name: "all kernels", cells: ["18.00", "90.0 %", "80", "40 %"] },
      { name: "between kernels", cells: ["1.00", "5.0 %", "", ""] },
      { name: "copies in and out", cells: ["1.00", "5.0 %", "", ""] },
      { name: "a step (session.run)", cells: ["20.00", "100.0 %", "", ""] },
    ]);
  });

  it("tell forward from gradient where a pass has both", () => {
    const cells = new Map(layerTable(fakeProfile, 24).rows.map((row) => [row.name, row.cells]));
    expect(cells.get("train/dense1")).toEqual(["2.00", "4.00", "6.00", "30.0 %", "67", "33 %"]);
    expect(cells.get("optimizer/dense1.weight")).toEqual(["", "", "3.00", "15.0 %", "", ""]);
  });

  it("name the longest kernels", () => {
    const [first, ...rest] = kernelTable(fakeProfile, 5).rows;
    expect(first).toEqual({ name: "craft/dense1", cells: ["Gemm", "2.00", "10.0 %", "100", "50 %"] });
    expect(rest).toHaveLength(4);
  });

  it.each([
    ["train/conv2/gradient/weight", 32, "train/conv2/gradient/weight"],
    ["jacobian-penalty/dense1/gradient", 30, "jacobian-pena…/dense1/gradient"],
    ["jacobian-penalty/dense1/gradient/input/gradient/input", 32, "jacobian…/dense1/gradient²/input"],
  ])("keep the end of the name %s", (scope, letters, short) => expect(scopeText(scope, letters)).toBe(short));

  it("come with what the names explain and what the profiler costs", () => {
    const text = profileNotes(fakeProfile).join(" ");
    expect(text).toContain("Named kernels explain 90.0 % of the step (");
    expect(text).toContain(
      "20.00 ms (19.00–22.00) without the profiler and 21.00 ms (20.00–23.00) with it (+5.0 %)",
    );
    expect(text).toContain("50.0 µs of the profiler's own are taken off each of 18 kernel calls");
    expect(text).toContain("80 steps, 10 a run (training takes 12 a run)");
  });
});

describe("the icicles", () => {
  const names = ({ children }: Branch): string[] => children.map(({ name }) => name);
  const at = (root: Branch, ...path: string[]): Branch => {
    const [first, ...rest] = path;
    const child = root.children.find(({ name }) => name === first);
    if (first === undefined) return root;
    if (child === undefined) throw new Error(`no ${first} in ${names(root).join()}`);
    return at(child, ...rest);
  };

  it("follow the scopes down to the operators, layers in the network's order", () => {
    const root = treeOf(kernels);
    expect(names(at(root, "train"))).toEqual(["dropout1", "dense1", "relu1", "loss"]);
    expect(names(at(root, "train", "dense1"))).toEqual(["Gemm", "gradient"]);
    expect(names(at(root, "train", "dense1", "gradient", "weight"))).toEqual(["Transpose", "Gemm"]);
    expect(at(root, "train", "dense1")).toMatchObject({ milliseconds: 6, tone: "mixed" });
    expect(at(root, "train", "dense1", "gradient")).toMatchObject({ milliseconds: 4, tone: "gradient" });
  });

  const figure: Figure = icicle(fakeProfile);
  const xml = new JSDOM(standalone(figure), { contentType: "image/svg+xml" }).window.document;

  it("look as they did", () => expectGolden("profile.svg", standalone(figure)));

  it("have the whole step, then each pass by itself; no box reaches beyond its panel", () => {
    const bold = [...xml.querySelectorAll("svg svg > text[font-weight=bold]")].map(
      (node) => node.textContent,
    );
    expect(bold).toEqual(["all kernels", "craft", "train", "optimizer"]);
    const ends = [...xml.querySelectorAll("svg svg rect")].map(
      (rect) => Number(rect.getAttribute("x")) + Number(rect.getAttribute("width")),
    );
    expect(Math.max(...ends)).toBeLessThanOrEqual(400.02);
  });

  it("say the time of each box to who points at it", () => {
    const said = [...xml.querySelectorAll("rect > title")].map((node) => node.textContent);
    expect(said).toContain("train/dense1/gradient/weight/Gemm: 2.00 ms, 10.0 %");
  });

  it("escape names", () => {
    const odd = { ...fakeProfile, kernels: kernels.map((each) => ({ ...each, scope: '<b>&"' })) };
    expect(inline(icicle(odd))).not.toContain("<b>");
  });

  it("are drawn of nothing, too", () => {
    const empty = { ...fakeProfile, kernels: [], times: { ...fakeProfile.times, kernels: 0 } };
    expect(standalone(icicle(empty))).not.toMatch(/NaN|Infinity/);
  });
});

describe("where a profile is shown", () => {
  it("fits a terminal", () => {
    const text = terminalProfile(fakeProfile, 80, { color: false });
    expect(text.split("\n").filter((line) => Array.from(line).length > 80)).toEqual([]);
    expectGolden("terminal-profile.txt", text);
  });

  it("is a page of its own, without requests", () => {
    const page = new JSDOM(profilePage(fakeProfile)).window.document;
    expect(page.querySelector("h1")?.textContent).toBe("Profile of quickstart: adversarial-backprop");
    expect(page.querySelectorAll("table")).toHaveLength(4);
    expect(page.querySelectorAll("script, link[rel=stylesheet]")).toHaveLength(0);
  });

  it("is among the figures and details of its run, where there is one", async () => {
    const record = { ...fakeRun(), profiles: [fakeProfile] };
    const figures = await figuresOf(record);
    expect(figures.at(-1)?.name).toBe("profile-adversarial-backprop");
    const { blocks } = await runReport(record, figures);
    const folded = blocks.flatMap((block) => (block.kind === "details" ? [block.summary] : []));
    expect(folded).toContain("Profile of a step of adversarial-backprop");
  });
});
