// The `published` section of a recipe: what the paper printed, cell by cell, to stand beside what is measured.
import { z } from "zod";
import { check, failUnknown } from "../base/errors.js";
import { OptionError, parseOptions, quantity } from "../base/options.js";
import { groupsAmong, selectCorruptions } from "../corruptions/select.js";
import { normNames } from "../threat/find.js";
import { measureName, measureOf } from "./measures.js";
import { trialName } from "./names.js";
import type { Recipe } from "./recipe.js";
import { withPath } from "./references.js";

/** What is read off rows, and of which case. */
export const placeSchema = z.strictObject({
  case: z.string().optional().describe("a case of the recipe, where it has cases"),
  measure: measureName,
  top: z
    .int()
    .min(2)
    .optional()
    .describe("read rightly where the label is among so many of the highest outputs"),
  corruption: z
    .string()
    .optional()
    .describe("a corruption of the recipe's evaluation, or common or disturbances: their mean"),
  severity: z.int().min(1).max(5).optional().describe("of the corruption; the mean over all without one"),
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
  value: z.number().min(0).max(100).describe("as printed, in %"),
  spread: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe("standard deviation as printed, in percentage points"),
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
  epochs: z
    .union([z.int().min(1), z.literal("more")], 'expected a whole number, or "more"')
    .optional()
    .describe(
      "epochs the paper trained, or more than here where it does not print how many; fewer here are said",
    ),
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

export interface OfCase extends Pick<Recipe, "methods" | "evaluation" | "training"> {
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

/** Throws where one of `idle` is given, which only has a meaning beside `needed`. */
function checkIdle(
  section: string,
  place: Place,
  idle: readonly (keyof Place)[],
  needed: "an attack" | "a corruption",
): void {
  const given = idle.find((key) => place[key] !== undefined);
  if (given === undefined) return;
  const none = needed.replace(/^an? /, "no ");
  throw new OptionError(`${section}: expected ${given} beside ${needed} only, got ${none}`, [given]);
}

/** Throws unless the evaluation runs the corruption that the place names. */
function checkCorruption(
  section: string,
  { corruption = "", severity }: Place,
  { evaluation }: OfCase,
): void {
  const { corruptions = [], severities = [1, 2, 3, 4, 5] } = evaluation;
  const names = selectCorruptions("evaluation.corruptions", corruptions).map(({ name }) => name);
  const known = [...names, ...groupsAmong(names)];
  if (!known.includes(corruption))
    withPath(["corruption"], () => failUnknown(section, "corruption of the evaluation", corruption, known));
  const isGroup = !names.includes(corruption);
  withPath(["severity"], () =>
    check(
      severity === undefined || (!isGroup && severities.includes(severity)),
      `${section}.severity`,
      isGroup ? `none beside ${corruption}, which is a mean` : `one of ${severities.join(", ")}`,
      () => String(severity),
    ),
  );
}

/** Throws unless the evaluation runs the attack that the place names. */
function checkAttack(section: string, place: Place, of: OfCase): void {
  const { attack, norm = "linf", epsilon } = place;
  checkSource(section, place, of);
  const meant = attacksMeant(place, of);
  if (meant === 1) return;
  const allowed = of.evaluation.attacks.map(
    (plan) => `${plan.name} ${plan.norm} at ${plan.epsilons.join(", ")}`,
  );
  throw new OptionError(
    meant === 0
      ? `${section}: expected an attack that the recipe's evaluation runs, got ${attack} ${norm} at ${epsilon ?? "no epsilon"} (allowed: ${allowed.join("; ") || "none"})`
      : `${section}: expected one attack, got ${meant} of the name ${attack} (allowed: options that tell them apart)`,
    ["attack"],
  );
}

/** What a place may name beside its measure, one at a time. */
const conditions = ["attack", "corruption", "top"] as const;

/** What of the recipe has a measure taken, where it is not always taken. */
const takenBy: Partial<Record<Place["measure"], (of: OfCase) => readonly [key: string, value: unknown]>> = {
  meanTestErrorOfLast: ({ training }) => ["training.meanOfLast", training.meanOfLast],
  hiddenZeros: ({ evaluation }) => ["evaluation.activations", evaluation.activations],
};

/** Throws unless the recipe takes the place's measure. */
function checkMeasure(section: string, { measure }: Place, of: OfCase): void {
  const [key, value] = takenBy[measure]?.(of) ?? ["", true];
  if (value === undefined || value === false)
    throw new OptionError(`${section}: expected ${key} in the recipe for ${measure}, got none`, ["measure"]);
}

/** Throws unless the recipe measures what the place names. */
export function checkPlace(section: string, place: Place, of: OfCase): void {
  const { measure, attack, corruption, top } = place;
  if (attack === undefined) checkIdle(section, place, ["norm", "epsilon", "from", "options"], "an attack");
  if (corruption === undefined) checkIdle(section, place, ["severity"], "a corruption");
  const [first, second] = conditions.filter((key) => place[key] !== undefined);
  if (first === undefined) return checkMeasure(section, place, of);
  if (second !== undefined)
    throw new OptionError(
      `${section}: expected one of ${conditions.join(", ")}, got ${first} and ${second}`,
      [second],
    );
  if (!measureOf(measure).countsImages)
    throw new OptionError(`${section}: expected no ${first} beside ${measure}, got '${place[first]}'`, [
      first,
    ]);
  if (attack !== undefined) return checkAttack(section, place, of);
  if (corruption !== undefined) return checkCorruption(section, place, of);
  const { top: measured = [] } = of.evaluation;
  withPath(["top"], () =>
    check(
      measured.includes(top ?? 0),
      section,
      `one of evaluation.top (${measured.join(", ") || "none"})`,
      () => `top ${top ?? 0}`,
    ),
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
