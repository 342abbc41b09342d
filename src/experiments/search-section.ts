// The `search` section of a recipe: which options of its methods are tried, with which values, and what is best.
import { z } from "zod";
import { fail } from "../base/errors.js";
import { OptionError, parseOptions, quantity } from "../base/options.js";
import { randomStream } from "../base/random.js";
import { readAttack, type AttackPlan } from "./attack-plan.js";
import { withPath } from "./references.js";
import type { Training } from "./training-section.js";

const valuesEntry = z.record(z.string(), z.unknown());

const schema = z.strictObject({
  methods: z
    .record(z.string(), valuesEntry)
    .describe("by method: option: [values], or { from, to, scale } where there are trials"),
  trials: z
    .int()
    .min(1)
    .optional()
    .describe("draws for each method; default every combination of the values"),
  seed: z.int().min(0).default(0).describe("of the draws"),
  seeds: z
    .array(z.int().min(0))
    .min(1)
    .optional()
    .describe("what each candidate is trained with, its mean counts; default the recipe's first seed"),
  objective: z
    .unknown()
    .default("clean")
    .describe("accuracy on validation images: clean, or under an attack at one radius"),
  limit: z.int().min(1).default(1000).describe("attack the first so many validation images only"),
  rungs: z
    .array(z.int().min(1))
    .min(1)
    .optional()
    .describe("epochs after which all but the best go no further; default training.epochs alone"),
  eta: z.int().min(2).default(3).describe("one in so many goes on from a rung"),
});

const rangeSchema = z.strictObject({
  from: quantity(),
  to: quantity(),
  scale: z.enum(["linear", "log"]).default("linear"),
});

type Range = z.output<typeof rangeSchema>;

/** Values of options by name: `epsilon`, `DEFENCE.epsilon` where several are stacked, `training.learningRate`. */
export type Values = Readonly<Record<string, unknown>>;

/** A method and the values that are tried of it, in their order. */
export interface SearchedMethod {
  readonly method: string;
  readonly candidates: readonly Values[];
}

export interface Search extends Omit<z.output<typeof schema>, "methods" | "objective" | "seeds" | "rungs"> {
  readonly methods: readonly SearchedMethod[];
  readonly objective: "clean" | AttackPlan;
  readonly seeds: readonly number[];
  /** Ascending. */
  readonly rungs: readonly number[];
}

