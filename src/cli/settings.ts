// `--set unit.option=value`: options of units from the command line.
import { fail, failUnknown } from "../base/errors.js";

/** Options by unit, as a recipe would hold them. */
export type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Splits `unit.option` at a chosen unit's name; without one, the option is that of `main`. */
function target(key: string, { units, main, flag = "--set" }: SettingsScope): [unit: string, option: string] {
  const dot = key.indexOf(".");
  const [unit, option] = [key.slice(0, Math.max(dot, 0)), key.slice(dot + 1)];
  if (dot > 0 && units.includes(unit)) return [unit, option];
  if (dot > 0) return failUnknown(`${flag} ${key}`, "name", unit, units);
  const [only] = main;
  if (main.length === 1 && only !== undefined) return [only, key];
  return fail(
    `${flag} ${key}`,
    "a name before the option",
    `'${key}' alone`,
    main.map((name) => `${name}.${key}`).join(", "),
  );
}

export interface SettingsScope {
  /** All units whose options may be set. */
  readonly units: readonly string[];
  /** Those that an option without a name may belong to, if it is but one. */
  readonly main: readonly string[];
  /** The option's name in messages, default `--set`. */
  readonly flag?: string;
}

/** Reads `unit.option=value` or `option=value`; values as in recipes: `20`, `true`, `8/255`, `[input, relu1]`. */
export async function readSettings(given: readonly string[], scope: SettingsScope): Promise<Settings> {
  const { parse } = await import("yaml");
  const settings: Record<string, Record<string, unknown>> = Object.fromEntries(
    scope.units.map((name) => [name, {}]),
  );
  const { flag = "--set" } = scope;
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1) fail(`${flag} ${text}`, "option=value", `'${text}'`);
    const [unit, option] = target(text.slice(0, at).trim(), scope);
    let value: unknown;
    try {
      value = parse(text.slice(at + 1));
    } catch {
      fail(`${flag} ${text}`, "a value as in a recipe: 20, true, 8/255, [a, b]", `'${text.slice(at + 1)}'`);
    }
    (settings[unit] ??= {})[option] = value;
  }
  return settings;
}
