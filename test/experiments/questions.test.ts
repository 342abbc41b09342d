// The `questions` section: what it takes and refuses, and the answers that rows give.
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readRecipeFile } from "../../src/experiments/cases.js";
import type { Question } from "../../src/experiments/questions.js";
import type { ResultRow } from "../../src/experiments/records.js";
import type { Block } from "../../src/report/document.js";
import { markdown } from "../../src/report/markdown.js";
import { questionBlocks } from "../../src/report/questions.js";

const text = `
name: asked
dataset: mnist
model: mlp
seeds: [0, 1, 2, 3, 4, 5]
methods:
  - standard
  - { name: near, compose: [sgm: { lambda: 0.2 }] }
  - { name: far, compose: [sgm: { lambda: 1 }] }
evaluation: { attacks: [{ fgsm: { epsilon: 0.1 } }] }
questions:
  - ask: Does it help?
    places: [{ measure: accuracy }, { measure: accuracy, attack: fgsm, epsilon: 0.1 }]
  - ask: Near or far?
    source: A. Author 2020, Table 1
    readings: { near by: [near], far off: [far] }
published:
  source: A. Author 2020, Table 1
  cells:
    - { method: near, measure: accuracy, value: 97, spread: 0.1 }
    - { method: far, measure: accuracy, value: 97, spread: 0.1 }
`;

const read = (given = text) => readRecipeFile(parse(given));
const { questions, published } = read();

const row = (method: string, seed: number, clean: number, robust: number): ResultRow => ({
  ...{ method, seed, clean, options: {}, epochs: 20 },
  robust: [
    {
      ...{ attack: "fgsm", norm: "linf", epsilon: 0.1, accuracy: robust, n: 100, labels: "true" },
    },
  ],
});

const rowsOver = (seeds: number): ResultRow[] =>
  Array.from({ length: seeds }, (_, seed) => [
    row("standard", seed, 0.97 + seed / 1e4, 0.1 + seed / 1e3),
    row("near", seed, 0.9701 + ((seed % 2) * 4) / 1e4, 0.2 + (2 * seed) / 1e3),
    row("far", seed, 0.9 + seed / 2e4, 0.05),
  ]).flat();

const answer = (rows: readonly ResultRow[], asked: readonly Question[] = questions): string =>
  markdown({ title: "t", lead: "", blocks: questionBlocks(rows, asked, { published }) satisfies Block[] });

