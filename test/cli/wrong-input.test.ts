// Wrong input: one clear line, a code other than 0, nothing written.
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temper, temporaryFolder } from "./cli.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

writeFileSync(at("none.onnx"), "this is no model");
writeFileSync(at("syntax.yaml"), "name: [a\n");
writeFileSync(at("binary.yaml"), Uint8Array.of(0x1b, 0x5b, 0x33, 0x31, 0x6d, 0, 255, 10));
writeFileSync(at("escapes.yaml"), "name: \u001b[31mred\n");
writeFileSync(at("empty.yaml"), "");
writeFileSync(at("comments.yaml"), "# nothing yet\n\n  # still nothing\n");
writeFileSync(at("notes.txt"), "years of work");
symlinkSync(at("none.onnx"), at("link.onnx"));
mkdirSync(at("mine"));
writeFileSync(at("mine/thesis.tex"), "years of work");

/** The line that `temper …args` prints, with the test's own folder as `DIR`. */
async function failure(args: readonly string[]): Promise<{ code: number; line: string }> {
  const before = readdirSync(folder, { recursive: true });
  const { code, out, err } = await temper(args.map((word) => word.replace("DIR", folder)));
  expect(out).toBe("");
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
  return { code, line: err.replaceAll(folder, "DIR").trimEnd() };
}

const audit = (...rest: string[]): string[] => ["audit", "DIR/a.onnx", "--dataset", "mnist", ...rest];
const harden = (model: string, ...rest: string[]): string[] => [
  "harden",
  model,
  "--dataset",
  "mnist",
  "--out",
  "DIR/h.onnx",
  ...rest,
];

describe("usage, with code 2", () => {
  it.each([
    [["rnu"], "unknown command 'rnu' (Did you mean run?)"],
    [["run"], "missing required argument 'recipe'"],
    [["run", "quickstart", "--job", "2"], "unknown option '--job' (Did you mean --jobs?)"],
    [
      ["run", "quickstart", "--jobs", "two"],
      "option '--jobs <n>' argument 'two' is invalid. Expected a whole number from 1 to 256.",
    ],
    [
      ["run", "quickstart", "--checkpoint-every", "-1"],
      "option '--checkpoint-every <seconds>' argument '-1' is invalid. Expected a number of at least 0.",
    ],
    [
      ["run", "quickstart", "--provider", "gpu"],
      "option '--provider <name>' argument 'gpu' is invalid. Allowed choices are cpu, webgpu, cuda, coreml, dml.",
    ],
    [["audit", "a.onnx", "--epsilon", "0.1"], "required option '--dataset <name>' not specified"],
    [
      audit("--corruptions", "fog", "--severities", "1,6"),
      "option '--severities <list>' argument '1,6' is invalid. Expected a whole number from 1 to 5.",
    ],
    [
      audit("--epsilon", "0.1,,0.2"),
      "option '--epsilon <radii>' argument '0.1,,0.2' is invalid. Expected words separated by commas.",
    ],
    [
      audit("--epsilon", "0.1", "--batch-size", "1"),
      "option '--batch-size <n>' argument '1' is invalid. Expected a whole number from 2 to 128.",
    ],
    [
      ["list", "weapons"],
      "command-argument value 'weapons' is invalid for argument 'kind'. Allowed choices are methods, attacks, models, optimizers, augmentations, preprocessors, corruptions, datasets, recipes.",
    ],
  ])("temper %j", async (args, line) => {
    expect(await failure(args)).toEqual({ code: 2, line: `temper: ${line}` });
  });
});

