// The `search` section of a recipe: grids, draws, and in one line what cannot be searched.
import { describe, expect, it } from "vitest";
import { candidateRecipe, searchesOf, withFound } from "../../src/experiments/candidates.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import { smokeRecipe } from "../../src/experiments/smoke.js";
import { trainingIdentity, trialsOf } from "../../src/experiments/trials.js";

const text = `name: tiny
dataset: mnist
model: { mlp: { hidden: [8] } }
training: { epochs: 9, validation: { last: 100 } }
seeds: [4, 5]
methods:
  - standard
  - sign-noise
  - { name: both, compose: [sign-noise, jacobian-penalty: { lambda: 0.1 }] }
search:
  methods: { sign-noise: { epsilon: [0.1, 8/255], sites: [[input], [input, relu1]] } }
  rungs: [2, 4, 9]
`;
const searched = "{ sign-noise: { epsilon: [0.1, 8/255], sites: [[input], [input, relu1]] } }";
const read = (from = "", to = "") => parseRecipe(text.replace(from, to), "tiny.yaml");
const searchIn = (from = "", to = "") => read(from, to).cases[0]?.search;
const candidatesIn = (from = "", to = "") => searchIn(from, to)?.methods.map(({ candidates }) => candidates);

describe("candidates", () => {
  it("are every combination of the values, the last option's changing fastest", () => {
    expect(searchIn()).toMatchObject({ seeds: [4], rungs: [2, 4, 9], eta: 3, objective: "clean" });
    expect(candidatesIn()).toEqual([
      [
        { epsilon: 0.1, sites: ["input"] },
        { epsilon: 0.1, sites: ["input", "relu1"] },
        { epsilon: "8/255", sites: ["input"] },
        { epsilon: "8/255", sites: ["input", "relu1"] },
      ],
    ]);
  });

  it("are draws from lists and ranges, the same for a seed, and those of fewer trials first", () => {
    const space =
      "{ sign-noise: { epsilon: { from: 0.001, to: 1, scale: log }, p: { from: 0.2, to: 0.3 }, granularity: [element, sample] } }";
    const drawn = (trials: number, seed = 0) =>
      candidatesIn(searched, `${space}\n  trials: ${trials}\n  seed: ${seed}`)?.[0] ?? [];
    const all = drawn(40);
    expect(drawn(40)).toEqual(all);
    expect(drawn(7)).toEqual(all.slice(0, 7));
    expect(drawn(7, 1)).not.toEqual(all.slice(0, 7));
    const numbers = (key: string): number[] => all.map((values) => Number(values[key]));
    expect(Math.min(...numbers("p"))).toBeGreaterThanOrEqual(0.2);
    expect(Math.max(...numbers("p"))).toBeLessThanOrEqual(0.3);
    // On a logarithmic scale half of them lie below the geometric mean of the ends, 0.0316.
    const low = numbers("epsilon").filter((epsilon) => epsilon < 0.0316).length;
    expect(low).toBeGreaterThan(10);
    expect(low).toBeLessThan(30);
    expect(new Set(all.map(({ granularity }) => granularity)).size).toBe(2);
  });

  it("that are drawn twice are tried once", () => {
    expect(candidatesIn(searched, "{ sign-noise: { p: [0.4, 0.6] } }\n  trials: 30")?.[0]).toHaveLength(2);
  });

  it("are methods of a recipe that measures validation images alone, at the rungs", () => {
    const [recipe] = read("sign-noise: { eps", "sign-noise: { training.learningRate: [0.3], eps").cases;
    const [search] = recipe ? searchesOf(recipe) : [];
    if (search === undefined) throw new Error("no search");
    const candidates = candidateRecipe(search);
    expect(candidates.training).toMatchObject({
      epochs: 9,
      curves: { splits: ["validation"], every: 1, attacks: [] },
    });
    expect(candidates.methods[2]).toMatchObject({
      name: "sign-noise@training.learningRate=0.3,epsilon=8_255,sites=input",
      defenses: [{ name: "sign-noise", options: { epsilon: 8 / 255, p: 0.5, sites: ["input"] } }],
      training: { learningRate: 0.3, epochs: 9 },
    });
    expect(candidates.seeds).toEqual([4]);
    expect("search" in candidates).toBe(false);
  });

  it("are measured under an attack, and only where it is looked at", () => {
    const objective = "objective: { pgd: { epsilon: 0.1, steps: 3 } }\n  limit: 50\n  rungs: [4, 6]";
    const [recipe] = read("rungs: [2, 4, 9]", objective).cases;
    const [search] = recipe ? searchesOf(recipe) : [];
    const attacks = [{ name: "pgd", norm: "linf", epsilons: [0.1], options: { steps: 3 } }];
    expect(search && candidateRecipe(search).training.curves).toMatchObject({ every: 2, limit: 50, attacks });
  });
});

