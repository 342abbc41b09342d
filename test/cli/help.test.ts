// Help: what each command says of itself, within 80 columns, and without loading anything heavy.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temper, tooWide } from "./cli.js";

const commands = [
  [],
  ["run"],
  ["status"],
  ["harden"],
  ["audit"],
  ["export"],
  ["profile"],
  ["report"],
  ["list"],
  ["models"],
  ["models", "describe"],
  ["data"],
  ["data", "list"],
  ["data", "fetch"],
  ["data", "verify"],
  ["doctor"],
  ["complete"],
];

describe("help", () => {
  it.each(commands)("of temper %s %s", async (...words) => {
    const { code, out, err } = await temper([...words, "--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(tooWide(out)).toEqual([]);
    expect(out).toMatchSnapshot();
  });

  it("without a command goes to stderr, with the code of wrong usage", async () => {
    const { code, out, err } = await temper([]);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain("Usage: temper");
  });

  it("the version is the package's", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await temper(["--version"])).toMatchObject({ code: 0, out: `${version}\n` });
  });
});

/** Packages that are loaded before any command runs, following imports of values. */
function packagesOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const text = readFileSync(file, "utf8");
  const statements = /^(?:import|export)\s+(?!type\s)(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
  return [...text.matchAll(statements)].flatMap(([, specifier = ""]) =>
    specifier.startsWith(".")
      ? packagesOf(join(file, "..", specifier.replace(/\.js$/, ".ts")), seen)
      : [specifier],
  );
}

describe("help is quick: before a command runs", () => {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

  it("no package is loaded but commander", () => {
    const packages = packagesOf(main).filter((name) => !name.startsWith("node:"));
    expect([...new Set(packages)].sort()).toEqual(["@commander-js/extra-typings", "commander"]);
  });

  it("no folder is read but cli/ and light files below it", () => {
    const seen = new Set<string>();
    packagesOf(main, seen);
    const root = fileURLToPath(new URL("../../src/", import.meta.url));
    const others = [...seen].map((file) => relative(root, file)).filter((file) => !file.startsWith("cli"));
    expect(others.sort()).toEqual([
      "base/bytes-text.ts",
      "base/errors.ts",
      "base/suggest.ts",
      "data/disk.ts",
      "nn/loss-names.ts",
      "report/search-text.ts",
      "report/text.ts",
      "runtime/providers.ts",
    ]);
  });
});
