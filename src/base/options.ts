// Options of units (architectures, optimizers, defences, attacks): one schema each, for types, checks and help.
import { z } from "zod";
import { TemperError } from "./errors.js";
import { closest } from "./suggest.js";

/** A mistake in an option; `path` says where, for messages with file:line:column. */
export class OptionError extends TemperError {
  constructor(
    message: string,
    readonly path: readonly PropertyKey[],
  ) {
    super(message);
  }
}

const fraction = /^\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\s*(?:\/\s*([\d.]+(?:e[-+]?\d+)?)\s*)?$/i;

/** Reads `0.1` or `8/255`; NaN when it is neither. */
function parseQuantity(text: string): number {
  const parts = fraction.exec(text);
  return parts ? Number(parts[1]) / Number(parts[2] ?? 1) : NaN;
}

/** A finite number in [min, max], also written as a fraction: `8/255`. */
export const quantity = (min = -Infinity, max = Infinity): z.ZodType<number, number | string> => {
  const range = max < Infinity ? ` in [${min}, ${max}]` : min > -Infinity ? ` of at least ${min}` : "";
  const allowed = `a number${range}, or a fraction like 8/255`;
  const given = z.union([z.number(), z.string()], { error: () => `expected ${allowed}` });
  return given
    .meta({ ...(min > -Infinity && { minimum: min }), ...(max < Infinity && { maximum: max }) })
    .transform((given) => (typeof given === "number" ? given : parseQuantity(given)))
    .refine((value) => Number.isFinite(value) && value >= min && value <= max, {
      error: `expected ${allowed}`,
    })
    .pipe(z.number());
};

const shown = (value: unknown): string => {
  if (typeof value === "number") return String(value);
  return value === undefined ? "nothing" : JSON.stringify(value);
};

/** The value at `path`, or the last one on the way there that is not an object. */
function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : value,
    given,
  );
}

/** Keys that the object at `path` of `schema` knows. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: unknown = schema;
  const bare = (wrapped: unknown): unknown =>
    wrapped instanceof z.ZodOptional || wrapped instanceof z.ZodDefault || wrapped instanceof z.ZodPrefault
      ? bare(wrapped.unwrap())
      : wrapped;
  for (const key of path) {
    const inner = bare(current);
    if (inner instanceof z.ZodObject) current = (inner.shape as Record<PropertyKey, unknown>)[key];
    else if (inner instanceof z.ZodArray) current = inner.element;
  }
  current = bare(current);
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

/** What is expected where one of these types is. */
const typeWords: Readonly<Record<string, string>> = {
  object: "{ key: value, … }",
  record: "{ key: value, … }",
  array: "a list [ …, … ]",
};

/** What comes of leaving `key` out, in words. */
function leftOut(schema: z.ZodType, key: PropertyKey | undefined): string {
  if (!(schema instanceof z.ZodObject) || key === undefined) return shown(undefined);
  const field = (schema.shape as Record<PropertyKey, z.ZodType | undefined>)[key];
  const { data } = field?.safeParse(undefined) ?? {};
  return data === undefined ? shown(undefined) : `its default, ${shown(data)}`;
}

/** The first problem as `where.key: …`, with did-you-mean for unknown keys. */
function describe(where: string, schema: z.ZodType, given: unknown, issue: z.core.$ZodIssue): OptionError {
  const at = (path: readonly PropertyKey[]): string => [where, ...path.map(String)].join(".");
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const known = knownKeys(schema, issue.path);
    const near = closest(key, known);
    const hint = near === undefined ? "" : ` – did you mean '${near}'?`;
    const list = known.length > 0 ? known.join(", ") : "none";
    return new OptionError(`${at(issue.path)}: unknown option '${key}'${hint} (known: ${list})`, [
      ...issue.path,
      key,
    ]);
  }
  const type = issue.code === "invalid_type" ? typeWords[issue.expected] : undefined;
  const expected = (type ?? issue.message)
    .replace(/^(Invalid (input|option)|Too (small|big)): /, "")
    .replace(/, received .*$/, "");
  const words = expected.startsWith("expected") ? expected : `expected ${expected}`;
  const value = valueAt(given, issue.path);
  const got = value === undefined && issue.path.length === 1 ? leftOut(schema, issue.path[0]) : shown(value);
  return new OptionError(`${at(issue.path)}: ${words}, got ${got}`, issue.path);
}

/** `given` checked and completed by `schema`; throws OptionError with one clear line. */
export function parseOptions<S extends z.ZodType>(where: string, schema: S, given: unknown): z.output<S> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw new OptionError(`${where}: invalid options`, []);
  throw describe(where, schema, given, issue);
}

/** A named maker with checked options; its file, export and command-line name are one word. */
export interface Unit<S extends z.ZodType, T> {
  (options?: z.input<S>): T;
  readonly schema: S;
  /** One line for `temper list`. */
  readonly summary: string;
}

/** Declares a unit: `build` receives options that are checked and complete. */
export function unit<S extends z.ZodType, T>(
  name: string,
  summary: string,
  schema: S,
  build: (options: z.output<S>) => T,
): Unit<S, T> {
  return Object.assign((options?: z.input<S>) => build(parseOptions(name, schema, options ?? {})), {
    schema,
    summary,
  });
}

/** A unit whose option types are not known: what a registry holds. */
export type AnyUnit<T> = ((options?: never) => T) & { readonly schema: z.ZodType; readonly summary: string };
