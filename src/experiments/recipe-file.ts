// Recipes as YAML files.
import { readRecipeFile, type RecipeFile } from "./cases.js";
import { readYaml } from "./yaml-file.js";

/** Reads a recipe from YAML and makes sure that all it names can be built; errors begin with file:line:column. */
export const parseRecipe = (text: string, file: string): RecipeFile => readYaml(text, file, readRecipeFile);
