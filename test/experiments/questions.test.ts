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
      "expected an attack that the recipe's evaluation runs, got fgms linf at 0.1",
    ],
    ["ask: Does it help?", "ask: Does it help?\n    control: none", "questions: unknown method 'none'"],
    ["source: A. Author 2020, Table 1\n    r", "source: Table 2\n    r", "unknown published table 'Table 2'"],
    ["far off: [far]", "far off: [for]", "questions: unknown method 'for' – did you mean 'far'?"],
    ["far off: [far]", "far off: [near]", "expected each method in one reading, got 'near' twice"],
    [", far off: [far]", "", "expected at least two readings"],
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
    expect(more).toContain("Better than standard: near (1 of 2 places).");
    expect(more).toContain("Worse than standard: far (2 of 2 places).");
    expect(more).toContain(
      "| near, accuracy under FGSM L∞ ε 0.1 | +10.35 | 8 | 0.031 | near is better than standard |",
    );
    expect(more).toContain("decides at 5 % from 6 seeds on.");
    const mixed = [...rowsOver(8).filter(({ method }) => method !== "far"), ...rowsOver(3).slice(2, 3)];
    expect(answer(mixed)).toContain("Too few seeds for a verdict against standard: far (2 of 2 places).");
  });

  it("are answered by the reading whose figures agree most", () => {
    const page = answer(rowsOver(3));
    expect(page).toContain("Nearest comes near by: all its figures within spread, off by 0.02 points");
    expect(page).toContain("| far off | 0 of 1 | 7.00 |");
    const near = answer(rowsOver(3).filter(({ method }) => method !== "far"));
    expect(near).toContain("Not run as a whole: 1 reading.");
    expect(answer(rowsOver(3).filter(({ method }) => method !== "near"))).toContain(
      "None gives any of the printed figures within its spread; nearest comes far off",
    );
  });

  it("say where nothing was run", () => {
    expect(answer([]).match(/Not run\./g)).toHaveLength(2);
  });
});
