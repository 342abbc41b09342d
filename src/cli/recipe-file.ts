// Recipes by path or by name.
import { failUnknown } from "../base/errors.js";
import { exists } from "./files.js";

/** The recipe's file: a path, or the name of a recipe that comes with Temper. */
export async function recipeFile(given: string): Promise<string> {
  if (/[./\\]/.test(given) || (await exists(given))) return given;
  const { bundledRecipes } = await import("./catalogue.js");
  const recipes = bundledRecipes();
  return recipes.get(given) ?? failUnknown("recipe", "name", given, [...recipes.keys(), "a path to a file"]);
}
