// Recipes: what to train, how, and how to evaluate it, as YAML with typed keys; an unknown key is an error.
import { z } from "zod";
import * as attackRegistry from "../attacks/index.js";
import { OptionError, parseOptions } from "../base/options.js";
import { failUnknown } from "../base/errors.js";
import { extent } from "../data/preprocessing.js";
import { sizeAfter } from "../data/images/prepare.js";
import * as defenseRegistry from "../defenses/index.js";
import { checkTop } from "../evaluation/top.js";
import * as architectureRegistry from "../nn/architectures/index.js";
import { ownLoss } from "../nn/model.js";
import * as optimizerRegistry from "../optim/index.js";
import { activationsEntry } from "./activations.js";
import { checkPlans, readAttack, type AttackPlan } from "./attack-plan.js";
import { checkCorruptions, corruptionsEntry, severitiesEntry } from "./corruptions.js";
import { checkSpace, preprocessingEntry, readInputPreprocessing, spaceEntry } from "./input-preprocessing.js";
import { datasetForm, readDataset, resizedTo, type DatasetEntry } from "./recipe-dataset.js";
import { create, readReference, withPath, type Reference } from "./references.js";
import { readSearch, type Search } from "./search-section.js";
import { readTraining, trainingSchema, type Training } from "./training-section.js";
import { readSources, type SourceEntry } from "./sources.js";
import { checkCrafting } from "./transfer.js";

const evaluation = z.strictObject({
  attacks: z.array(z.unknown()).default([]),
  transferFrom: z.unknown().optional(),
  corruptions: corruptionsEntry.optional(),
  severities: severitiesEntry.optional(),
  activations: activationsEntry,
  top: z
    .array(z.int().min(2))
    .min(1)
    .optional()
    .describe("each k counts the clean images whose label is among the k highest outputs"),
  labels: z.enum(["true", "predicted"]).default("true"),
  seed: z.int().min(0).default(0),
  batchSize: z.int().min(2).max(128).default(100),
  limit: z.int().min(1).optional().describe("evaluate on the first so many test images only"),
  examples: z.int().min(0).max(64).default(8).describe("images kept for the report"),
});

const schema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, "expected letters, digits, '.', '_' and '-'"),
  description: z.string().optional(),
  dataset: z.unknown(),
  model: z.unknown(),
  preprocessing: preprocessingEntry,
  space: spaceEntry,
  training: trainingSchema.prefault({}),
  seeds: z.array(z.int().min(0)).min(1).default([0]),
  threads: z
    .int()
    .min(1)
    .default(1)
    .describe(
      "threads of each engine; the last bits of results depend on it, on nothing else of the machine",
    ),
  methods: z.array(z.unknown()).min(1),
  search: z.unknown().optional().describe("options to be searched on validation images; null is none"),
  evaluation: evaluation.prefault({}),
  smoke: z
    .strictObject({
      model: z.unknown().describe("a smaller network that stands in for the recipe's, trained with its loss"),
      size: extent.optional().describe("of folders' images"),
    })
    .optional()
    .describe("what smoke runs take in the place of the recipe's own"),
});

/** One training method: one defence or several stacked, under a name of its own. */
export interface Method {
  readonly name: string;
  /** Outermost first. */
  readonly defenses: readonly Reference[];
  /** How it is trained, where a search has changed that of the recipe. */
  readonly training?: Training;
  /** Its values are still to be found: nothing is trained of it. */
  readonly isOpen?: true;
}

export interface Recipe extends Omit<
  z.output<typeof schema>,
  "dataset" | "model" | "preprocessing" | "methods" | "training" | "evaluation" | "search" | "smoke"
> {
  /** Which case of its file it is, where that has cases. */
  readonly case?: string;
  readonly dataset: DatasetEntry;
  readonly model: Reference;
  /** In front of the network, in this order. */
  readonly preprocessing?: readonly Reference[];
  readonly training: Training;
  readonly methods: readonly Method[];
  readonly search?: Search;
  /** What smoke runs take in the place of the recipe's own. */
  readonly smoke?: { readonly model: Reference; readonly dataset?: DatasetEntry };
  readonly evaluation: Omit<z.output<typeof evaluation>, "attacks" | "transferFrom"> & {
    readonly attacks: readonly AttackPlan[];
    /** Models on which the attacks' points are crafted too, to be tried on every trial but the model itself. */
    readonly transferFrom?: readonly SourceEntry[];
  };
}

const stacked = z.strictObject({
  name: z.string().regex(/^[\w.+-]+$/, "expected letters, digits, '.', '_', '+' and '-'"),
  compose: z.array(z.unknown()).min(1),
});

function readMethod(value: unknown, path: readonly PropertyKey[]): Method {
  if (typeof value !== "object" || value === null || !("compose" in value)) {
    const reference = readReference(defenseRegistry, "method", value, path);
    return { name: reference.name, defenses: [reference] };
  }
  const { name, compose } = withPath(path, () => parseOptions("method", stacked, value));
  const defenses = compose.map((part, i) =>
    readReference(defenseRegistry, "method", part, [...path, "compose", i]),
  );
  return { name, defenses };
}

