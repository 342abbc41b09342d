// What holds: words computed from the records alone.
import { describe, expect, it } from "vitest";
import type { ResultRow, ResultsFile, RobustRecord } from "../../src/experiments/records.js";
import { terminalTable } from "../../src/report/index.js";
import { verdicts } from "../../src/report/verdicts.js";

const robust = (attack: string, epsilon: number, accuracy: number, n = 10000): RobustRecord => ({
  attack,
  norm: "linf",
  epsilon,
  accuracy,
  n,
  labels: "true",
  options: attack === "pgd" ? { steps: 20 } : {},
});

const row = (method: string, records: readonly RobustRecord[], more: Partial<ResultRow> = {}): ResultRow => ({
  method,
  seed: 0,
  options: {},
  epochs: 1,
  clean: 0.98,
  robust: [...records],
  ...more,
});

const results = (...rows: ResultRow[]): ResultsFile => ({ schema: 1, dataset: "mnist", rows });
const saidOf = (...rows: ResultRow[]) => new Map(verdicts(results(...rows))?.facts);

const standard = row("standard", [robust("fgsm", 0.1, 0.2054), robust("pgd", 0.1, 0.1168)]);

describe("what holds", () => {
  it("is said of each method, with the interval of its figure and the control's", () => {
    const said = saidOf(
      standard,
      row("sgm", [robust("pgd", 0.1, 0.1563)]),
      row("abp", [robust("pgd", 0.1, 0.8931)]),
    );
    expect([...said]).toEqual([
      [
        "standard",
        "does not hold at ε 0.1 – PGD-20 L∞ leaves 11.7 % (11.1–12.3 %) of 10,000 images, clean 98.0 %.",
      ],
      [
        "sgm",
        "does not hold at ε 0.1 – PGD-20 L∞ leaves 15.6 % (14.9–16.4 %) of 10,000 images, clean 98.0 %; the control (standard) 11.7 %.",
      ],
      [
        "abp",
        "holds up to ε 0.1 – PGD-20 L∞ leaves 89.3 % (88.7–89.9 %) of 10,000 images, clean 98.0 %; the control (standard) 11.7 %.",
      ],
    ]);
  });

  it("is the mean over seeds, with their spread", () => {
    const rows = [0.6, 0.7].map((accuracy, seed) => row("abp", [robust("pgd", 0.1, accuracy)], { seed }));
    expect(saidOf(...rows).get("abp")).toContain("PGD-20 L∞ leaves 65.0 ± 7.1 % of 10,000 images");
    expect(verdicts(results(...rows))?.rule).toMatch(
      /run; stronger attacks may lower it\. After ±: standard/,
    );
  });

  it("turns at half of the method's own clean accuracy", () => {
    const at = (accuracy: number, clean: number) =>
      saidOf(row("abp", [robust("pgd", 0.1, accuracy)], { clean }))
        .get("abp")
        ?.split(" up to ")[0];
    expect(at(0.4, 0.8)).toBe("holds");
    expect(at(0.39, 0.8)).toContain("does not hold");
    expect(at(0, 0)).toContain("does not hold");
  });

  it("goes by the strongest attack run, up to the first radius that is lost", () => {
    const said = saidOf(
      row("abp", [
        robust("pgd", 0.3, 0.1),
        robust("pgd", 0.1, 0.9),
        robust("pgd", 0.2, 0.7),
        robust("fgsm", 0.2, 0.6),
      ]),
    ).get("abp");
    expect(said).toMatch(/^holds up to ε 0\.2 – FGSM L∞ leaves 60\.0 %/);
    expect(said).toMatch(/; does not hold at ε 0\.3 – PGD-20 L∞ leaves 10\.0 %/);
  });

  it("names a suite, not the stage after which nothing more fell", () => {
    const left = robust("autoattack", 0.1, 0.7);
    const stages = ["apgd-ce", "square"].map((attack) => ({ ...left, attack, suite: "autoattack" }));
    expect(saidOf(row("abp", [...stages, left])).get("abp")).toMatch(
      /^holds up to ε 0\.1 – AutoAttack L∞ leaves 70\.0 %/,
    );
  });

  it("cannot be said after single steps alone, and not at radii that only they were tried at", () => {
    const alone = results(row("abp", [robust("fgsm", 0.1, 0.9), robust("pgd", 0, 0.98)]));
    const unsaid = "Nothing can be said of what holds: only single steps were tried.";
    expect(verdicts(alone)).toEqual({ facts: [], rule: unsaid, summary: unsaid });
    const mixed = saidOf(
      row("abp", [robust("fgsm", 0.3, 0.9), robust("pgd", 0.1, 0.8)]),
      row("sgm", [robust("fgsm", 0.1, 0.9)]),
    );
    expect(mixed.get("abp")).toMatch(/^holds up to ε 0\.1 – PGD/);
    expect(mixed.get("sgm")).toBe(unsaid);
  });

  it("cannot be said after points crafted on other models, which count where they bring more down", () => {
    const [fgsm, pgd] = ["fgsm transfer from a", "pgd transfer from a"];
    const onlyOf = (...attacks: string[]) =>
      verdicts(
        results(
          row(
            "abp",
            attacks.map((attack) => robust(attack, 0.1, 0.9)),
          ),
        ),
      )?.summary;
    expect(onlyOf(fgsm, pgd)).toBe(
      "Nothing can be said of what holds: only points crafted on other models were tried.",
    );
    expect(onlyOf("fgsm", fgsm)).toBe(
      "Nothing can be said of what holds: only single steps and points crafted on other models were tried.",
    );
    const said = saidOf(
      row("abp", [
        ...[robust("fgsm", 0.01, 0.93), robust(fgsm, 0.01, 0.94), robust("fgsm", 0.1, 0.5)],
        ...[robust(fgsm, 0.1, 0.6), robust("pgd", 0.1, 0.3), robust(pgd, 0.2, 0.1)],
      ]),
      row("sgm", [robust("pgd", 0.1, 0.8), robust(pgd, 0.1, 0.7)]),
    );
    expect(said.get("abp")).toMatch(/^does not hold at ε 0\.1 – PGD-20 L∞ leaves 30\.0 % [^;]*\.$/);
    expect(said.get("sgm")).toMatch(/^holds up to ε 0\.1 – PGD transfer from a L∞ leaves 70\.0 %/);
  });

  it("is nothing where nothing was attacked", () => {
    expect(verdicts(results(row("abp", [])))).toBeNull();
    expect(verdicts(results(row("abp", [robust("pgd", 0, 0.98)])))).toBeNull();
  });

  it("names the doubts that there are", () => {
    const flags = [{ name: "zero-gradients", message: "no gradient", remedy: "look" }];
    expect(saidOf(row("abp", [robust("pgd", 0.1, 0.9)], { flags })).get("abp")).toMatch(
      / In doubt: zero-gradients\.$/,
    );
  });

  it("is nothing of methods that read no more images rightly than by guessing", () => {
    const flags = [{ name: "at-chance", message: "guesses", remedy: "look" }];
    const rows = [0, 1].map((seed) => row("sgm", [robust("pgd", 0.1, 0.1)], { seed, clean: 0.1, flags }));
    expect(saidOf(standard, ...rows).get("sgm")).toBe(
      "guesses: no more clean images are read rightly than by chance or by one answer for all, which withstand anything.",
    );
    expect(verdicts(results(standard, ...rows))?.summary).toMatch(
      /^Holds: none\. Does not hold: standard \(at L∞ ε 0\.1\)\. No better than guessing: sgm\. /,
    );
    const learnt = row("sgm", [robust("pgd", 0.1, 0.2)], { seed: 2 });
    expect(saidOf(standard, ...rows, learnt).get("sgm")).toMatch(
      /^does not hold at ε 0\.1 .* In doubt: at-chance\.$/,
    );
    expect(saidOf(row("sgm", [robust("fgsm", 0.1, 0.1)], { clean: 0.1, flags })).size).toBe(0);
  });

  it("stands under the terminal's table in a few words", () => {
    const abp = row("abp", [robust("pgd", 0.1, 0.9)]);
    const sgm = row("sgm", [robust("pgd", 0.1, 0.15)]);
    const text = terminalTable(results(standard, sgm, abp), 80, { color: false }).replaceAll("\n", " ");
    expect(text).toContain(
      "Holds: abp (up to L∞ ε 0.1). Does not hold: standard, sgm (at L∞ ε 0.1). A method holds where at least half",
    );
    expect(terminalTable(results(sgm), 80, { color: false })).toContain("Holds: none. Does not hold: sgm");
  });
});
