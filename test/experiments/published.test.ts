// The `published` section: what it takes, and what it refuses.
import { describe, expect, it } from "vitest";
import { readPublished } from "../../src/experiments/published.js";
import { read } from "../../src/experiments/measures.js";
import type { ResultRow } from "../../src/experiments/records.js";
import { placeText } from "../../src/report/published.js";
import { readRecipe } from "../../src/experiments/recipe.js";

const recipe = (more: object = {}) =>
  readRecipe({
    name: "tiny",
    dataset: "mnist",
    model: "mlp",
    methods: ["standard", { sgm: { lambda: 0.2 } }],
    evaluation: {
      attacks: [
        { fgsm: { epsilon: [0.1, "8/255"] } },
        { pgd: { epsilon: 0.1, steps: 5 } },
        { pgd: { epsilon: 0.1, steps: 9 } },
      ],
    },
    ...more,
  });
const plain = [recipe()];
const crafting = [
  recipe({ evaluation: { attacks: [{ fgsm: { epsilon: 0.1 } }], transferFrom: "standard" } }),
];
const disturbed = [
  recipe({
    evaluation: {
      top: [3, 5],
      corruptions: ["fog", "random-crop", "random-flip", "five-crop"],
      severities: [1, 5],
    },
  }),
];
const cases = ["dnn", "cnn"].map((name) => ({ ...recipe(), case: name }));

/** A row with figures among five classes and under corruptions. */
const readRow = (): ResultRow => ({
  ...{ method: "sgm", seed: 0, options: {}, epochs: 1, clean: 0.8, robust: [] },
  top: [{ k: 5, accuracy: 0.9 }],
  corruptions: [1, 5].map((severity) => ({
    name: "fog",
    severity,
    accuracy: severity === 1 ? 0.75 : 0.25,
    n: 4,
  })),
  corruptionMeans: [
    { over: "fog", records: 2, accuracy: 0.5 },
    { over: "disturbances", records: 6, accuracy: 0.4 },
  ],
});
const near = (value: number | null): unknown => (value === null ? null : expect.closeTo(value, 9));

const table = (cell: object, more: object = {}) => ({
  source: "A. Author 2020, Table 1",
  cells: [{ method: "sgm", measure: "accuracy", value: 98.9, ...cell }],
  ...more,
});