describe("names, options and files, with code 1", () => {
  const number = "expected a number of at least 0, or a fraction like 8/255";
  it.each([
    [["run", "quickstrat"], "recipe: unknown name 'quickstrat' – did you mean 'quickstart'?"],
    [["run", "DIR/none.yaml"], "DIR/none.yaml: expected a recipe, got no such file"],
    [["run", "DIR/mine"], "DIR/mine: expected a recipe, got a folder"],
    [["run", "DIR/binary.yaml"], "DIR/binary.yaml: expected a recipe, got a file that is not text"],
    [["run", "DIR/escapes.yaml"], "DIR/escapes.yaml: expected a recipe, got a file that is not text"],
    [["run", "DIR/none.onnx/\u001b[31m"], "DIR/none.onnx/\\x1b[31m: expected a recipe, got no such file"],
    [["run", "DIR/empty.yaml"], "DIR/empty.yaml: expected a recipe, got an empty file"],
    [["run", "DIR/comments.yaml"], "DIR/comments.yaml: expected a recipe, got an empty file"],
    [
      ["run", "DIR/syntax.yaml"],
      "DIR/syntax.yaml:2:1: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    [
      ["run", "quickstart", "--out", "DIR/mine"],
      "DIR/mine: expected an empty folder or one of Temper's runs, got a folder with thesis.tex",
    ],
    [
      ["run", "quickstart", "--fresh", "--out", "DIR/mine"],
      "DIR/mine: expected an empty folder or one of Temper's runs, got a folder with thesis.tex",
    ],
    [["run", "quickstart", "--out", "DIR/none.onnx"], "DIR/none.onnx: expected a folder, got something else"],
    [
      ["audit", "DIR/none.onnx", "--dataset", "mnits", "--epsilon", "0.1", "--out", "DIR/a"],
      "dataset: unknown name 'mnits' – did you mean 'mnist'?",
    ],
    [audit("--epsilon", "0.1"), "DIR/a.onnx: expected an ONNX file, got no such file"],
    [
      audit("--corruptions", "fogg,snow"),
      "audit --corruptions: unknown corruption 'fogg' – did you mean 'fog'?",
    ],
    [
      audit("--severities", "1", "--epsilon", "0.1"),
      "audit --severities: expected --corruptions beside it, got none",
    ],
    [
      audit("--epsilon", "0.1", "--attack", "autoattack", "--targeted"),
      "autoattack: expected labels to leave, got targets, which it cannot reach",
    ],
    [audit("--epsilon", "0.1", "--attack", "jsma"), "jsma: expected a norm out of l0, got 'linf'"],
    [
      audit("--epsilon", "10", "--attack", "pgd", "--norm", "l0"),
      "pgd: expected a norm out of linf, l2, l1, got 'l0'",
    ],
    [
      audit("--epsilon", "10,0.1", "--attack", "jsma,fgsm", "--norm", "l0"),
      "jsma: expected a whole number of input elements as ε in l0, got 0.1",
    ],
    [audit("--epsilon=-0.1"), `fgsm.epsilon.0: ${number}, got "-0.1"`],
    [audit("--epsilon", "NaN"), `fgsm.epsilon.0: ${number}, got "NaN"`],
    [audit("--epsilon", "0.1,1/0"), `fgsm.epsilon.1: ${number}, got "1/0"`],
    [audit("--epsilon", "0.1", "--attack", "pdg"), "unknown attack 'pdg' – did you mean 'pgd'?"],
    [
      audit("--epsilon", "0.1", "--set", "pgd.step=3"),
      "pgd: unknown option 'step' – did you mean 'steps'? (known: steps, stepSize, relativeStepSize, randomStart, restarts, loss, momentum, eot, rest)",
    ],
    [audit("--epsilon", "0.1", "--set", "pgd.steps=0"), "pgd.steps: expected number to be >=1, got 0"],
    [
      audit("--epsilon", "0.1", "--set", "steps=3"),
      "--set steps: expected a name before the option, got 'steps' alone (allowed: fgsm.steps, pgd.steps, autoattack.steps)",
    ],
    [
      audit("--epsilon", "0.1", "--set", "pdg.steps=3"),
      "--set pdg.steps: unknown name 'pdg' – did you mean 'pgd'?",
    ],
    [audit("--epsilon", "0.1", "--set", "steps"), "--set steps: expected option=value, got 'steps'"],
    [harden("mpl", "--defense", "standard"), "model: unknown name 'mpl' – did you mean 'mlp'?"],
    [harden("DIR/no.onnx", "--defense", "standard"), "DIR/no.onnx: expected an ONNX file, got no such file"],
    [
      harden("mlp", "--defense", "adversarial-backpropp"),
      "unknown method 'adversarial-backpropp' – did you mean 'adversarial-backprop'?",
    ],
    [
      harden("mlp", "--defense", "adversarial-backprop", "--set", "epsilon=-1"),
      `adversarial-backprop.epsilon: ${number}, got -1`,
    ],
    [
      harden("mlp", "--defense", "standard", "--optimizer", "adan"),
      "unknown optimizer 'adan' – did you mean 'adam'?",
    ],
    [
      harden("mlp", "--defense", "standard", "--train", "dense1*"),
      "harden: expected an ONNX file with --train or --freeze, got 'mlp'",
    ],
    [
      ["harden", "mlp", "--dataset", "mnist", "--defense", "standard", "--out", "DIR/mine"],
      "DIR/mine: expected a file to write, got a folder",
    ],
    [
      ["export", "--out", "DIR/a.onnx"],
      "export: expected either MODEL with --attack, or --step RECIPE, got none of them",
    ],
    [
      ["export", "DIR/none.onnx", "--attack", "pdg", "--out", "DIR/a.onnx"],
      "export: unknown attack 'pdg' – did you mean 'pgd'?",
    ],
    [
      ["export", "--step", "quickstart", "--method", "sgn", "--out", "DIR/a.onnx"],
      "export: unknown method 'sgn' – did you mean 'sgm'? (known: standard, sgm, adversarial-backprop, sign-noise, jacobian-penalty)",
    ],
    [
      ["report", "DIR/nowhere"],
      "DIR/nowhere: expected the folder of a run or an audit, got none, or an empty one",
    ],
    [["report", "DIR/none.onnx"], "DIR/none.onnx: expected a folder, got a file"],
    [
      ["report", "DIR/mine"],
      "DIR/mine: expected the folder of a run or an audit, got one without run.json and audit.json",
    ],
    [["data", "fetch", "mnits"], "dataset: unknown name 'mnits' – did you mean 'mnist'?"],
  ])("temper %j", async (args, line) => {
    const got = await failure(args);
    // Lists of what is known grow; what is asked for and what came do not.
    const known = line.includes("(known") ? got.line : got.line.replace(/ \(known: .*\)$/, "");
    expect({ ...got, line: known }).toEqual({ code: 1, line: `temper: ${line}` });
  });

  it.each([
    ["none.onnx", "none.onnx", "a file to write beside the input, got the input itself"],
    ["none.onnx", "mine/../none.onnx", "a file to write beside the input, got the input itself"],
    ["none.onnx", "link.onnx", "a file to write beside the input, got the input itself"],
    ["none.onnx", "notes.txt", "a new file or one that ends in .onnx, got another file that is there"],
  ])("export of %s to %s, which is left alone", async (model, out, words) => {
    const before = readFileSync(at(out));
    const args = ["export", at(model), "--attack", "fgsm", "--out", `${folder}/${out}`];
    expect(await failure(args)).toEqual({ code: 1, line: `temper: DIR/${out}: expected ${words}` });
    expect(readFileSync(at(out))).toEqual(before);
  });

  it("export of a recipe's step to the recipe, which is left alone", async () => {
    const args = ["export", "--step", at("syntax.yaml"), "--out", at("syntax.yaml")];
    expect((await failure(args)).line).toMatch(/: expected a file to write beside the input, got the input/);
    expect(readFileSync(at("syntax.yaml"), "utf8")).toBe("name: [a\n");
  });

  it("a file that is no model is named", async () => {
    const args = ["audit", "DIR/none.onnx", "--dataset", "mnist", "--epsilon", "8/255", "--out", "DIR/a"];
    const { code, line } = await failure(args);
    expect(code).toBe(1);
    expect(line).toMatch(/^temper: DIR\/none\.onnx: expected an ONNX file, got 16 bytes that are none/);
  });
});

