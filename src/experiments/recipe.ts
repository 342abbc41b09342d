// Recipes: what to train, how, and how to evaluate it, as YAML with typed keys; an unknown key is an error.
import { z } from "zod";
import { checkAim } from "../attacks/attack.js";
import * as attackRegistry from "../attacks/index.js";
import { TemperError } from "../base/errors.js";
import { OptionError, parseOptions, quantity } from "../base/options.js";
import { datasetNamed } from "../data/index.js";
import * as defenseRegistry from "../defenses/index.js";
import * as architectureRegistry from "../nn/architectures/index.js";
import { lossNames } from "../nn/losses.js";
import * as optimizerRegistry from "../optim/index.js";
import { scheduleSchema } from "../optim/schedule.js";
import { normNames, type NormName } from "../threat/find.js";
import { checkCorruptions, corruptionsEntry, severitiesEntry } from "./corruptions.js";
import { create, readReference, type Reference } from "./references.js";
import { readSources, type SourceEntry } from "./sources.js";
import { checkCrafting } from "./transfer.js";

const epsilons = z.preprocess(
  (given) => (Array.isArray(given) ? (given as unknown[]) : [given]),
  z.array(quantity(0)).min(1),
);

const attackEntry = z.object({
  epsilon: epsilons.describe("radius or radii, input units"),
  norm: z.enum(normNames).default("linf"),
  targeted: z.boolean().default(false).describe("reach a random wrong class in place of leaving the own"),
});

/** Attacks that look for the nearest point need no radius; accuracy is counted at those given. */
const nearestEntry = attackEntry.extend({ epsilon: epsilons.default([]) });

const training = z.strictObject({
  optimizer: z.unknown().default("sgd"),
  learningRate: scheduleSchema.default(0.1),
  batchSize: z.int().min(2).default(128),
  epochs: z.int().min(1).default(10),
  loss: z.enum(lossNames).default("softmax-cross-entropy"),
  labelSmoothing: z.number().min(0).max(1).default(0),
  limit: z.int().min(2).optional().describe("train on the first so many images only"),
});

const evaluation = z.strictObject({
  attacks: z.array(z.unknown()).default([]),
  transferFrom: z.unknown().optional(),
  corruptions: corruptionsEntry.optional(),
  severities: severitiesEntry.optional(),
  labels: z.enum(["true", "predicted"]).default("true"),
  seed: z.int().min(0).default(0),
  batchSize: z.int().min(2).max(128).default(100),
  limit: z.int().min(1).optional().describe("evaluate on the first so many test images only"),
  examples: z.int().min(0).max(64).default(8).describe("images kept for the report"),
});

const schema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, "expected letters, digits, '.', '_' and '-'"),
  description: z.string().optional(),
  dataset: z.string(),
  model: z.unknown(),
  training: training.prefault({}),
  seeds: z.array(z.int().min(0)).min(1).default([0]),
  threads: z
    .int()
    .min(1)
    .default(1)
    .describe(
      "threads of each engine; the last bits of results depend on it, on nothing else of the machine",
    ),
  methods: z.array(z.unknown()).min(1),
  evaluation: evaluation.prefault({}),
});

/** One training method: one defence or several stacked, under a name of its own. */
export interface Method {
  readonly name: string;
  /** Outermost first. */
  readonly defenses: readonly Reference[];
}

/** An attack with the radii and the norm it is run at. */
export interface AttackPlan extends Reference {
  readonly epsilons: readonly number[];
  readonly norm: NormName;
  /** Reach a random wrong class in place of leaving the own. */
  readonly targeted?: boolean;
}

export interface Recipe extends Omit<
  z.output<typeof schema>,
  "model" | "methods" | "training" | "evaluation"
> {
  /** Which case of its file it is, where that has cases. */
  readonly case?: string;
  readonly model: Reference;
  readonly training: Omit<z.output<typeof training>, "optimizer"> & { readonly optimizer: Reference };
  readonly methods: readonly Method[];
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

/** Runs `read`; its errors get `path` in front. */
export function withPath<T>(path: readonly PropertyKey[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof OptionError) throw new OptionError(error.message, [...path, ...error.path]);
    if (error instanceof TemperError) throw new OptionError(error.message, path);
    throw error;
  }
}

/** `{ attack: { epsilon, norm, …options } }` → the attack's own options apart from ε and norm. */
export function readAttack(value: unknown, path: readonly PropertyKey[] = []): AttackPlan {
  const [name = ""] = typeof value === "object" && value !== null ? Object.keys(value) : [String(value)];
  const given = typeof value === "object" && value !== null ? (Object.values(value)[0] as unknown) : {};
  const {
    epsilon: _epsilon,
    norm: _norm,
    targeted: _targeted,
    ...rest
  } = (given ?? {}) as Record<string, unknown>;
  const { name: known, options } = readReference(attackRegistry, "attack", { [name]: rest }, path);
  const attack = create(attackRegistry, "attack", { name: known, options });
  const plan = withPath([...path, name], () =>
    attack.nearest
      ? parseOptions(name, nearestEntry, given ?? {})
      : parseOptions(name, attackEntry, given ?? {}),
  );
  const { epsilon, norm, targeted } = plan;
  withPath([...path, name, "targeted"], () => checkAim(attack, targeted));
  return { name: known, options, epsilons: [...new Set(epsilon)], norm, ...(targeted && { targeted }) };
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

/** A recipe from plain data; errors carry the path of the key at fault. */
export function readRecipe(data: unknown): Recipe {
  const given = parseOptions("recipe", schema, data);
  withPath(["dataset"], () => datasetNamed(given.dataset));
  withPath(["evaluation", "corruptions"], () =>
    checkCorruptions(
      "evaluation.corruptions",
      given.evaluation.corruptions ?? [],
      datasetNamed(given.dataset).imageShape,
    ),
  );
  const recipe: Recipe = {
    ...given,
    model: readReference(architectureRegistry, "model", given.model, ["model"]),
    training: {
      ...given.training,
      optimizer: readReference(optimizerRegistry, "optimizer", given.training.optimizer, [
        "training",
        "optimizer",
      ]),
    },
    methods: given.methods.map((method, i) => readMethod(method, ["methods", i])),
    evaluation: readEvaluation(given.evaluation),
  };
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
  return sources.length === 0
    ? recipe
    : { ...recipe, evaluation: { ...recipe.evaluation, transferFrom: sources } };
}

/** The defence, optimizer, architecture and attack that a recipe names. */
export const make = {
  defense: (reference: Reference) => create(defenseRegistry, "method", reference),
  optimizer: (reference: Reference) => create(optimizerRegistry, "optimizer", reference),
  architecture: (reference: Reference) => create(architectureRegistry, "model", reference),
  attack: (reference: Reference) => create(attackRegistry, "attack", reference),
} as const;
