// Cases: one recipe for a whole table, each case with keys of its own in place of the recipe's.
import { z } from "zod";
import { fail, failUnknown } from "../base/errors.js";
import { OptionError, parseOptions } from "../base/options.js";
import { verifySearch } from "./candidates.js";
import { methodName } from "./names.js";
import { readQuestions, type Question } from "./questions.js";
import { readPublished, type PublishedTable } from "./published.js";
import { readRecipe, type Method, type Recipe } from "./recipe.js";
import { withPath } from "./references.js";
import { verifyRecipe } from "./step.js";

/** What a recipe's file holds: the recipe, or each of its cases as a whole recipe. */
export interface RecipeFile {
  readonly name: string;
  /** Threads of each engine. */
  readonly threads: number;
  /** What the paper printed, to stand beside what is measured. */
  readonly published: readonly PublishedTable[];
  /** What the recipe is run to answer. */
  readonly questions: readonly Question[];
  /** In the file's order; a single one without the name of a case where there are none. */
  readonly cases: readonly Recipe[];
  /** Of a smoke run: what it leaves out, or puts in the place of the recipe's own. */
  readonly smoke?: readonly string[];
}

const caseSchema = z.strictObject({
  dataset: z.unknown().optional(),
  model: z.unknown().optional(),
  preprocessing: z.unknown().optional(),
  space: z.unknown().optional(),
  training: z.record(z.string(), z.unknown()).optional(),
  seeds: z.unknown().optional(),
  methods: z.unknown().optional(),
  search: z.unknown().optional(),
  evaluation: z.record(z.string(), z.unknown()).optional(),
  smoke: z.unknown().optional(),
});

/** Keys of a case, whose own keys replace those of the recipe one by one. */
const merged: readonly PropertyKey[] = ["training", "evaluation"];

type Data = Readonly<Record<PropertyKey, unknown>>;

const isData = (value: unknown): value is Data =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const casesSchema = z
  .record(z.string(), z.unknown())
  .refine((cases) => Object.keys(cases).length > 0, { error: "expected at least one case" });

/** The recipe with the keys of one case in place of its own. */
function withCase(base: Data, own: Data): Data {
  const both = Object.entries(own).map(([key, value]) => {
    const below = base[key];
    return [key, merged.includes(key) && isData(below) && isData(value) ? { ...below, ...value } : value];
  });
  return { ...base, ...Object.fromEntries(both) } as Data;
}

/** Whether what lies at `path` of the whole was given by the case. */
function isOwn(own: Data, [key = "", inner]: readonly PropertyKey[]): boolean {
  const value = own[key];
  return (
    value !== undefined &&
    !(merged.includes(key) && inner !== undefined && isData(value) && !(inner in value))
  );
}

/** Runs `read`; its errors name the case, and point into it where it gave what is wrong. */
function inCase<T>(name: string, own: Data, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const { message, path } = error;
    const where = `recipe.cases.${name}`;
    const inside = isOwn(own, path);
    const isOfRecipe = /^recipe[.:]/.test(message);
    // What a case did not give is wrong in the recipe itself, unless it is wrong only beside what the case gave.
    if (isOfRecipe && !inside) throw error;
    const rest = isOfRecipe ? message.slice("recipe".length) : `: ${message}`;
    throw new OptionError(`${where}${rest}`, inside ? ["cases", name, ...path] : path);
  }
}

/** Throws where something of the recipe, or of its smoke run, cannot be built. */
function verify(recipe: Recipe): void {
  verifyRecipe(recipe);
  verifySearch(recipe);
  const { smoke, ...rest } = recipe;
  if (smoke === undefined) return;
  const small = { ...rest, ...smoke };
  try {
    verifyRecipe(small);
    verifySearch(small);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new OptionError(`recipe.smoke.model: ${error.message}`, ["smoke", "model"]);
  }
}

function readCase(base: Data, name: string, value: unknown): Recipe {
  if (!/^[\w-]+$/.test(name))
    throw new OptionError(
      `recipe.cases: expected letters, digits, '_' and '-' in the name of a case, got '${name}'`,
      ["cases", name],
    );
  const own = withPath(["cases", name], () => parseOptions(`recipe.cases.${name}`, caseSchema, value));
  return inCase(name, own, () => {
    const recipe = { ...readRecipe(withCase(base, own)), case: name };
    verify(recipe);
    return recipe;
  });
}

/** The file's cases, or the recipe as its only one. */
function readCases(data: unknown): readonly Recipe[] {
  if (!isData(data) || data["cases"] === undefined) {
    const recipe = readRecipe(data);
    verify(recipe);
    return [recipe];
  }
  const { cases: given, ...base } = data;
  const named = withPath(["cases"], () => parseOptions("recipe.cases", casesSchema, given));
  return Object.entries(named).map(([name, own]) => readCase(base, name, own));
}

/** A recipe with or without cases from plain data; what it names can be built. Errors carry the path of the key at fault. */
export function readRecipeFile(data: unknown): RecipeFile {
  const { published: given, questions: asked, ...rest } = isData(data) ? data : {};
  const cases = readCases(isData(data) ? rest : data);
  const published = given === undefined ? [] : withPath(["published"], () => readPublished(given, cases));
  const questions =
    asked === undefined ? [] : withPath(["questions"], () => readQuestions(asked, cases, published));
  const [{ name, threads } = { name: "", threads: 1 }] = cases;
  return { name, threads, published, questions, cases };
}

/** The file as run.json keeps it, defaults included. */
export function recordOf({ name, threads, published, questions, cases }: RecipeFile): unknown {
  const [first] = cases;
  const printed = { ...(published.length > 0 && { published }), ...(questions.length > 0 && { questions }) };
  if (first?.case === undefined) return { ...first, ...printed };
  const own: Record<string, unknown> = {};
  for (const { name: _, description: __, threads: ___, case: key = "", ...rest } of cases) own[key] = rest;
  const about = first.description === undefined ? {} : { description: first.description };
  return { name, ...about, threads, cases: own, ...printed };
}

/** A method of a file: the recipe or case that it belongs to, and its name in the whole file. */
export interface NamedMethod {
  readonly name: string;
  readonly recipe: Recipe;
  readonly method: Method;
}

/** The file's method called `name` (`method` or `case.method`), or its only one; `where` begins the message where there is none such. */
export function methodNamed(where: string, { cases }: RecipeFile, name?: string): NamedMethod {
  const all = cases.flatMap((recipe) =>
    recipe.methods.map((method) => ({
      name: methodName({ case: recipe.case, method: method.name }),
      recipe,
      method,
    })),
  );
  const names = all.map((each) => each.name);
  if (name === undefined && names.length > 1) fail(where, "the name of a method", "none", names.join(", "));
  const found = all.find((each) => name === undefined || each.name === name);
  return found ?? failUnknown(where, "method", name ?? "", names);
}
