// Does to a copy of the tree what CONTRIBUTING.md says and runs the contracts on it.
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const guide = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
const blocks = [...guide.matchAll(/^```(\w+)(?: (\w+)=(\S+))?\n([\s\S]*?)^```$/gm)].map(
  ([, language = "", verb = "", path = "", text = ""]) => ({ language, verb, path, text }),
);

let copy = "";
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "temper-scaffold-"));
  for (const part of [
    "src",
    "test/contracts",
    "test/support",
    "test/fixtures",
    "tsconfig.json",
    "package.json",
  ])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");
});
afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

/** Carries out one block of the guide. */
function perform({ language, verb, path, text }: (typeof blocks)[number]): void {
  if (verb === "file") writeFileSync(join(copy, path), text, { flag: "wx" });
  else if (verb === "append") appendFileSync(join(copy, path), text);
  else if (language === "sh") {
    const [command, flag, from = "", to = ""] = text.trim().split(/\s+/);
    expect([command, flag]).toEqual(["cp", "-r"]);
    cpSync(join(copy, from), join(copy, to), { recursive: true });
  }
}

/** Runs a program of node_modules on the copy; a failure shows what it printed. */
function run(program: string, args: readonly string[]): void {
  const file = join(root, "node_modules", program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    cwd: copy,
    encoding: "utf8",
  });
  expect(status, `${program} ${args.join(" ")}\n${stdout}\n${stderr}`).toBe(0);
}

describe("the seven recipes of CONTRIBUTING.md", () => {
  it("are an operation, an attack, a defence, a network, a dataset, an augmentation and a corruption, one file and one export line each", () => {
    expect(blocks.filter(({ verb }) => verb === "file").map(({ path }) => path)).toEqual([
      "src/ops/gauss.ts",
      "src/attacks/momentum-pgd.ts",
      "src/defenses/gaussian-noise.ts",
      "src/nn/architectures/softmax-regression.ts",
      "src/data/datasets/letters.ts",
      "src/augmentations/vertical-flip.ts",
      "src/corruptions/posterize.ts",
    ]);
    const appended = blocks.filter(({ verb }) => verb === "append");
    for (const { text } of appended) expect(text.trim().split("\n")).toHaveLength(1);
    expect(appended).toHaveLength(7);
  });

  it("done exactly as they say, pass types and contracts", () => {
    for (const block of blocks) perform(block);
    writeFileSync(
      join(copy, "tsconfig.scaffold.json"),
      JSON.stringify({ extends: "./tsconfig.json", include: ["src"], exclude: ["src/cli", "src/report"] }),
    );
    run("typescript/bin/tsc", ["-p", "tsconfig.scaffold.json"]);
    const suites = [
      "ops",
      "attacks",
      "defenses",
      "architectures",
      "datasets",
      "augmentations",
      "corruptions",
    ].map((name) => `test/contracts/${name}.test.ts`);
    const words =
      "gauss|momentum-pgd|gaussian-noise|softmax-regression|letters|vertical-flip|posterize|registry";
    const report = join(copy, "report.json");
    run("vitest/vitest.mjs", [
      "run",
      ...suites,
      "-t",
      words,
      "--reporter=default",
      "--reporter=json",
      `--outputFile=${report}`,
    ]);
    const { numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8")) as {
      numFailedTests: number;
      testResults: { assertionResults: { status: string; fullName: string }[] }[];
    };
    const passed = testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === "passed"),
    );
    expect(numFailedTests).toBe(0);
    for (const word of words.split("|"))
      expect(passed.filter(({ fullName }) => fullName.includes(word)).length, word).toBeGreaterThan(0);
  }, 300_000);
});