/** Letters that folders and patterns take well: `epsilon=0.5,sites=input+relu3`. */
const textOf = (value: unknown): string =>
  (Array.isArray(value) ? value.map(textOf).join("+") : JSON.stringify(value))
    .replace(/["[\]{}]/g, "")
    .replace(/[^\w.+-]+/g, "_");

/** `method@option=value,…`: what a candidate is called. */
export const candidateName = (method: string, values: Values): string =>
  `${method}@${Object.entries(values)
    .map(([key, value]) => `${key}=${textOf(value)}`)
    .join(",")}`;

/** All combinations, the last option's values changing fastest. */
const combinations = (lists: readonly (readonly [string, readonly unknown[]])[]): Values[] =>
  lists.reduce<Values[]>(
    (all, [key, list]) => all.flatMap((each) => list.map((value) => ({ ...each, [key]: value }))),
    [{}],
  );

/** A number of the range, at a share of it, with four digits. */
function inRange({ from, to, scale }: Range, share: number): number {
  const exact = scale === "log" ? from * (to / from) ** share : from + (to - from) * share;
  return Math.min(to, Math.max(from, Number(exact.toPrecision(4))));
}

type Space = readonly (readonly [string, readonly unknown[] | Range])[];

/** `trials` draws of the space: each option's from a stream of its own, so more trials begin with the same ones. */
function draws(method: string, space: Space, seed: number, trials: number): Values[] {
  const share = new Float32Array(1);
  return Array.from({ length: trials }, (_, sample) =>
    Object.fromEntries(
      space.map(([key, among]) => {
        randomStream(seed, `search/${method}/${key}`).uniform(share, { sample });
        const [at = 0] = share;
        if (!("from" in among)) return [key, among[Math.floor(at * among.length)]];
        return [key, inRange(among, at)];
      }),
    ),
  );
}

function readRange(where: string, value: unknown, isRandom: boolean): Range {
  const range = parseOptions(where, rangeSchema, value);
  const { from, to, scale } = range;
  if (!isRandom)
    fail(where, "a list of values in a grid", "a range", "search.trials: N, so many draws from it");
  if (from >= to) fail(where, "a range whose from is below its to", `${from} to ${to}`);
  if (scale === "log" && from <= 0) fail(where, "a range above 0 on a logarithmic scale", `${from} to ${to}`);
  return range;
}

/** The values of one option, or the range they are drawn from. */
function readAmong(where: string, value: unknown, isRandom: boolean): readonly unknown[] | Range {
  if (!Array.isArray(value)) {
    if (typeof value === "object" && value !== null) return readRange(where, value, isRandom);
    return fail(where, "a list of values, or a range { from, to, scale }", JSON.stringify(value));
  }
  const list: readonly unknown[] = value;
  if (list.length === 0) fail(where, "at least one value", "an empty list");
  const texts = list.map(textOf);
  const twice = texts.findIndex((text, i) => texts.indexOf(text) !== i);
  if (twice >= 0) fail(where, "each value once", `${JSON.stringify(list[twice])} twice`);
  return list;
}

type Given = z.output<typeof schema>;

function readSearched({ seed, trials }: Given, method: string, values: Values): SearchedMethod {
  const where = `recipe.search.methods.${method}`;
  const space = Object.entries(values).map(([key, value]) =>
    withPath([key], () => [key, readAmong(`${where}.${key}`, value, trials !== undefined)] as const),
  );
  if (space.length === 0) fail(where, "at least one option to search", "none");
  const all =
    trials === undefined
      ? combinations(space.flatMap(([key, among]) => ("from" in among ? [] : [[key, among] as const])))
      : draws(method, space, seed, trials);
  return {
    method,
    candidates: [...new Map(all.map((each) => [candidateName(method, each), each])).values()],
  };
}

function readObjective(given: unknown): Search["objective"] {
  if (given === "clean") return given;
  const plan = readAttack(given);
  if (plan.epsilons.length !== 1)
    fail("recipe.search.objective", "an attack at one epsilon", `${plan.epsilons.length} of them`);
  return plan;
}

function readRungs(given: readonly number[] | undefined, { epochs }: Training): readonly number[] {
  const rungs = given ?? [epochs];
  const falls = rungs.some((rung, i) => i > 0 && rung <= (rungs[i - 1] ?? 0));
  if (falls) fail("recipe.search.rungs", "epochs that rise", rungs.join(", "));
  if ((rungs.at(-1) ?? 0) > epochs)
    fail("recipe.search.rungs", `at most the ${epochs} of training.epochs`, rungs.join(", "));
  return rungs;
}

/** The section of a recipe with this training and these seeds; errors carry the path of the key at fault. */
export function readSearch(
  value: unknown,
  { training, seeds }: { readonly training: Training; readonly seeds: readonly number[] },
): Search {
  const given = parseOptions("recipe.search", schema, value);
  if (training.validation === undefined)
    throw new OptionError(
      "recipe.search: expected validation images to look at, got none (allowed: training.validation: { last: N } or { fraction: F })",
      [],
    );
  const methods = Object.entries(given.methods).map(([method, values]) =>
    withPath(["methods", method], () => readSearched(given, method, values)),
  );
  if (methods.length === 0) withPath(["methods"], () => fail("recipe.search.methods", "a method", "none"));
  return {
    ...given,
    methods,
    objective: withPath(["objective"], () => readObjective(given.objective)),
    seeds: given.seeds ?? seeds.slice(0, 1),
    rungs: withPath(["rungs"], () => readRungs(given.rungs, training)),
  };
}
