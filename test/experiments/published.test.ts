// The `published` section: what it takes, and what it refuses.
import { describe, expect, it } from "vitest";
import { readPublished } from "../../src/experiments/published.js";
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
const cases = ["dnn", "cnn"].map((name) => ({ ...recipe(), case: name }));

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
      "published: expected an attack that the recipe's evaluation runs, got fgsm linf at 0.2",
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
    [
      { valeu: 3 },
      plain,
      "recipe.published.0.cells.0: unknown option 'valeu' – did you mean 'value'? (known: case, measure, attack, norm, epsilon, from, options, method, value, spread, note)",
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