describe("published", () => {
  it("takes one table or several, with defaults filled in", () => {
    const [one] = readPublished(table({ spread: 0.1 }), plain);
    expect(one).toMatchObject({ statistic: "mean", cells: [{ method: "sgm", value: 98.9, spread: 0.1 }] });
    expect(readPublished([table({}), table({ method: "standard" })], plain)).toHaveLength(2);
  });

  it("takes figures under attacks that the recipe runs", () => {
    const under = { attack: "fgsm", epsilon: "8/255" };
    expect(readPublished(table(under), plain)[0]?.cells[0]?.epsilon).toBeCloseTo(8 / 255, 15);
    const which = { attack: "pgd", epsilon: 0.1, options: { steps: 9 } };
    expect(readPublished(table(which), plain)).toHaveLength(1);
  });

  it("takes figures at points crafted on a trial of the recipe", () => {
    const under = { attack: "fgsm", epsilon: 0.1, from: "standard-seed0" };
    expect(readPublished(table(under), crafting)).toHaveLength(1);
  });

  it("takes figures among the likeliest classes and under corruptions, and reads them off rows", () => {
    const rows = readRow();
    const [{ cells } = { cells: [] }] = readPublished(
      {
        source: "Table 1",
        cells: [
          { top: 5 },
          { top: 5, measure: "testError" },
          { corruption: "fog", severity: 5 },
          { corruption: "fog" },
          { corruption: "disturbances", measure: "testError" },
          { top: 3 },
        ].map((place) => ({ method: "sgm", measure: "accuracy", value: 1, ...place })),
      },
      disturbed,
    );
    expect(cells.map((cell) => read(rows, cell))).toEqual([90, 10, 25, 50, 60, null].map(near));
    expect(cells.map(placeText)).toEqual([
      "top-5 accuracy",
      "top-5 test error",
      "accuracy under fog, severity 5",
      "accuracy under fog",
      "test error under disturbances",
      "top-3 accuracy",
    ]);
  });

  it("takes cells of cases", () => {
    expect(readPublished(table({ case: "cnn" }), cases)[0]?.cells[0]?.case).toBe("cnn");
  });

  it.each([
    [
      { method: "smg" },
      plain,
      "published: unknown method 'smg' – did you mean 'sgm'? (known: standard, sgm)",
    ],
    [{ case: "cnn" }, plain, "published: expected no case, since the recipe has none, got 'cnn'"],
    [{}, cases, "published: expected the case of accuracy, got none (known: dnn, cnn)"],
    [{ case: "dn" }, cases, "published: unknown case 'dn' – did you mean 'dnn'? (known: dnn, cnn)"],
    [
      { attack: "fgsm", epsilon: 0.2 },
      plain,
      "published: expected an attack that the recipe's evaluation runs, got fgsm linf at 0.2 (allowed: ",
    ],
    [
      { attack: "fgsm" },
      plain,
      "published: expected an attack that the recipe's evaluation runs, got fgsm linf at no epsilon",
    ],
    [
      { attack: "pgd", epsilon: 0.1 },
      plain,
      "published: expected one attack, got 2 of the name pgd (allowed: options that tell them apart)",
    ],
    [
      { attack: "fgsm", epsilon: 0.1, from: "standard-seed1" },
      crafting,
      "published: unknown trial to craft on 'standard-seed1' – did you mean 'standard-seed0'? (known: standard-seed0)",
    ],
    [
      { measure: "meanTestErrorOfLast", attack: "fgsm", epsilon: 0.1 },
      plain,
      "published: expected no attack beside meanTestErrorOfLast, got 'fgsm'",
    ],
    [{ from: "standard-seed0" }, crafting, "published: expected from beside an attack only, got no attack"],
    [{ epsilon: 0.1 }, plain, "published: expected epsilon beside an attack only, got no attack"],
    [{ severity: 3 }, plain, "published: expected severity beside a corruption only, got no corruption"],
    [{ top: 5 }, plain, "published: expected one of evaluation.top (none), got top 5"],
    [{ top: 4 }, disturbed, "published: expected one of evaluation.top (3, 5), got top 4"],
    [
      { top: 5, corruption: "fog" },
      disturbed,
      "published: expected one of attack, corruption, top, got corruption and top",
    ],
    [
      { corruption: "snow" },
      disturbed,
      "published: unknown corruption of the evaluation 'snow' (known: fog, five-crop, random-crop, random-flip, common, disturbances)",
    ],
    [{ corruption: "fog" }, plain, "published: unknown corruption of the evaluation 'fog' (known: )"],
    [{ corruption: "fog", severity: 3 }, disturbed, "published.severity: expected one of 1, 5, got 3"],
    [
      { corruption: "common", severity: 1 },
      disturbed,
      "published.severity: expected none beside common, which is a mean, got 1",
    ],
    [
      { measure: "hiddenZeros", corruption: "fog" },
      disturbed,
      "published: expected no corruption beside hiddenZeros, got 'fog'",
    ],
    [
      { valeu: 3 },
      plain,
      "recipe.published.0.cells.0: unknown option 'valeu' – did you mean 'value'? (known: case, measure, top, corruption, severity, attack, norm, epsilon, from, options, method, value, spread, note)",
    ],
  ])("refuses %j", (cell, of, message) => {
    expect(() => readPublished([table(cell)], of)).toThrow(message);
  });

  it("refuses a control that is no method, and a place that comes twice", () => {
    expect(() => readPublished(table({}, { control: "control" }), plain)).toThrow(
      "published: unknown method 'control' (known: standard, sgm)",
    );
    const [cell] = table({}).cells;
    const twice = { source: "Table 1", cells: [cell, { ...cell, value: 1 }] };
    expect(() => readPublished(twice, plain)).toThrow(
      "published: 'sgm' comes twice at the same place of Table 1",
    );
  });
});
