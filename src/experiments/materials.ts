// What the trials of one case share: its images, and the files that points are crafted on.
import { datasetNamed, loadDataset, type Dataset } from "../data/index.js";
import { make, type Recipe } from "./recipe.js";
import { drawnDataset, drawsInPlaceOf, smokeImages } from "./smoke.js";
import { openSources, type SourceFile } from "./sources.js";

export interface Materials {
  readonly dataset: Dataset;
  /** The files among the models to craft on. */
  readonly sourceFiles: readonly SourceFile[];
}

export interface MaterialsOptions {
  /** The folder that files named in the recipe are relative to; default the current one. */
  readonly base?: string;
  /** Only the images of a smoke run. */
  readonly smoke?: boolean;
}

/** The files that a recipe's points are crafted on. */
export function openSourceFiles(recipe: Recipe, base: string): Promise<SourceFile[]> {
  const images = datasetNamed(recipe.dataset);
  const { imageShape: inputShape, classes } = images;
  const model = make.architecture(recipe.model)({ inputShape, classes });
  return openSources(recipe.evaluation.transferFrom ?? [], images, { model, base });
}

/** What each of `recipes` needs; datasets that several use are read once. */
export async function openMaterials(
  recipes: readonly Recipe[],
  { base = ".", smoke = false }: MaterialsOptions = {},
): Promise<Map<Recipe, Materials>> {
  const datasets = new Map<string, Promise<Dataset>>();
  const load = (name: string): Promise<Dataset> => {
    const isDrawn = smoke && drawsInPlaceOf(name);
    const known =
      datasets.get(name) ?? (isDrawn ? Promise.resolve(drawnDataset(name)) : loadDataset(datasetNamed(name)));
    datasets.set(name, known);
    return known;
  };
  const opened = recipes.map(async (recipe) => {
    const whole = await load(recipe.dataset);
    const sourceFiles = await openSourceFiles(recipe, base);
    return [recipe, { dataset: smoke ? smokeImages(whole) : whole, sourceFiles }] as const;
  });
  return new Map(await Promise.all(opened));
}
