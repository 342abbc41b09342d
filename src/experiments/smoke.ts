// Smoke runs: the same recipe with little of everything, to see that all of it works; its figures mean nothing.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { randomStream } from "../base/random.js";
import {
  datasetNamed,
  imageSize,
  limit,
  locateDataset,
  type AnyDataset,
  type Dataset,
  type Split,
} from "../data/index.js";
import type { RecipeFile } from "./cases.js";
import type { AttackPlan } from "./attack-plan.js";
import type { Recipe } from "./recipe.js";
import { datasetForm, type DatasetEntry } from "./recipe-dataset.js";
import type { Reference } from "./references.js";
import type { Search } from "./search-section.js";
import type { Training } from "./training-section.js";

/** What a smoke run keeps. */
const kept = {
  train: 64,
  validation: 16,
  test: 32,
  epochs: 2,
  batchSize: 32,
  seeds: 1,
  candidates: 3,
} as const;

/** At most so much of what attacks spend, by the options' names. */
const budgets: Readonly<Record<string, number>> = {
  steps: 2,
  restarts: 1,
  searchSteps: 2,
  targets: 2,
  queries: 20,
  maxQueries: 20,
  samples: 4,
};

function cheap({ options, ...plan }: AttackPlan): AttackPlan {
  const spent = Object.entries(options).map(([name, value]) => {
    const most = budgets[name];
    return [name, most !== undefined && typeof value === "number" ? Math.min(value, most) : value] as const;
  });
  const version = "version" in options && { version: "fast" };
  return { ...plan, options: { ...Object.fromEntries(spent), ...version } };
}

/** The first seed, and those of models that points are crafted on. */
const seedsOf = ({ seeds, evaluation }: Recipe): number[] => {
  const sources = (evaluation.transferFrom ?? []).flatMap((entry) => ("seed" in entry ? [entry.seed] : []));
  return seeds.filter((seed, i) => i < kept.seeds || sources.includes(seed));
};

const cutTraining = ({ validation, curves, meanOfLast, ...training }: Training): Training => ({
  ...training,
  limit: Math.min(training.limit ?? Infinity, kept.train),
  epochs: Math.min(training.epochs, kept.epochs),
  batchSize: Math.min(training.batchSize, kept.batchSize),
  ...(validation && { validation: { last: kept.validation } }),
  ...(curves && { curves: { ...curves, every: 1, attacks: curves.attacks.map(cheap) } }),
  ...(meanOfLast !== undefined && { meanOfLast: Math.min(meanOfLast, kept.epochs) }),
});

/** The candidates that come first, with two rungs at most. */
const cutSearch = ({ seeds, rungs, objective, methods, ...search }: Search): Search => ({
  ...search,
  seeds: seeds.slice(0, kept.seeds),
  rungs: rungs.length > 1 ? [1, kept.epochs] : rungs.map((rung) => Math.min(rung, kept.epochs)),
  objective: objective === "clean" ? objective : cheap(objective),
  methods: methods.map(({ method, candidates }) => ({
    method,
    candidates: candidates.slice(0, kept.candidates),
  })),
});

/** Whether a smoke run draws images in the place of a dataset that is not on this machine; folders are relative to `base`. */
export function drawsInPlaceOf(entry: DatasetEntry, base: string): boolean {
  if (typeof entry === "string") return locateDataset(datasetNamed(entry)) === undefined;
  return [entry.folder.train, entry.folder.test].some((path) => !existsSync(resolve(base, path)));
}

/** Options of a stand-in that are not those of the recipe's network: `depth 10, width 1`. */
const changesOf = (own: Reference, model: Reference): string =>
  Object.entries(own.options)
    .map(([name, value]) => [`${name} ${JSON.stringify(value)}`, value, model.options[name]] as const)
    .filter(([, value, before]) => JSON.stringify(value) !== JSON.stringify(before))
    .map(([text]) => text)
    .join(", ");

