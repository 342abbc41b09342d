// What the trials of one case share: its images, and the files that points are crafted on.
import { datasetNamed, loadDataset } from "../data/index.js";
import { openFolders, type OpenedDataset } from "./folder-dataset.js";
import { make, type Recipe } from "./recipe.js";
import { datasetForm, type DatasetEntry } from "./recipe-dataset.js";
import { drawnDataset, drawsInPlaceOf, smokeImages } from "./smoke.js";
import { openSources, type SourceFile } from "./sources.js";

export interface Materials extends OpenedDataset {
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
  const images = datasetForm(recipe.dataset);
  const { imageShape: inputShape, classes } = images;
  const model = make.architecture(recipe.model)({ inputShape, classes });
  return openSources(recipe.evaluation.transferFrom ?? [], images, { model, base });
}

/** What a recipe's `dataset` names; folders are relative to `base`. */
async function openDataset(entry: DatasetEntry, base: string): Promise<OpenedDataset> {
  if (typeof entry !== "string") return openFolders(entry.folder, base);
  return { dataset: await loadDataset(datasetNamed(entry)), notes: [], close: () => Promise.resolve() };
}

/** What each of `recipes` needs; datasets that several use are read once. */
export async function openMaterials(
  recipes: readonly Recipe[],
  { base = ".", smoke = false }: MaterialsOptions = {},
): Promise<Map<Recipe, Materials>> {
  const datasets = new Map<string, Promise<OpenedDataset>>();
  const drawn = (entry: DatasetEntry): Promise<OpenedDataset> =>
    Promise.resolve({ dataset: drawnDataset(entry), notes: [], close: () => Promise.resolve() });
  const open = (entry: DatasetEntry): Promise<OpenedDataset> => {
    const key = JSON.stringify(entry);
    const isDrawn = smoke && drawsInPlaceOf(entry, base);
    const known = datasets.get(key) ?? (isDrawn ? drawn(entry) : openDataset(entry, base));
    datasets.set(key, known);
    return known;
  };
  const opened = recipes.map(async (recipe) => {
    const { dataset: whole, ...opened } = await open(recipe.dataset);
    const sourceFiles = await openSourceFiles(recipe, base);
    return [recipe, { ...opened, dataset: smoke ? smokeImages(whole) : whole, sourceFiles }] as const;
  });
  return new Map(await Promise.all(opened));
}
