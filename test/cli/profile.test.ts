// temper profile: from a recipe to tables, page and record; what it says of wrong input.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { profileFile } from "../../src/experiments/records.js";
import { temper, temporaryFolder, tooWide } from "./cli.js";

const folder = temporaryFolder();
const recipe = join(folder, "small.yaml");
writeFileSync(
  recipe,
  "name: small\ndataset: mnist\nmodel: { mlp: { hidden: [8] } }\ntraining: { batchSize: 4 }\nmethods: [standard, sgm]\n",
);
const profile = (...args: string[]) =>
  temper(["profile", recipe, "--method", "standard", "--steps", "4", ...args]);
const recordAt = (path: string) => profileFile.parse(JSON.parse(readFileSync(path, "utf8")));

describe("temper profile", () => {
  it("prints tables that fit a terminal and leaves page, record and figure", async () => {
    const out = join(folder, "all");
    const { code, out: text, err } = await profile("--out", out, "--json", join(folder, "copy", "mine.json"));
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(tooWide(text.slice(0, text.lastIndexOf("\n\n")))).toEqual([]);
    for (const word of ["train, gradient", "optimizer", "a step (session.run)", "Gemm", "train/dense1"])
      expect(text).toContain(word);
    expect(readdirSync(out).sort()).toEqual(["figures", "standard.html", "standard.json", "standard.md"]);
    expect(readdirSync(join(out, "figures")).sort()).toEqual([
      "profile-standard.png",
      "profile-standard.svg",
    ]);
    expect(recordAt(join(folder, "copy", "mine.json"))).toEqual(recordAt(join(out, "standard.json")));
    expect(recordAt(join(out, "standard.json"))).toMatchObject({
      method: "standard",
      environment: { threads: 1 },
    });
  });

  it("writes the page alone where a page is asked for, and prints the record", async () => {
    const page = join(folder, "page.html");
    const { code, out } = await profile("--out", page, "--threads", "2", "--json");
    expect(code).toBe(0);
    expect(profileFile.parse(JSON.parse(out)).environment.threads).toBe(2);
    expect(readFileSync(page, "utf8")).toContain("Profile of small: standard");
    expect(existsSync(join(folder, "figures"))).toBe(false);
  });

  it.each([
    [
      ["profile", recipe],
      "temper: profile: expected the name of a method, got none (allowed: standard, sgm)\n",
    ],
    [
      ["profile", recipe, "--json", recipe],
      `temper: profile --json: expected a file that ends in .json, got '${recipe}'\n`,
    ],
    [
      ["profile", recipe, "--method", "standard", "--steps", "9000000"],
      /^temper: profile: steps: expected at most \d+ for a step of \d+ kernels, got 9000000\n$/,
    ],
  ])("refuses %j", async (args, message) => {
    const { code, out, err } = await temper(args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(message);
  });

  it("refuses a number of steps that is none, as wrong usage", async () => {
    const { code, err } = await temper(["profile", recipe, "--steps", "0"]);
    expect(code).toBe(2);
    expect(err).toContain("Expected a whole number of at least 1.");
  });
});

describe("the profile of a recipe that is run", () => {
  it("lies in the run's folder, before the run too, and is shown in its report", async () => {
    const run = join(folder, "run");
    const tiny = join(folder, "tiny.yaml");
    writeFileSync(
      tiny,
      "name: tiny\ndataset: mnist\nmodel: { mlp: { hidden: [4] } }\nmethods: [standard]\n" +
        "training: { batchSize: 10, epochs: 1, limit: 20 }\nevaluation: { limit: 10 }\n",
    );
    expect((await temper(["profile", tiny, "--steps", "2", "--out", join(run, "profiles")])).code).toBe(0);
    expect(await temper(["run", tiny, "--out", run])).toMatchObject({ code: 0 });
    const page = readFileSync(join(run, "report.html"), "utf8");
    expect(page).toContain("Where a step of standard goes");
    expect(page).toContain("Profile of a step of standard");
    expect(existsSync(join(run, "figures", "profile-standard.svg"))).toBe(true);
    writeFileSync(join(run, "profiles", "standard.json"), "{}");
    expect(await temper(["report", run])).toMatchObject({ code: 1 });
  });
});
