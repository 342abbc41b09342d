// Runs on two engines or one, in a folder of their own: the same results, one process at a time.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { correctFile, correctImages } from "../../src/experiments/correctness.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import type { ResultRow } from "../../src/experiments/records.js";
import type { RunOptions } from "../../src/experiments/run-options.js";
import { runRecipe } from "../../src/experiments/run.js";

const root = mkdtempSync(join(tmpdir(), "temper-runs-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const text = `
name: tiny
dataset: mnist
model: { mlp: { hidden: [100] } }
training: { learningRate: 0.1, batchSize: 32, epochs: 2, limit: 640 }
methods:
  - standard
  - adversarial-backprop: { epsilon: 0.08 }
evaluation:
  limit: 60
  attacks:
    - pgd: { epsilon: 0.1, steps: 3 }
`;
const run = (name: string, more: Partial<RunOptions> = {}, recipe = text) =>
  runRecipe({ recipe: parseRecipe(recipe, "tiny.yaml"), text: recipe, folder: join(root, name), ...more });
const bytesOf = (name: string): Record<string, string> => {
  const files = [
    "results.json",
    ...readdirSync(join(root, name, "models")).map((file) => join("models", file)),
  ];
  return Object.fromEntries(
    files.map((file) => [file, readFileSync(join(root, name, file)).toString("base64")]),
  );
};

describe("a run", () => {
  it("gives the same bytes with one job and with two", async () => {
    await run("one", { jobs: 1 });
    await run("two", { jobs: 2 });
    expect(bytesOf("two")).toEqual(bytesOf("one"));
    expect(readdirSync(join(root, "one"))).not.toContain("run.lock");
  });

  it("trains again what it does not find, to the same bytes", async () => {
    const before = bytesOf("one");
    rmSync(join(root, "one", "models", "standard-seed0.onnx"));
    expect((await run("one")).alreadyDone).toBe(false);
    expect(bytesOf("one")).toEqual(before);
    expect((await run("one")).alreadyDone).toBe(true);
  });

  it("keeps of each image whether it is read rightly, and what the trial comes from", () => {
    const read = (name: string): unknown =>
      JSON.parse(readFileSync(join(root, "one", "trials", "standard-seed0", name), "utf8"));
    const file = correctFile.parse(read("correct.json"));
    const { row, environment } = read("row.json") as { row: ResultRow; environment: { threads: number } };
    const right = (bits: Uint8Array): number => bits.reduce((total, bit) => total + bit, 0);
    expect(right(correctImages("clean", file)) / 60).toBe(row.clean);
    expect(right(correctImages("pgd", file, 0)) / 60).toBe(row.robust[0]?.accuracy);
    expect(() => correctImages("two", file, 1)).toThrow("two: expected 60 bits, got 0 bytes");
    expect(environment.threads).toBe(1);
    expect(read("training.json")).toMatchObject({ environment });
  });

  it("goes on where the recipe has grown, and keeps what it had trained", async () => {
    const models = (): string[] => readdirSync(join(root, "grown", "models"));
    await run("grown", { only: ["standard-seed0"] });
    const [first = ""] = models();
    const before = readFileSync(join(root, "grown", "models", first));
    const grown = text
      .replace("epsilon: 0.1, steps: 3", "epsilon: [0.1, 0.2], steps: 3")
      .replace("methods:", "seeds: [0, 1]\nmethods:");
    const { results } = await run("grown", { only: ["standard-*"] }, grown);
    expect(results.rows.map(({ seed, robust }) => [seed, robust.length])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(models()).toHaveLength(2);
    expect(readFileSync(join(root, "grown", "models", first))).toEqual(before);
  });

  it("is refused where it would take the place of another training", async () => {
    const other = text.replace("epochs: 2", "epochs: 3");
    await expect(run("grown", { only: ["standard-seed0"] }, other)).rejects.toThrow(
      `${join(root, "grown")}: expected trainings of this recipe, got another one of standard-seed0 (use --fresh`,
    );
  });

  it("is refused where another process is at work, not where one has died", async () => {
    writeFileSync(join(root, "one", "run.lock"), String(process.ppid));
    await expect(run("one")).rejects.toThrow(
      `${join(root, "one")}: expected a folder that nobody uses, got one in use by process ${process.ppid}`,
    );
    writeFileSync(join(root, "one", "run.lock"), "999999999");
    expect((await run("one")).alreadyDone).toBe(true);
  });

  it("starts over on request, whatever the folder's record has become, and sweeps what cut-off writes left", async () => {
    const before = bytesOf("one");
    writeFileSync(join(root, "one", "run.json"), "{");
    writeFileSync(join(root, "one", "models", "x.onnx.123.4.tmp"), "");
    await expect(run("one")).rejects.toThrow("--fresh starts the run over");
    await run("one", { fresh: true });
    expect(bytesOf("one")).toEqual(before);
  });

  it("says how to get past a damaged file of one trial, whose removal leaves the others alone", async () => {
    const before = bytesOf("one");
    const folder = join(root, "one", "trials", "standard-seed0");
    const damaged = (name: string, content: string): Promise<unknown> => {
      writeFileSync(join(folder, name), content);
      return run("one");
    };
    const row = join(folder, "row.json");
    await expect(damaged("row.json", "{")).rejects.toThrow(
      `${row}: expected JSON, got something else (the file is damaged; remove it, and this trial is evaluated again)`,
    );
    await expect(damaged("row.json", "{}")).rejects.toThrow(
      "got something else (remove it, and this trial is evaluated again)",
    );
    rmSync(row);
    const trained = readFileSync(join(folder, "training.json"), "utf8");
    await run("one");
    expect(readFileSync(join(folder, "training.json"), "utf8")).toBe(trained);
    expect(bytesOf("one")).toEqual(before);
    await expect(damaged("training.json", "{")).rejects.toThrow(
      `training.json: expected JSON, got something else (the file is damaged; remove the folder ${folder}, and this trial is run again)`,
    );
    rmSync(folder, { recursive: true });
    await run("one");
    expect(bytesOf("one")).toEqual(before);
  });

  it("leaves a stranger's folder alone, even when told to start over", async () => {
    mkdirSync(join(root, "mine"));
    writeFileSync(join(root, "mine", "thesis.tex"), "");
    for (const fresh of [false, true])
      await expect(run("mine", { fresh })).rejects.toThrow(
        "expected an empty folder or one of Temper's runs, got a folder with thesis.tex",
      );
    expect(readdirSync(join(root, "mine"))).toEqual(["thesis.tex"]);
  });
});

describe("points crafted on other models", () => {
  const crafting = text
    .replace("name: tiny", "name: tiny\nseeds: [0, 1]")
    .replace("limit: 60", "limit: 60\n  transferFrom: [standard, { method: adversarial-backprop, seed: 1 }]");
  const from = (file: { rows: readonly { robust: readonly { attack: string }[] }[] }) =>
    file.rows.map(({ robust }) => robust.map(({ attack }) => attack).filter((name) => name !== "pgd"));

  it("are tried on every trial but the model itself, the same bytes with one job and with two", async () => {
    const { results } = await run("sources-one", { jobs: 1 }, crafting);
    const [plain, hardened] = ["standard-seed0", "adversarial-backprop-seed1"].map(
      (name) => `pgd transfer from ${name}`,
    );
    expect(from(results)).toEqual([[hardened], [plain, hardened], [plain, hardened], [plain]]);
    expect(results.rows[1]?.robust[1]?.options).toMatchObject({ from: "standard-seed0", rest: false });
    await run("sources-two", { jobs: 2 }, crafting);
    expect(bytesOf("sources-two")).toEqual(bytesOf("sources-one"));
    expect((await run("sources-one", {}, crafting)).alreadyDone).toBe(true);
  });

  it("come from files beside the recipe too, and are crafted anew where the file has changed", async () => {
    const models = join(root, "sources-one", "models");
    const recipe = text.replace("limit: 60", "limit: 60\n  transferFrom: other.onnx");
    const base = join(root, "base");
    mkdirSync(base);
    await expect(run("files", { base }, recipe)).rejects.toThrow(
      "other.onnx: expected an ONNX file, got none that can be read",
    );
    const accuracy = async (source: string): Promise<(number | undefined)[]> => {
      writeFileSync(join(base, "other.onnx"), readFileSync(join(models, source)));
      const { results, alreadyDone } = await run("files", { base }, recipe);
      expect(alreadyDone).toBe(false);
      expect(from(results)).toEqual(Array(2).fill(["pgd transfer from other.onnx"]));
      return results.rows.map(({ robust }) => robust[1]?.accuracy);
    };
    expect(await accuracy("standard-seed1.onnx")).not.toEqual(
      await accuracy("adversarial-backprop-seed0.onnx"),
    );
  });
});

describe("a recipe that cannot be built is refused with its place, before anything is written", () => {
  it.each([
    [
      "  - standard",
      "  - sign-noise: { sites: [inptu] }",
      "tiny.yaml:7:5: sign-noise.sites: unknown site of mlp 'inptu' – did you mean 'input'? (known: input, relu1)",
    ],
    [
      "mlp: { hidden: [100] }",
      "convnet: { convolutions: [{ filters: 2, kernel: 99, padding: valid }] }",
      "tiny.yaml:4:1: convnet: expected images of at least 99×99, got 28×28",
    ],
    [
      "pgd: { epsilon: 0.1, steps: 3 }",
      "jsma: { norm: l0, epsilon: [3, 0.5] }",
      "tiny.yaml:12:25: jsma: expected a whole number of input elements as ε in l0, got 0.5",
    ],
    ["name: tiny", "name: tiny\nseeds: [3, 3]", "tiny.yaml:3:12: seed 3 comes twice"],
    ["dataset: mnist", "dataset: mnits", "tiny.yaml:3:1: "],
    [
      "  limit: 60",
      "  limit: 60\n  transferFrom: standrad",
      "tiny.yaml:11:3: evaluation.transferFrom: unknown method 'standrad' – did you mean 'standard'?",
    ],
    [
      "  limit: 60",
      "  limit: 60\n  transferFrom: { method: standard, seed: 4 }",
      "tiny.yaml:11:3: evaluation.transferFrom: expected a seed of the recipe (0), got 4",
    ],
    [
      "  limit: 60",
      "  limit: 60\n  transferFrom: [standard, standard]",
      'tiny.yaml:11:3: evaluation.transferFrom: {"method":"standard","seed":0} comes twice',
    ],
    [
      "  limit: 60\n  attacks:\n    - pgd: { epsilon: 0.1, steps: 3 }",
      "  transferFrom: standard\n  attacks: [square: { epsilon: 0.1 }]",
      "tiny.yaml:10:3: evaluation.transferFrom: expected an attack that follows gradients within a fixed ε (",
    ],
    ["name: tiny", "name: tiny\nthreads: 0", "tiny.yaml:3:1: recipe.threads: "],
  ])("%s → %s", async (from, to, message) => {
    await expect(async () => run("never", {}, text.replace(from, to))).rejects.toThrow(message);
    expect(readdirSync(root)).not.toContain("never");
  });
});
