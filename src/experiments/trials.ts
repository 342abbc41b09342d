// Trials: every method of a recipe with every seed.
import { createHash } from "node:crypto";
import type { RecipeFile } from "./cases.js";
import { trialName } from "./names.js";
import type { Method, Recipe } from "./recipe.js";

export interface Trial {
  /** `method-seedN` or `case.method-seedN`: its folder and its model's file. */
  readonly name: string;
  /** The recipe, or the case of it. */
  readonly recipe: Recipe;
  readonly method: Method;
  readonly seed: number;
}

/** Every method of every case with every seed, in the recipe's order. */
export const trialsOf = ({ cases }: Pick<RecipeFile, "cases">): Trial[] =>
  cases.flatMap((recipe) =>
    recipe.methods.flatMap((method) =>
      recipe.seeds.map((seed) => {
        const name = trialName({ case: recipe.case, method: method.name, seed });
        return { name, recipe, method, seed };
      }),
    ),
  );

/** The trials on whose models points are crafted that are tried on `trial`: all of its case that the recipe names, but itself. */
export const sourceTrials = (trial: Trial): Trial[] =>
  trialsOf({ cases: [trial.recipe] }).filter(
    ({ name, method, seed }) =>
      name !== trial.name &&
      (trial.recipe.evaluation.transferFrom ?? []).some(
        (entry) => "method" in entry && entry.method === method.name && entry.seed === seed,
      ),
  );

/** Whose result it is, as records say it. */
export const originOf = ({
  recipe,
  method,
  seed,
}: Trial): { readonly case?: string; readonly method: string; readonly seed: number } => ({
  ...(recipe.case !== undefined && { case: recipe.case }),
  method: method.name,
  seed,
});

/** SHA-256 of plain data. */
export const hash = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");

/** What decides a trial's weights. */
export const trainingIdentity = ({ recipe, method, seed }: Trial): string => {
  const { dataset, model, preprocessing, space, threads } = recipe;
  const { training = recipe.training, ...plain } = method;
  // Without the keys it must stay what it was before there were any.
  return hash({
    dataset,
    model,
    ...(preprocessing && { preprocessing }),
    ...(space && { space }),
    training,
    threads,
    method: plain,
    seed,
  });
};
