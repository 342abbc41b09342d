// Smoke runs: every recipe that comes with Temper, with little of everything, to its report.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { RecipeFile } from "../../src/experiments/cases.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import { selectNamed } from "../../src/experiments/select.js";
import { drawnDataset, smokeNotes, smokeRecipe } from "../../src/experiments/smoke.js";
import { identityOf } from "../../src/experiments/summary.js";
import { trainingIdentity, trialsOf, type Trial } from "../../src/experiments/trials.js";
import { temper } from "../cli/cli.js";

const root = mkdtempSync(join(tmpdir(), "temper-smoke-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const recipes = readdirSync("recipes", { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".yaml"),
);

const read = (path: string): RecipeFile => parseRecipe(readFileSync(path, "utf8"), path);

/** Trials of recipes with large networks or many methods: one of each kind, where all would take too long. */
const some: Readonly<Record<string, readonly string[]>> = {
  "cifar10-short.yaml": ["wrn-16-2.random-sign-*"],
  "papers/abp-cifar10.yaml": ["dense-simple-dropout.standard-*", "conv-zca.adversarial-backprop-*"],
  "papers/r-condensenet.yaml": ["groups-8.random-sign-*"],
  "papers/r-cifar100.yaml": ["inception-v3.standard-*"],
  "papers/r-imagenet.yaml": ["senet.*"],
  "papers/r-svhn.yaml": ["stochastic-depth.random-sign-*", "wide-resnet.fgsm-*"],
  "papers/sgm-cifar10.yaml": ["augmented.updates-seed0"],
  "papers/sgm-cifar100.yaml": ["plain.standard-*"],
  "papers/sgm-mnist.yaml": [
    "dnn.updates-seed0",
    "cnn.updates-per-sample-seed0",
    "cnn-aug.updates-identity-*",
  ],
  "papers/sgm-options.yaml": ["scales.standard-*", "scales.per-sample-radius-*", "options.*"],
};

// Many processes, one after the other: minutes on a machine that does other work too.
describe("a smoke run", { timeout: 300_000 }, () => {
  it.each(recipes)("of %s trains, evaluates and reports", async (file) => {
    const out = join(root, file);
    const only = (some[file] ?? []).flatMap((pattern) => ["--only", pattern]);
    const args = ["run", join("recipes", file), "--smoke", ...only, "--out", out];
    const { code, err, out: printed } = await temper(args);
    const notice =
      "A smoke run, whose figures mean nothing: 64 training, at most 16 validation and 32 test images;";
    expect(err.replace(/\s+/g, " ")).toContain(notice);
    expect(printed.replace(/\s+/g, " ")).toContain(notice);
    expect(printed).not.toContain("Holds:");
    expect(code).toBe(0);
    const page = readFileSync(join(out, "report.md"), "utf8").replace(/\s+/g, " ");
    expect(page).toMatch(
      /^# [\w.-]+-smoke A smoke run, whose figures mean nothing: 64 training, at most 16 /,
    );
    const chosen = selectNamed(trialsOf(read(join("recipes", file))), some[file]);
    const searches = chosen.some(({ recipe: { search }, method }) =>
      search?.methods.some((each) => each.method === method.name),
    );
    expect(page.includes("### Searches Search of ")).toBe(searches);
    expect(printed.includes("Search of ")).toBe(searches);
    expect(existsSync(join(out, "report.html"))).toBe(true);
  });

  it("draws images in the place of a dataset that is not on this machine, and says so", () => {
    const model = { name: "mlp", options: {} };
    expect(smokeNotes(["mnist", "svhn", "svhn"].map((dataset) => ({ dataset, model }))).slice(4)).toEqual([
      "drawn images in the place of svhn, which is not on this machine",
    ]);
    const { train, test, imageShape } = drawnDataset("cifar100");
    expect([train.count, test.count, ...imageShape]).toEqual([80, 32, 3, 32, 32]);
    expect(train.images).toHaveLength(80 * 3072);
    expect(train.images).not.toEqual(test.images);
    expect([...train.labels.slice(0, 3)]).toEqual([0, 1, 2]);
    expect(drawnDataset("cifar100")).toEqual(drawnDataset("cifar100"));
  });

  it("puts a small network in the place of the recipe's own, and says so", () => {
    const text = `name: large
dataset: mnist
model: { mlp: { hidden: [4000] } }
methods: [{ sign-noise: { sites: [relu1] } }]
smoke: { model: { mlp: { hidden: [8], dropout: 0.1 } } }
`;
    const file = parseRecipe(text, "large.yaml");
    const { cases, smoke } = smokeRecipe(file);
    const [cut] = cases;
    expect(cut).toMatchObject({ model: { name: "mlp", options: { hidden: [8], dropout: 0.1 } } });
    expect(cut?.smoke).toBeUndefined();
    expect(smoke).toContain("mlp with hidden [8], dropout 0.1 in the place of the recipe's network");
    const without = parseRecipe(text.replace(/smoke:.*\n/, ""), "large.yaml");
    expect(identityOf(file)).toBe(identityOf(without));
    expect(trainingIdentity(trialsOf(file)[0] as Trial)).toBe(
      trainingIdentity(trialsOf(without)[0] as Trial),
    );
  });

  it.each([
    ["{ model: { mlp: { hiden: [8] } } }", "5:26: mlp: unknown option 'hiden' – did you mean 'hidden'?"],
    ["{ model: mpl }", "5:10: unknown model 'mpl' – did you mean 'mlp'?"],
    ["3", "5:1: recipe.smoke: expected { key: value, … }, got 3"],
    [
      "{ model: { capsnet: { kernel: 99 } } }",
      "5:10: recipe.smoke.model: capsnet: expected images of at least 197×197",
    ],
    [
      "{ model: { mlp: { hidden: [8] } } }",
      "5:10: recipe.smoke.model: sign-noise.sites: unknown site of mlp 'relu2'",
    ],
  ])("refuses a network that cannot stand in: %s", (smoke, message) => {
    const text = `name: large
dataset: mnist
model: { mlp: { hidden: [4000, 20] } }
methods: [{ sign-noise: { sites: [relu2] } }]
smoke: ${smoke}
`;
    expect(() => parseRecipe(text, "large.yaml")).toThrow(`large.yaml:${message}`);
  });

  it("keeps what models are crafted on, and cuts what attacks spend", () => {
    const file = parseRecipe(
      `name: budgets
dataset: mnist
model: { mlp: { hidden: [8] } }
training: { epochs: 30, limit: 50, validation: { last: 5000 }, curves: {}, meanOfLast: 10, restoreBest: true }
seeds: [4, 5, 6]
methods: [standard]
evaluation:
  transferFrom: { method: standard, seed: 6 }
  attacks:
    - pgd: { epsilon: 0.1, steps: 40, restarts: 5 }
    - autoattack: { epsilon: 0.1 }
    - square: { epsilon: 0.1, queries: 10 }
`,
      "budgets.yaml",
    );
    const [cut] = smokeRecipe(file).cases;
    expect(cut).toMatchObject({
      name: "budgets-smoke",
      seeds: [4, 6],
      training: { epochs: 2, limit: 50, batchSize: 32, validation: { last: 16 }, meanOfLast: 2 },
    });
    expect(cut?.evaluation.attacks.map(({ options }) => options)).toMatchObject([
      { steps: 2, restarts: 1 },
      { version: "fast" },
      { queries: 10 },
    ]);
    expect(file.cases[0]?.seeds).toEqual([4, 5, 6]);
  });
});
