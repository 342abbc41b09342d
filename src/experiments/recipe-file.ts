// Recipes as YAML files.
import { readRecipe, type Recipe } from "./recipe.js";
import { verifyRecipe } from "./step.js";
import { readYaml } from "./yaml-file.js";

/** Reads a recipe from YAML and makes sure that all it names can be built; errors begin with file:line:column. */
export const parseRecipe = (text: string, file: string): Recipe =>
  readYaml(text, file, (data) => {
    const recipe = readRecipe(data);
    verifyRecipe(recipe);
    return recipe;
  });
