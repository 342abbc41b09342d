// The `published` section of a recipe: what the paper printed, cell by cell, to stand beside what is measured.
import { z } from "zod";
import { failUnknown } from "../base/errors.js";
import { OptionError, parseOptions, quantity } from "../base/options.js";
import { normNames } from "../threat/find.js";
import { measureName, measureOf } from "./measures.js";
import { trialName } from "./names.js";
import type { Recipe } from "./recipe.js";
import { withPath } from "./references.js";

/** What is read off rows, and of which case. */
export const placeSchema = z.strictObject({
  case: z.string().optional().describe("a case of the recipe, where it has cases"),
  measure: measureName,
  attack: z.string().optional().describe("an attack of the recipe's evaluation; clean without one"),
  norm: z.enum(normNames).optional(),
  epsilon: quantity(0).optional(),
  from: z
    .string()
    .optional()
    .describe("trial of the recipe that the points were crafted on (evaluation.transferFrom)"),
  options: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("options that tell the attack from others of its name"),
});

const cell = placeSchema.extend({
  method: z.string(),
  value: z.number().describe("as printed, in %"),
  spread: z.number().min(0).optional().describe("standard deviation as printed, in percentage points"),
  note: z.string().optional(),
});

const table = z.strictObject({
  source: z.string().min(1).describe("author, year and table"),
  statistic: z
    .enum(["mean", "median"])
    .default("mean")
    .describe("what the paper took over its runs, and what is set against it here"),
  control: z
    .string()
    .optional()
    .describe("method that the others are paired with (default standard, where there is one)"),
  epochs: z.int().min(1).optional().describe("epochs the paper trained; fewer here are said"),
  seeds: z.int().min(1).optional().describe("runs behind each of the paper's figures"),
  leftOut: z.string().optional().describe("what of the table is not here, and why"),
  cells: z.array(cell).min(1),
});

export type Place = z.output<typeof placeSchema>;
export type PublishedCell = z.output<typeof cell>;
export type PublishedTable = z.output<typeof table>;

/** Tables with all defaults filled in. */
export const publishedSchema = z.array(table);

const withTables = z.looseObject({ published: publishedSchema });

/** The tables of a recipe as run.json keeps it; none where it has none. */
export const publishedOf = (recipe: unknown): PublishedTable[] =>
  withTables.safeParse(recipe).data?.published ?? [];

export interface OfCase extends Pick<Recipe, "methods" | "evaluation"> {
  readonly case?: string | undefined;
}
export type Cases = readonly OfCase[];

/** The case that a place names; `section` begins the message where there is none such. */
export function caseOf(section: string, { case: named, measure }: Place, cases: Cases): OfCase {
  const found = cases.find((each) => each.case === named);
  if (found) return found;
  const names = cases.flatMap((each) => each.case ?? []);
  if (named !== undefined && names.length > 0) failUnknown(section, "case", named, names);
  throw named === undefined
    ? new OptionError(
        `${section}: expected the case of ${measure}, got none (known: ${names.join(", ")})`,
        [],
      )
    : new OptionError(`${section}: expected no case, since the recipe has none, got '${named}'`, ["case"]);
}

/** How many attacks of the evaluation a place can mean. */
function attacksMeant({ attack, norm = "linf", epsilon, options = {} }: Place, of: OfCase): number {
  return of.evaluation.attacks.filter(
    (plan) =>
      plan.name === attack &&
      plan.norm === norm &&
      plan.epsilons.some((each) => Math.abs(each - (epsilon ?? NaN)) < 1e-9) &&
      Object.entries(options).every(
        ([key, value]) => JSON.stringify(plan.options[key]) === JSON.stringify(value),
      ),
  ).length;
}

/** Throws unless points are crafted on the trial that the place names. */
function checkSource(section: string, { from }: Place, of: OfCase): void {
  const sources = (of.evaluation.transferFrom ?? []).flatMap((entry) =>
    "file" in entry ? [] : [trialName({ case: of.case, ...entry })],
  );
  if (from !== undefined && !sources.includes(from))
    withPath(["from"], () => failUnknown(section, "trial to craft on", from, sources));
}

/** Throws unless the recipe measures what the place names. */
export function checkPlace(section: string, place: Place, of: OfCase): void {
  const { measure, attack, norm = "linf", epsilon, options } = place;
  if (attack === undefined) {
    const idle = [
      ["norm", place.norm],
      ["epsilon", epsilon],
      ["from", place.from],
      ["options", options],
    ] as const;
    const [given] = idle.filter(([, value]) => value !== undefined);
    if (given)
      throw new OptionError(`${section}: expected ${given[0]} beside an attack only, got no attack`, [
        given[0],
      ]);
    return;
  }
  if (!measureOf(measure).underAttack)
    throw new OptionError(`${section}: expected no attack beside ${measure}, got '${attack}'`, ["attack"]);
  checkSource(section, place, of);
  const meant = attacksMeant(place, of);
  if (meant === 1) return;
  throw new OptionError(
    meant === 0
      ? `${section}: expected an attack that the recipe's evaluation runs, got ${attack} ${norm} at ${epsilon ?? "no epsilon"}`
      : `${section}: expected one attack, got ${meant} of the name ${attack} (allowed: options that tell them apart)`,
    ["attack"],
  );
}

function checkCell(cell: PublishedCell, cases: Cases): void {
  const of = caseOf("published", cell, cases);
  const methods = of.methods.map(({ name }) => name);
  if (!methods.includes(cell.method))
    withPath(["method"], () => failUnknown("published", "method", cell.method, methods));
  checkPlace("published", cell, of);
}

/** What makes two cells the same place of a table. */
const placeOf = ({ value: _, spread: __, note: ___, ...place }: PublishedCell): string =>
  JSON.stringify(place);

/** One table; throws where it names what the recipe does not run. */
function readTable(where: string, value: unknown, cases: Cases): PublishedTable {
  const read = parseOptions(where, table, value);
  const methods = [...new Set(cases.flatMap((of) => of.methods.map(({ name }) => name)))];
  const { control } = read;
  if (control !== undefined && !methods.includes(control))
    withPath(["control"], () => failUnknown("published", "method", control, methods));
  const places = read.cells.map(placeOf);
  read.cells.forEach((one, c) =>
    withPath(["cells", c], () => {
      checkCell(one, cases);
      if (places.indexOf(placeOf(one)) < c)
        throw new OptionError(
          `published: '${one.method}' comes twice at the same place of ${read.source}`,
          [],
        );
    }),
  );
  return read;
}

/** The section of a recipe with these `cases`, one table or several; throws where a cell names what it does not run. */
export function readPublished(value: unknown, cases: Cases): PublishedTable[] {
  if (!Array.isArray(value)) return [readTable("recipe.published", value, cases)];
  return value.map((each: unknown, i) =>
    withPath([i], () => readTable(`recipe.published.${i}`, each, cases)),
  );
}