describe("what was found", () => {
  const file = read(
    "sign-noise: { eps",
    "both: { training.batchSize: [16, 64], jacobian-penalty.lambda: [0.2] }, sign-noise: { eps",
  );

  it("takes the place of what was written, and decides the training", () => {
    const plain = parseRecipe(text.slice(0, text.indexOf("search:")), "tiny.yaml").cases[0];
    const found = withFound(
      file,
      new Map([
        ["sign-noise", { epsilon: 0.5 }],
        ["both", { "training.batchSize": 64, "jacobian-penalty.lambda": 0.2 }],
      ]),
    );
    const trials = trialsOf(found);
    const written = trialsOf({ cases: plain ? [plain] : [] });
    expect(trials.map(({ name }) => name)).toEqual(written.map(({ name }) => name));
    const same = trials.map((trial, i) => {
      const other = written[i];
      return other !== undefined && trainingIdentity(trial) === trainingIdentity(other);
    });
    // 0.5 is what the method has by itself.
    expect(same).toEqual([true, true, true, true, false, false]);
    expect(found.cases[0]?.methods[2]).toMatchObject({
      defenses: [{ options: { epsilon: 0.5 } }, { options: { lambda: 0.2 } }],
      training: { batchSize: 64 },
    });
  });

  it("is waited for: without it nothing is the same training", () => {
    const [open, written] = [withFound(file, new Map()), file].map((each) =>
      trialsOf(each).map(trainingIdentity),
    );
    expect(open?.map((identity, i) => identity === written?.[i])).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

it("a smoke run has the first candidates and two rungs", () => {
  const [cut] = smokeRecipe(
    read("rungs", "objective: { pgd: { epsilon: 0.1, steps: 40 } }\n  seeds: [1, 2]\n  rungs"),
  ).cases;
  expect(cut?.search).toMatchObject({ seeds: [1], rungs: [1, 2], objective: { options: { steps: 2 } } });
  expect(cut?.search?.methods[0]?.candidates).toHaveLength(3);
});

describe("a section that cannot be searched is refused in one line, with its place", () => {
  const in_ = (methods: string) => [searched, methods] as const;
  it.each([
    [
      ...in_("{ sgm: { lambda: [1] } }"),
      "11:14: recipe.search: unknown method 'sgm' (known: standard, sign-noise, both)",
    ],
    [
      ...in_("{ sign-noise: { epsilom: [1] } }"),
      "11:28: sign-noise: unknown option 'epsilom' – did you mean 'epsilon'?",
    ],
    [
      ...in_("{ sign-noise: { epsilon: [0.1, -1] } }"),
      "11:28: sign-noise.epsilon: expected a number of at least 0, or a fraction like 8/255, got -1",
    ],
    [
      ...in_("{ sign-noise: { sites: [[inptu]] } }"),
      "11:14: sign-noise.sites: unknown site of mlp 'inptu' – did you mean 'input'?",
    ],
    [...in_("{ standard: { epsilon: [1] } }"), "standard: unknown option 'epsilon' (known: none)"],
    [
      ...in_("{ both: { epsilon: [1] } }"),
      "recipe.search.methods.both: expected DEFENCE.epsilon, since several are stacked, got epsilon (allowed: sign-noise, jacobian-penalty)",
    ],
    [
      ...in_("{ both: { sgm.lambda: [1] } }"),
      "recipe.search.methods.both: unknown defence 'sgm' (known: sign-noise, jacobian-penalty)",
    ],
    [
      ...in_("{ sign-noise: { training.epochs: [1] } }"),
      "training: unknown option 'epochs' (known: learningRate, batchSize, ",
    ],
    [
      ...in_("{ sign-noise: { epsilon: [] } }"),
      "11:28: recipe.search.methods.sign-noise.epsilon: expected at least one value, got an empty list",
    ],
    [
      ...in_("{ sign-noise: { epsilon: [1, 1] } }"),
      "recipe.search.methods.sign-noise.epsilon: expected each value once, got 1 twice",
    ],
    [
      ...in_("{ sign-noise: { epsilon: 1 } }"),
      "recipe.search.methods.sign-noise.epsilon: expected a list of values, or a range { from, to, scale }, got 1",
    ],
    [
      ...in_("{ sign-noise: {} }"),
      "recipe.search.methods.sign-noise: expected at least one option to search, got none",
    ],
    [...in_("{}"), "recipe.search.methods: expected a method, got none"],
    [
      ...in_("{ sign-noise: { p: { from: 0.1, to: 1 } } }"),
      "recipe.search.methods.sign-noise.p: expected a list of values in a grid, got a range (allowed: search.trials: N, so many draws from it)",
    ],
    [
      ...in_("{ sign-noise: { p: { from: 1, to: 0.1 } } }\n  trials: 3"),
      "recipe.search.methods.sign-noise.p: expected a range whose from is below its to, got 1 to 0.1",
    ],
    [
      ...in_("{ sign-noise: { p: { from: 0, to: 1, scale: log } } }\n  trials: 3"),
      "recipe.search.methods.sign-noise.p: expected a range above 0 on a logarithmic scale, got 0 to 1",
    ],
    [
      "  rungs: [2, 4, 9]",
      "  rungs: [4, 2]",
      "12:3: recipe.search.rungs: expected epochs that rise, got 4, 2",
    ],
    [
      "  rungs: [2, 4, 9]",
      "  rungs: [4, 10]",
      "recipe.search.rungs: expected at most the 9 of training.epochs, got 4, 10",
    ],
    ["  rungs: [2, 4, 9]", "  eta: 1", "recipe.search.eta: "],
    [
      "  rungs: [2, 4, 9]",
      "  objective: { pgd: { epsilon: [0.1, 0.2] } }",
      "recipe.search.objective: expected an attack at one epsilon, got 2 of them",
    ],
    ["  rungs: [2, 4, 9]", "  objective: pgdd", "unknown attack 'pgdd'"],
    [
      ", validation: { last: 100 }",
      "",
      "10:1: recipe.search: expected validation images to look at, got none (allowed: training.validation: { last: N } or { fraction: F })",
    ],
  ])("%s → %s", (from, to, message) => {
    let said = "";
    try {
      read(from, to);
    } catch (error) {
      said = error instanceof Error ? error.message : "";
    }
    expect(said).toMatch(/^tiny\.yaml:\d+:\d+: [^\n]*$/);
    expect(said).toContain(message);
  });

  it("in the case that it belongs to", () => {
    const own =
      "cases: { a: {}, b: { search: { methods: { sign-noise: { p: [2] } } } }, c: { search: null } }\n";
    expect(() => parseRecipe(text + own, "tiny.yaml")).toThrow(
      /^tiny\.yaml:13:\d+: recipe\.cases\.b: sign-noise\.p: /,
    );
    const { cases } = parseRecipe(text + own.replace("[2]", "[0.2]"), "tiny.yaml");
    expect(cases.map(({ search }) => search?.methods[0]?.candidates.length)).toEqual([4, 1, undefined]);
  });
});