const sizeText = (entry: DatasetEntry): string => datasetForm(entry).imageShape.slice(1).join("×");

/** Which network, and images of which size, stand in for those of the recipe, where any do. */
const standIns = ({ model, smoke }: Pick<Recipe, "model" | "smoke">): string[] =>
  smoke === undefined
    ? []
    : [
        `${smoke.model.name} with ${changesOf(smoke.model, model)} in the place of the recipe's network`,
        ...(smoke.dataset ? [`images of ${sizeText(smoke.dataset)} pixels`] : []),
      ];

/** In words, what the smoke run of these cases leaves out, or puts in the place of what is large or not here. */
export const smokeNotes = (
  cases: readonly Pick<Recipe, "dataset" | "model" | "smoke">[],
  base = ".",
): string[] => {
  const absent = cases.filter(({ dataset }) => drawsInPlaceOf(dataset, base));
  const names = new Set(absent.map(({ dataset }) => datasetForm(dataset).name));
  const drawn = [...names].map(
    (name) => `drawn images in the place of ${name}, which is not on this machine`,
  );
  return [...smokeCuts, ...new Set(cases.flatMap(standIns)), ...drawn];
};

const cutRecipe = ({ smoke, ...recipe }: Recipe, name: string): Recipe => ({
  ...recipe,
  name,
  dataset: smoke?.dataset ?? recipe.dataset,
  model: smoke?.model ?? recipe.model,
  seeds: seedsOf(recipe),
  training: cutTraining(recipe.training),
  ...(recipe.search && { search: cutSearch(recipe.search) }),
  evaluation: {
    ...recipe.evaluation,
    limit: Math.min(recipe.evaluation.limit ?? Infinity, kept.test),
    attacks: recipe.evaluation.attacks.map(cheap),
  },
});

const smokeCuts: readonly string[] = [
  `${kept.train} training, at most ${kept.validation} validation and ${kept.test} test images`,
  `at most ${kept.epochs} epochs of batches of at most ${kept.batchSize}`,
  `the first seed only, the first ${kept.candidates} candidates of a search`,
  `attacks with at most ${budgets["steps"] ?? 0} steps and ${budgets["queries"] ?? 0} queries, no restarts, AutoAttack's fast form`,
];

/** What the smoke run of a recipe is called. */
export const smokeName = ({ name }: RecipeFile): string => `${name}-smoke`;

/** The recipe of a smoke run, under a name of its own; folders of images are relative to `base`. */
export function smokeRecipe(file: RecipeFile, base = "."): RecipeFile {
  const name = smokeName(file);
  const cases = file.cases.map((recipe) => cutRecipe(recipe, name));
  return { ...file, name, cases, smoke: smokeNotes(file.cases, base) };
}

/** The images of a smoke run: the first of each split. */
export const smokeImages = (dataset: AnyDataset): AnyDataset => ({
  ...dataset,
  train: limit(dataset.train, kept.train + kept.validation),
  test: limit(dataset.test, kept.test),
});

/** Images of random pixels, with every class in turn. */
function drawn(part: string, count: number, { size, classes }: { size: number; classes: number }): Split {
  const images = new Uint8Array(count * size);
  const row = new Float32Array(size);
  for (let sample = 0; sample < count; sample++) {
    randomStream(0, `smoke/${part}`).uniform(row, { sample }, [0, 256]);
    images.set(row, sample * size);
  }
  return { images, labels: Uint8Array.from({ length: count }, (_, i) => i % classes), count };
}

/** As many images as a smoke run takes, in the form of a dataset. */
export function drawnDataset(entry: DatasetEntry): Dataset {
  const { name, imageShape, classes } = datasetForm(entry);
  const form = { size: imageSize(imageShape), classes };
  return {
    ...{ name, imageShape, classes },
    train: drawn("train", kept.train + kept.validation, form),
    test: drawn("test", kept.test, form),
  };
}