describe("questions", () => {
  it("come with their defaults", () => {
    expect(questions[0]).toMatchObject({ control: "standard", places: [{ measure: "accuracy" }, {}] });
    expect(read(text.replace(/questions:[^]*published/, "published")).questions).toEqual([]);
  });

  it.each([
    [
      "attack: fgsm",
      "attack: fgms",
      "expected an attack that the recipe's evaluation runs, got fgms linf at 0.1 (allowed: fgsm linf at 0.1)",
    ],
    ["ask: Does it help?", "ask: Does it help?\n    control: none", "questions: unknown method 'none'"],
    ["source: A. Author 2020, Table 1\n    r", "source: Table 2\n    r", "unknown published table 'Table 2'"],
    ["far off: [far]", "far off: [for]", "questions: unknown method 'for' – did you mean 'far'?"],
    ["far off: [far]", "far off: [near]", "expected each method in one reading, got 'near' twice"],
    [", far off: [far]", "", "expected at least two readings"],
    [
      "places: [{ measure: accuracy }, ",
      "places: [{ measure: accuracy }, { measure: accuracy }, ",
      "questions: expected each place once, got the same one twice",
    ],
    [
      "places: [{ measure: accuracy }",
      "places: [{ measure: hiddenZeros }",
      "questions: expected evaluation.activations in the recipe for hiddenZeros, got none",
    ],
    [
      "places: [{ measure: accuracy }",
      "places: [{ measure: meanTestErrorOfLast }",
      "expected training.meanOfLast in the recipe for meanTestErrorOfLast, got none",
    ],
    ["value: 97,", "value: 970,", "expected number to be <=100, got 970"],
    ["places: [", "place: [", "recipe.questions.0"],
  ])("%s → %s is refused", (from, to, message) => {
    expect(text).toContain(from);
    expect(() => read(text.replace(from, to))).toThrow(message);
  });

  it("are answered in words, with the test behind them, from six seeds on", () => {
    const page = answer(rowsOver(6));
    // Of four tests, whose least p is 2/64, Holm's correction leaves none below 5 %.
    expect(page).toContain("Too few seeds for a verdict against standard.");
    expect(page).toContain("| method | accuracy | accuracy under FGSM L∞ ε 0.1 | seeds |");
    expect(page).toContain("| standard | 97.02 ± 0.02 | 10.25 ± 0.19 | 6 |");
    expect(page).toContain("| near | 97.03 ± 0.02 | 20.50 ± 0.37 | 6 |");
    expect(page).not.toContain("Beside standard");
    expect(page).toContain(
      "corrected for all 4 tests, and decides at 5 % from 6 seeds on: with these seeds it",
    );
    expect(page).toContain("cannot go below 0.13.");
    const more = answer(rowsOver(8));
    expect(more).toContain(
      "Better than standard: near (accuracy under FGSM L∞ ε 0.1). Worse than standard: far. No difference shown from standard: near (accuracy).",
    );
    expect(more).toContain(
      "| near, accuracy under FGSM L∞ ε 0.1 | +10.35 | 8 | 0.031 | near is better than standard |",
    );
    expect(more).toContain("decides at 5 % from 6 seeds on.");
    const mixed = [...rowsOver(8).filter(({ method }) => method !== "far"), ...rowsOver(3).slice(2, 3)];
    expect(answer(mixed)).toContain("Too few seeds for a verdict against standard: far.");
  });

  it("are answered by the reading whose figures agree most", () => {
    const page = answer(rowsOver(3));
    expect(page).toContain("Nearest comes near by: all its figures within spread, off by 0.02 points");
    expect(page).toContain("This rests on 3 seeds and 1 figure a reading.");
    expect(page).toContain("| far off | 0 of 1 | 0 | 7.00 | 3 |");
    const near = answer(rowsOver(3).filter(({ method }) => method !== "far"));
    expect(near).toContain("Not run as a whole: 1 reading.");
    expect(answer(rowsOver(3).filter(({ method }) => method !== "near"))).toContain(
      "None gives all the printed figures. Nearest comes far off: 0 of its 1 figure within spread, off by 7.00 points",
    );
    // One figure right to the last digit and one far off, against two that are a little off.
    const two = read(
      text
        .replace("[near], far off: [far]", "[near, near2], far off: [far, far2]")
        .replace(
          "methods:",
          "methods:\n  - { name: near2, compose: [sgm: { lambda: 0.3 }] }\n  - { name: far2, compose: [sgm: { lambda: 0.9 }] }",
        )
        .replace(
          /( +- \{ method: )near(, measure: accuracy, value: 97, spread: 0.1 \})/,
          "$1near$2\n$1near2$2\n$1far2$2",
        ),
    );
    const rows = [
      ["near", 0.97],
      ["near2", 0.7],
      ["far", 0.96],
      ["far2", 0.96],
    ] as const;
    const split = markdown({
      ...{ title: "t", lead: "" },
      blocks: questionBlocks(
        rows.map(([method, clean]) => row(method, 0, clean, 0)),
        two.questions,
        { published: two.published },
      ),
    });
    expect(split).toContain(
      "Undecided: most figures within spread has near by (1 of its 2 figures within spread, off by 13.50 points in the mean), the least distance far off (0 of its 2 figures within spread, off by 1.00 points in the mean).",
    );
  });

  it("count no figure of a network at chance for a reading", () => {
    const flags = [{ name: "at-chance", message: "m", remedy: "r" }];
    const rows = rowsOver(3).map((each) => ({ ...each, ...(each.method === "near" && { flags }) }));
    const page = answer(rows);
    expect(page).toContain("| near by | 0 of 1 | 1 | 0.02 | 3 |");
    expect(page).toContain("models in doubt: at-chance: near (0, 1, 2).");
  });

  it("say which places were not run, and which models are in doubt", () => {
    const flags = [{ name: "too-few-steps", message: "m", remedy: "r" }];
    const rows = rowsOver(3).map((each) => ({ ...each, robust: [], ...(each.seed === 1 && { flags }) }));
    const page = answer(rows);
    expect(page).toContain("Not run: accuracy under FGSM L∞ ε 0.1.");
    expect(page).toContain("models in doubt: too-few-steps: standard (1), near (1), far (1).");
  });

  it("say where nothing was run", () => {
    expect(answer([]).match(/Not run\./g)).toHaveLength(2);
  });
});