/** Evaluation without the models to craft on. */
const readEvaluation = ({
  transferFrom: _,
  ...given
}: z.output<typeof evaluation>): Recipe["evaluation"] => ({
  ...given,
  attacks: given.attacks.map((attack, i) => readAttack(attack, ["evaluation", "attacks", i])),
});

/** The models to craft on; an attack that can be crafted there must be asked for. */
function sourcesIn(
  { transferFrom }: z.output<typeof evaluation>,
  trials: { readonly methods: readonly string[]; readonly seeds: readonly number[] },
  { evaluation: { attacks } }: Recipe,
): SourceEntry[] {
  if (transferFrom === undefined) return [];
  return withPath(["evaluation", "transferFrom"], () => {
    checkCrafting("evaluation.transferFrom", attacks.map(make.attack));
    return readSources(transferFrom, trials);
  });
}

/** How a method of the recipe is trained. */
export const trainingOf = (recipe: Recipe, { training = recipe.training }: Method): Training => training;

/** The search, where there is one; what it names must be there. */
function searchIn(given: unknown, recipe: Recipe): { readonly search?: Search } {
  if (given === undefined || given === null) return {};
  return withPath(["search"], () => {
    const search = readSearch(given, recipe);
    const names = recipe.methods.map(({ name }) => name);
    for (const { method } of search.methods)
      if (!names.includes(method))
        withPath(["methods", method], () => failUnknown("recipe.search", "method", method, names));
    if (search.objective !== "clean") checkPlans([search.objective], datasetForm(recipe.dataset).classes);
    return { search };
  });
}

const readModel = (value: unknown, path: readonly PropertyKey[]): Reference =>
  readReference(architectureRegistry, "model", value, path);

/** What smoke runs of a recipe with this dataset take in the place of its own. */
function readSmoke(
  { model, size }: NonNullable<z.output<typeof schema>["smoke"]>,
  { corruptions = [] }: z.output<typeof evaluation>,
  dataset: DatasetEntry,
): NonNullable<Recipe["smoke"]> {
  const sides = size === undefined ? null : sizeAfter({ crop: size });
  const small = withPath(["smoke", "size"], () => {
    const resized = sides && resizedTo(dataset, [sides.height, sides.width]);
    if (resized) checkCorruptions("evaluation.corruptions", corruptions, datasetForm(resized).imageShape);
    return resized;
  });
  return { model: readModel(model, ["smoke", "model"]), ...(small && { dataset: small }) };
}

/** A recipe from plain data; errors carry the path of the key at fault. */
export function readRecipe(data: unknown): Recipe {
  const { search: asked, ...given } = parseOptions("recipe", schema, data);
  const dataset = readDataset(given.dataset);
  const { imageShape, classes } = datasetForm(dataset);
  withPath(["evaluation", "corruptions"], () =>
    checkCorruptions("evaluation.corruptions", given.evaluation.corruptions ?? [], imageShape),
  );
  withPath(["evaluation", "top"], () => checkTop("evaluation.top", given.evaluation.top ?? [], classes));
  const { preprocessing, smoke, ...rest } = given;
  const model = readModel(given.model, ["model"]);
  const own = withPath(["model"], () =>
    ownLoss(make.architecture(model)({ inputShape: imageShape, classes })),
  );
  const recipe: Recipe = {
    ...rest,
    model,
    dataset,
    ...(smoke && { smoke: readSmoke(smoke, given.evaluation, dataset) }),
    ...readInputPreprocessing(preprocessing),
    training: withPath(["training"], () => readTraining(given.training, own)),
    methods: given.methods.map((method, i) => readMethod(method, ["methods", i])),
    evaluation: readEvaluation(given.evaluation),
  };
  recipe.evaluation.attacks.forEach((plan, i) =>
    withPath(["evaluation", "attacks", i], () => checkPlans([plan], classes)),
  );
  const names = recipe.methods.map((method) => method.name);
  const sources = sourcesIn(given.evaluation, { methods: names, seeds: recipe.seeds }, recipe);
  const repeated = recipe.seeds.findIndex((seed, i) => recipe.seeds.indexOf(seed) !== i);
  if (repeated >= 0)
    throw new OptionError(`seed ${recipe.seeds[repeated] ?? ""} comes twice`, ["seeds", repeated]);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0)
    throw new OptionError(
      `method '${names[twice] ?? ""}' comes twice; give one a name of its own with compose`,
      ["methods", twice],
    );
  const searched = { ...recipe, ...searchIn(asked, recipe) };
  const whole: Recipe =
    sources.length === 0
      ? searched
      : { ...searched, evaluation: { ...searched.evaluation, transferFrom: sources } };
  withPath(["space"], () => checkSpace(whole));
  return whole;
}

/** The defence, optimizer, architecture and attack that a recipe names. */
export const make = {
  defense: (reference: Reference) => create(defenseRegistry, "method", reference),
  optimizer: (reference: Reference) => create(optimizerRegistry, "optimizer", reference),
  architecture: (reference: Reference) => create(architectureRegistry, "model", reference),
  attack: (reference: Reference) => create(attackRegistry, "attack", reference),
} as const;
