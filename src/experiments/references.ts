// References to units in recipes: `name`, or `name: { options }`.
import { failUnknown, TemperError } from "../base/errors.js";
import { OptionError, parseOptions, type AnyUnit } from "../base/options.js";
import { closest } from "../base/suggest.js";

/** A unit with its options, all defaults filled in. */
export interface Reference {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

type Path = readonly PropertyKey[];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Runs `read`; its errors get `path` in front. */
export function withPath<T>(path: Path, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof OptionError) throw new OptionError(error.message, [...path, ...error.path]);
    if (error instanceof TemperError) throw new OptionError(error.message, path);
    throw error;
  }
}

/** Splits `name` or `{ name: options }`. */
function nameAndOptions(kind: string, value: unknown, path: Path): { name: string; given: unknown } {
  if (typeof value === "string") return { name: value, given: {} };
  const entries = isRecord(value) ? Object.entries(value) : [];
  const [entry] = entries;
  if (entries.length !== 1 || entry === undefined)
    throw new OptionError(
      `${kind}: expected a name or one 'name: { options }', got ${JSON.stringify(value)}`,
      path,
    );
  return { name: entry[0], given: entry[1] ?? {} };
}

/** The unit that `value` refers to in `registry`, its options checked; errors carry the path in the recipe. */
export function readReference(
  registry: Readonly<Record<string, AnyUnit<unknown>>>,
  kind: string,
  value: unknown,
  path: Path,
): Reference {
  const { name, given } = nameAndOptions(kind, value, path);
  const inside = typeof value === "string" ? path : [...path, name];
  const unit = registry[name];
  if (unit === undefined) {
    const near = closest(name, Object.keys(registry));
    const hint = near === undefined ? "" : ` – did you mean '${near}'?`;
    throw new OptionError(
      `unknown ${kind} '${name}'${hint} (known: ${Object.keys(registry).join(", ")})`,
      inside,
    );
  }
  try {
    const options = parseOptions(name, unit.schema, given);
    return { name, options: options as Readonly<Record<string, unknown>> };
  } catch (error) {
    if (error instanceof OptionError) throw new OptionError(error.message, [...inside, ...error.path]);
    throw error;
  }
}

/** Makes what `reference` names. */
export function create<T>(
  registry: Readonly<Record<string, AnyUnit<T>>>,
  kind: string,
  reference: Reference,
): T {
  const unit = registry[reference.name] ?? failUnknown(kind, kind, reference.name, Object.keys(registry));
  // The options were checked against this unit's own schema when the reference was read.
  return unit(reference.options as never);
}
