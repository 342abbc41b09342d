// Cases of a recipe: each a whole recipe of its own, trained as it would be alone; some of its trials at a time.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { methodNamed, recordOf } from "../../src/experiments/cases.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import type { RunOptions } from "../../src/experiments/run-options.js";
import { runRecipe } from "../../src/experiments/run.js";
import { readRun } from "../../src/experiments/store.js";
import { trialsOf } from "../../src/experiments/trials.js";
import { writeReport } from "../../src/report/index.js";

const root = mkdtempSync(join(tmpdir(), "temper-cases-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const text = `name: widths
dataset: mnist
training: { batchSize: 32, epochs: 1, limit: 128, learningRate: 0.1 }
seeds: [3]
methods:
  - standard
  - sign-noise: { sites: [input] }
evaluation: { limit: 20, attacks: [pgd: { epsilon: 0.1, steps: 2 }] }
cases:
  narrow:
    model: { mlp: { hidden: [8] } }
  wide-tanh:
    model: { mlp: { hidden: [16], activation: tanh } }
    training: { learningRate: 0.01 }
    seeds: [1, 2]
    methods: [standard]
`;
const plain = `name: alone
dataset: mnist
model: { mlp: { hidden: [16], activation: tanh } }
training: { batchSize: 32, epochs: 1, limit: 128, learningRate: 0.01 }
seeds: [1]
methods: [standard]
`;

const run = (name: string, more: Partial<RunOptions> = {}, recipe = text) =>
  runRecipe({ recipe: parseRecipe(recipe, "cases.yaml"), text: recipe, folder: join(root, name), ...more });

interface Training {
  readonly identity: string;
  readonly metrics: readonly { readonly metrics: unknown }[];
}
const trainingOf = (run_: string, trial: string): Training =>
  JSON.parse(readFileSync(join(root, run_, "trials", trial, "training.json"), "utf8")) as Training;

describe("cases", () => {
  const file = parseRecipe(text, "cases.yaml");

  it("are whole recipes, their own keys in place of the recipe's", () => {
    const [narrow, wide] = file.cases;
    expect(narrow).toMatchObject({ case: "narrow", seeds: [3], training: { learningRate: 0.1, limit: 128 } });
    expect(wide).toMatchObject({
      case: "wide-tanh",
      model: { name: "mlp", options: { hidden: [16], activation: "tanh" } },
      training: { learningRate: 0.01, limit: 128 },
    });
    expect(recordOf(file)).toMatchObject({ name: "widths", cases: { narrow: { seeds: [3] } } });
  });

  it("name their trials and methods", () => {
    expect(trialsOf(file).map(({ name }) => name)).toEqual([
      "narrow.standard-seed3",
      "narrow.sign-noise-seed3",
      "wide-tanh.standard-seed1",
      "wide-tanh.standard-seed2",
    ]);
    expect(methodNamed("profile", file, "wide-tanh.standard").recipe).toBe(file.cases[1]);
    expect(() => methodNamed("profile", file, "standard")).toThrow(
      "profile: unknown method 'standard' (known: narrow.standard, narrow.sign-noise, wide-tanh.standard)",
    );
  });

  it("of a plain recipe are itself", () => {
    const file = parseRecipe(plain, "plain.yaml");
    expect(file.cases.map((each) => each.case)).toEqual([undefined]);
    expect(recordOf(file)).toEqual(file.cases[0]);
  });

  it.each([
    ["learningRate: 0.01", "learningRate: fast", "14:17: recipe.cases.wide-tanh.training.learningRate: "],
    ["    seeds: [1, 2]", "    seeds: [1, 1]", "15:16: recipe.cases.wide-tanh: seed 1 comes twice"],
    ["learningRate: 0.01", "lerningRate: 0.01", "14:17: recipe.cases.wide-tanh.training: unknown option"],
    [
      "    seeds: [1, 2]",
      "    seed: 1",
      "15:5: recipe.cases.wide-tanh: unknown option 'seed' – did you mean 'seeds'?",
    ],
    ["limit: 128", "limit: 0", "3:39: recipe.training.limit: "],
    ["[input]", "[relu9]", "7:5: recipe.cases.narrow: sign-noise.sites: unknown site of mlp 'relu9'"],
    ["mlp: { hidden: [8] }", "mpl: { hidden: [8] }", "11:14: recipe.cases.narrow: unknown model 'mpl'"],
    [
      "  narrow:",
      "  nar row:",
      "10:3: recipe.cases: expected letters, digits, '_' and '-' in the name of a case, got 'nar row'",
    ],
  ])("say where they are wrong: %s → %s", (from, to, message) => {
    expect(text).toContain(from);
    expect(() => parseRecipe(text.replace(from, to), "cases.yaml")).toThrow(`cases.yaml:${message}`);
  });

  it("must be there where they are announced", () => {
    const empty = `${text.split("cases:")[0] ?? ""}model: { mlp: {} }\ncases: {}\n`;
    expect(() => parseRecipe(empty, "cases.yaml")).toThrow(
      "cases.yaml:10:1: recipe.cases: expected at least one case, got {}",
    );
  });
});

describe("a run with cases", () => {
  it("takes some trials now and the others later, to the same results", async () => {
    const first = await run("parts", { only: ["wide-*"] });
    expect(first.results.rows.map((row) => [row.case, row.method, row.seed])).toEqual([
      ["wide-tanh", "standard", 1],
      ["wide-tanh", "standard", 2],
    ]);
    expect((await readRun(join(root, "parts"))).run.finished).toBeNull();
    expect((await run("parts", { only: ["wide-*"] })).alreadyDone).toBe(true);
    const second = await run("parts");
    expect(second.results.rows.map((row) => row.case)).toEqual([
      "narrow",
      "narrow",
      "wide-tanh",
      "wide-tanh",
    ]);
    expect((await readRun(join(root, "parts"))).run.finished).not.toBeNull();
    expect((await run("whole")).results).toEqual(second.results);
  });

  it("refuses a pattern that matches no trial, before anything is written", async () => {
    await expect(run("none", { only: ["wide-*", "broad-*"] })).rejects.toThrow(
      "run --only: expected the name of a trial or a pattern of such, got 'broad-*' (allowed: narrow.standard-seed3, ",
    );
    expect(readdirSync(root)).not.toContain("none");
  });

  it("trains a case as the same recipe alone", async () => {
    await run("alone", {}, plain);
    const [alone, inCase] = [
      trainingOf("alone", "standard-seed1"),
      trainingOf("whole", "wide-tanh.standard-seed1"),
    ];
    expect(inCase.identity).toBe(alone.identity);
    expect(inCase.metrics.map(({ metrics }) => metrics)).toEqual(alone.metrics.map(({ metrics }) => metrics));
  });

  it("is reported by case", async () => {
    const folder = join(root, "whole");
    await writeReport(folder, await readRun(folder));
    const page = readFileSync(join(folder, "report.md"), "utf8");
    expect(page).toContain("2 methods in 2 cases trained on mnist");
    for (const words of [
      "| narrow.sign-noise |",
      "| wide-tanh.standard |",
      "- Model, wide-tanh: mlp",
      "- Training, narrow: ",
    ])
      expect(page).toContain(words);
    const curves = readFileSync(join(folder, "figures", "error-curves.svg"), "utf8");
    expect(curves).toContain(">wide-tanh</text>");
    const accuracy = readFileSync(join(folder, "figures", "accuracy-against-epsilon.svg"), "utf8");
    expect(accuracy).toContain(">narrow: PGD-2 L∞</text>");
  });
});
