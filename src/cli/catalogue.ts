// What can be named on the command line and in recipes, with every option: from the registries themselves.
import { z } from "zod";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { leastClasses, type Attack } from "../attacks/attack.js";
import { createAttack } from "../attacks/create.js";
import * as attacks from "../attacks/index.js";
import * as augmentations from "../augmentations/index.js";
import type { AnyUnit } from "../base/options.js";
import { corruptionNames, selectCorruptions } from "../corruptions/select.js";
import { datasets } from "../data/index.js";
import * as preprocessors from "../data/preprocessors/index.js";
import * as methods from "../defenses/index.js";
import * as models from "../nn/architectures/index.js";
import * as optimizers from "../optim/index.js";

export interface OptionInfo {
  readonly name: string;
  /** `number`, `a|b`, `list of integer` … */
  readonly type: string;
  readonly required: boolean;
  /** Absent where there is none. */
  readonly default?: unknown;
  readonly description: string;
}

/** What an attack takes, with its options as they are by default. */
export interface AttackFacts {
  readonly kind: Attack["kind"];
  readonly norms: readonly string[];
  /** Whether radii have to be given: attacks on the nearest point need none. */
  readonly needsEpsilon: boolean;
  /** The fewest classes of models it works on. */
  readonly classes: number;
  /** Whether it can reach for given classes. */
  readonly targeted: boolean;
}

export interface Entry extends Partial<AttackFacts> {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionInfo[];
}

const registries = { methods, attacks, models, optimizers, augmentations, preprocessors } as const;

export type Kind = keyof typeof registries | "corruptions" | "datasets" | "recipes";

type JsonSchema = z.core.JSONSchema.BaseSchema;

const unlimited = Number.MAX_SAFE_INTEGER;

/** ` ≥ 1`, ` in (0, 1]`; nothing where any number will do. */
function range({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string {
  const least = minimum ?? Number(exclusiveMinimum ?? NaN);
  const most = maximum ?? Number(exclusiveMaximum ?? Infinity);
  if (Number.isNaN(least)) return "";
  if (most >= unlimited) return `${minimum === undefined ? " >" : " ≥"} ${least}`;
  return ` in ${minimum === undefined ? "(" : "["}${least}, ${most}${maximum === undefined ? ")" : "]"}`;
}

/** A JSON schema in a few words. */
function typeText(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map(String).join("|");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.anyOf) return schema.anyOf.map((each) => typeText(each)).join("|");
  if (Array.isArray(schema.type))
    return schema.type.includes("number") ? `number or fraction${range(schema)}` : schema.type.join("|");
  const { items } = schema;
  if (schema.type === "array" && typeof items === "object" && !Array.isArray(items))
    return `list of ${typeText(items)}`;
  if (schema.type === "object") return `{ ${Object.keys(schema.properties ?? {}).join(", ")} }`;
  return `${schema.type ?? "any"}${range(schema)}`;
}

function optionsOf({ schema }: AnyUnit<unknown>): OptionInfo[] {
  if (!(schema instanceof z.ZodObject)) return [];
  const shape = schema.shape as Readonly<Record<string, z.ZodType>>;
  return Object.entries(shape).map(([name, field]) => {
    // What comes of nothing: the default, undefined for an option that may be left out, an error for one that may not.
    const absent = field.safeParse(undefined);
    const json = z.toJSONSchema(field, { io: "input", unrepresentable: "any" });
    return {
      name,
      type: typeText(json),
      required: !absent.success,
      ...(absent.data !== undefined && { default: absent.data }),
      description: field.description ?? "",
    };
  });
}

const unitEntries = (registry: Readonly<Record<string, AnyUnit<unknown>>>): Entry[] =>
  Object.entries(registry).map(([name, unit]) => ({ name, summary: unit.summary, options: optionsOf(unit) }));

const attackEntries = (): Entry[] =>
  unitEntries(attacks).map((entry) => {
    const attack = createAttack(entry.name);
    const { kind, norms, nearest, untargeted } = attack;
    const facts = { kind, norms, needsEpsilon: nearest !== true, classes: leastClasses(attack) };
    return { ...entry, ...facts, targeted: untargeted !== true };
  });

const datasetEntries = (): Entry[] =>
  Object.values(datasets).map(({ name, title, imageShape, classes, licence }) => ({
    name,
    summary: `${title}: ${imageShape.join("×")}, ${classes} classes; ${licence}`,
    options: [],
  }));

const corruptionEntries = (): Entry[] =>
  selectCorruptions("list", corruptionNames).map(({ name, family, summary }) => ({
    name,
    summary: `${summary} (${family})`,
    options: [],
  }));

/** The folder of the recipes that come with Temper. */
const recipeFolder = fileURLToPath(new URL("../../recipes", import.meta.url));

/** Paths of the bundled recipes, those of the papers included, by name. */
export const bundledRecipes = (): Map<string, string> =>
  new Map(
    readdirSync(recipeFolder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".yaml"))
      .map((file) => [basename(file, ".yaml"), join(recipeFolder, file)]),
  );

const recipeEntries = (): Entry[] =>
  [...bundledRecipes()].map(([name, path]) => {
    const { description } = parse(readFileSync(path, "utf8")) as { description?: string };
    return { name, summary: description ?? "", options: [] };
  });

function entriesOf(kind: Kind): Entry[] {
  if (kind === "attacks") return attackEntries();
  if (kind === "datasets") return datasetEntries();
  if (kind === "corruptions") return corruptionEntries();
  if (kind === "recipes") return recipeEntries();
  return unitEntries(registries[kind]);
}

/** Everything of a kind, in the order of the names. */
export const catalogue = (kind: Kind): Entry[] => entriesOf(kind).sort((a, b) => (a.name < b.name ? -1 : 1));
