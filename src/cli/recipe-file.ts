// Recipes by path or by name.
import { failUnknown } from "../base/errors.js";
import { exists } from "./files.js";

/** The recipe's file: a path, or the name of a recipe that comes with Temper. */
export async function recipeFile(given: string): Promise<string> {
  if (/[./\\]/.test(given) || (await exists(given))) return given;
  const { bundledRecipe, recipeNames } = await import("./catalogue.js");
  return recipeNames().includes(given)
    ? bundledRecipe(given)
    : failUnknown("recipe", "name", given, [...recipeNames(), "a path to a file"]);
}