describe("recipes, with file:line:column", () => {
  const good = [
    "name: r",
    "dataset: mnist",
    "model: mlp",
    "methods:",
    "  - standard",
    "  - sgm: { lambda: -0.2 }",
  ];
  const last = good.length + 1;
  const attack = (text: string): string[] => [...good, "evaluation:", "  attacks:", `    - ${text}`];
  it.each<[string, string[], string]>([
    [
      "unknown key",
      [...good, "epoch: 3"],
      `${last}:1: recipe: unknown option 'epoch' (known: name, description, dataset, model, preprocessing, space, training, seeds, threads, methods, search, evaluation, smoke)`,
    ],
    [
      "misspelt key",
      [...good, "trainig: {}"],
      `${last}:1: recipe: unknown option 'trainig' – did you mean 'training'? (known: name, description, dataset, model, preprocessing, space, training, seeds, threads, methods, search, evaluation, smoke)`,
    ],
    [
      "unknown corruption",
      [...good, "evaluation:", "  corruptions: [snow, fogg]"],
      `${last + 1}:3: evaluation.corruptions: unknown corruption 'fogg' – did you mean 'fog'?`,
    ],
    [
      "severity beyond 5",
      [...good, "evaluation:", "  severities: [1, 6]"],
      `${last + 1}:19: recipe.evaluation.severities.1: expected number to be <=5, got 6`,
    ],
    ["unknown method", [...good, "  - abp"], `${last}:5: unknown method 'abp'`],
    [
      "unknown option of a method",
      [...good, "  - sign-noise: { epsilo: 1 }"],
      `${last}:19: sign-noise: unknown option 'epsilo' – did you mean 'epsilon'?`,
    ],
    [
      "unknown attack",
      attack("pdg: { epsilon: 0.1 }"),
      `${last + 2}:7: unknown attack 'pdg' – did you mean 'pgd'?`,
    ],
    [
      "negative ε",
      attack("pgd: { epsilon: -0.1 }"),
      `${last + 2}:14: pgd.epsilon.0: expected a number of at least 0, or a fraction like 8/255, got -0.1`,
    ],
    [
      "ε that is no number",
      attack("pgd: { epsilon: big }"),
      `${last + 2}:14: pgd.epsilon.0: expected a number of at least 0, or a fraction like 8/255, got "big"`,
    ],
    [
      "a method that comes twice",
      [...good, "  - standard"],
      `${last}:5: method 'standard' comes twice; give one a name of its own with compose`,
    ],
  ])("%s", async (name, lines, message) => {
    const file = at(`${name.replaceAll(" ", "-")}.yaml`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    const { code, line } = await failure(["run", file, "--out", "DIR/run"]);
    expect(code).toBe(1);
    expect(line.replace(file.replace(folder, "DIR"), "FILE")).toContain(`temper: FILE:${message}`);
  });
});

describe("failures that nobody foresaw", () => {
  it("show where only on demand", async () => {
    const plain = await temper(["run", "quickstrat"]);
    expect(plain.err.trimEnd().split("\n")).toHaveLength(1);
    const debug = await temper(["run", "quickstrat"], { env: { TEMPER_DEBUG: "1" } });
    expect(debug.err).toContain("    at ");
  });
});
