// The `questions` section of a recipe: what it is run to answer, by methods against their control or by readings of a text.
import { z } from "zod";
import { failUnknown } from "../base/errors.js";
import { OptionError, parseOptions } from "../base/options.js";
import { caseOf, checkPlace, placeSchema, type Cases, type PublishedTable } from "./published.js";
import { withPath } from "./references.js";

/** Do methods differ from their control? Seed by seed, at each place. */
const paired = z.strictObject({
  ask: z.string().min(1),
  control: z
    .string()
    .default("standard")
    .describe("method that all others of a place's case are paired with"),
  places: z.array(placeSchema).min(1),
});

/** Which reading of a text gives its figures? */
const readings = z.strictObject({
  ask: z.string().min(1),
  source: z.string().describe("the published table whose figures decide"),
  readings: z
    .record(z.string(), z.array(z.string()).min(1))
    .refine((given) => Object.keys(given).length > 1, { error: "expected at least two readings" })
    .describe("methods of each reading"),
});

export const questionsSchema = z.array(z.union([paired, readings]));

export type PairedQuestion = z.output<typeof paired>;
export type ReadingsQuestion = z.output<typeof readings>;
export type Question = PairedQuestion | ReadingsQuestion;

const withQuestions = z.looseObject({ questions: questionsSchema });

/** The questions of a recipe as run.json keeps it; none where it has none. */
export const questionsOf = (recipe: unknown): Question[] =>
  withQuestions.safeParse(recipe).data?.questions ?? [];

function checkPaired({ control, places }: PairedQuestion, cases: Cases): void {
  const texts = places.map((place) => JSON.stringify(place));
  places.forEach((place, p) =>
    withPath(["places", p], () => {
      if (texts.indexOf(JSON.stringify(place)) < p)
        throw new OptionError("questions: expected each place once, got the same one twice", []);
      const of = caseOf("questions", place, cases);
      checkPlace("questions", place, of);
      const methods = of.methods.map(({ name }) => name);
      if (!methods.includes(control)) failUnknown("questions", "method", control, methods);
    }),
  );
}

function checkReadings(
  { source, readings: given }: ReadingsQuestion,
  published: readonly PublishedTable[],
): void {
  const sources = published.map((table) => table.source);
  const table = published.find((each) => each.source === source);
  if (table === undefined)
    return withPath(["source"], () => failUnknown("questions", "published table", source, sources));
  const known = [...new Set(table.cells.map(({ method }) => method))];
  const all = Object.values(given).flat();
  const unknown = all.find((method) => !known.includes(method));
  if (unknown !== undefined) withPath(["readings"], () => failUnknown("questions", "method", unknown, known));
  const twice = all.find((method, i) => all.indexOf(method) < i);
  if (twice !== undefined)
    throw new OptionError(`questions: expected each method in one reading, got '${twice}' twice`, [
      "readings",
    ]);
}

/** The section of a recipe; throws where it names what the recipe does not run or print. */
export function readQuestions(
  value: unknown,
  cases: Cases,
  published: readonly PublishedTable[],
): Question[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  return given.map((each, i) =>
    withPath([i], () => {
      const where = `recipe.questions.${i}`;
      if (typeof each === "object" && each !== null && "readings" in each) {
        const question = parseOptions(where, readings, each);
        checkReadings(question, published);
        return question;
      }
      const question = parseOptions(where, paired, each);
      checkPaired(question, cases);
      return question;
    }),
  );
}
