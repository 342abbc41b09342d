// What a search tries: a method with other values, as a method of a recipe of its own that sees no test images.
import { fail, failUnknown } from "../base/errors.js";
import { parseOptions } from "../base/options.js";
import * as defenseRegistry from "../defenses/index.js";
import type { RecipeFile } from "./cases.js";
import { networkOf } from "./input-preprocessing.js";
import { methodName } from "./names.js";
import { trainingOf, type Method, type Recipe } from "./recipe.js";
import { datasetForm } from "./recipe-dataset.js";
import { withPath, type Reference } from "./references.js";
import { candidateName, type Search, type Values } from "./search-section.js";
import { checkStep } from "./step.js";
import { readSearched, type Training } from "./training-section.js";

/** The search of one method of a recipe or case. */
export interface MethodSearch {
  /** `method` or `case.method`. */
  readonly name: string;
  readonly recipe: Recipe;
  readonly search: Search;
  /** As the recipe has it. */
  readonly method: Method;
  readonly values: readonly Values[];
}

/** Every search of `recipe`. */
export const searchesOf = (recipe: Recipe): MethodSearch[] =>
  recipe.methods.flatMap((method) => {
    const { search } = recipe;
    const searched = search?.methods.find((each) => each.method === method.name);
    if (search === undefined || searched === undefined) return [];
    const name = methodName({ case: recipe.case, method: method.name });
    return [{ name, recipe, search, method, values: searched.candidates }];
  });

/** The defence and the option of it that a key names. */
function targetOf(
  { name, defenses }: Method,
  key: string,
): { readonly defense: string; readonly option: string } {
  const where = `recipe.search.methods.${name}`;
  const names = defenses.map((defense) => defense.name);
  const [first = "", option] = key.split(".");
  if (option !== undefined)
    return names.includes(first) ? { defense: first, option } : failUnknown(where, "defence", first, names);
  const [only] = names;
  if (names.length !== 1 || only === undefined)
    return fail(where, `DEFENCE.${key}, since several are stacked`, key, names.join(", "));
  return { defense: only, option: key };
}

const inTraining = "training.";

function withOptions({ name, options }: Reference, own: Values): Reference {
  if (Object.keys(own).length === 0) return { name, options };
  const unit = defenseRegistry[name as keyof typeof defenseRegistry];
  return { name, options: parseOptions(name, unit.schema, { ...options, ...own }) };
}

/** `method` with these values in place of its own; errors say which is at fault. */
function withValues(recipe: Recipe, method: Method, values: Values): Method {
  const entries = Object.entries(values);
  const trained = entries.flatMap(([key, value]) =>
    key.startsWith(inTraining) ? [[key.slice(inTraining.length), value] as const] : [],
  );
  const targets = entries
    .filter(([key]) => !key.startsWith(inTraining))
    .map(([key, value]) => ({ ...targetOf(method, key), value }));
  const defenses = method.defenses.map((reference) => {
    const own = targets.filter(({ defense }) => defense === reference.name);
    return withOptions(reference, Object.fromEntries(own.map(({ option, value }) => [option, value])));
  });
  if (trained.length === 0) return { ...method, defenses };
  const training = { ...trainingOf(recipe, method), ...readSearched(Object.fromEntries(trained)) };
  return { ...method, defenses, training };
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** Candidates are measured on validation images alone, at each rung, and after each epoch where one of them is chosen. */
function candidateTraining({ training }: Recipe, { objective, limit, rungs }: Search): Training {
  const { meanOfLast: _, inputUpdates: __, curves: ___, ...rest } = training;
  const { restoreBest = false, earlyStopping, learningRate } = rest;
  const endsItself = typeof learningRate === "object" && "whenStalled" in learningRate;
  const isChosen = restoreBest || earlyStopping !== undefined || endsItself;
  return {
    ...rest,
    epochs: rungs.at(-1) ?? rest.epochs,
    curves: {
      splits: ["validation"],
      every: isChosen ? 1 : rungs.reduce(divisor),
      attacks: objective === "clean" ? [] : [objective],
      limit,
    },
  };
}

/** The candidates as methods of a recipe, in their order. */
export function candidateRecipe({ recipe, search, method, values }: MethodSearch): Recipe {
  const { search: _, evaluation, ...rest } = recipe;
  const { transferFrom: __, ...measured } = evaluation;
  const base = {
    ...rest,
    seeds: [...search.seeds],
    training: candidateTraining(recipe, search),
    evaluation: { ...measured, attacks: [] },
  };
  return {
    ...base,
    methods: values.map((each) => ({
      ...withValues(base, method, each),
      name: candidateName(method.name, each),
    })),
  };
}

/** The file with values found by searches in place of the written ones; methods whose values are still to be found stay open. */
export function withFound(file: RecipeFile, found: ReadonlyMap<string, Values>): RecipeFile {
  const cases = file.cases.map((recipe): Recipe => {
    const searches = new Map(searchesOf(recipe).map((each) => [each.method, each.name]));
    const methods = recipe.methods.map((method): Method => {
      const name = searches.get(method);
      if (name === undefined) return method;
      const values = found.get(name);
      return values === undefined ? { ...method, isOpen: true } : withValues(recipe, method, values);
    });
    return { ...recipe, methods };
  });
  return { ...file, cases };
}

/** Throws, with the path in the recipe, where a candidate cannot be built. */
export function verifySearch(recipe: Recipe): void {
  const { imageShape, classes } = datasetForm(recipe.dataset);
  const model = networkOf(recipe)({ inputShape: imageShape, classes });
  for (const each of searchesOf(recipe))
    withPath(["search", "methods", each.method.name], () => {
      const candidates = candidateRecipe(each);
      for (const method of candidates.methods) checkStep(candidates, method, model);
    });
}
