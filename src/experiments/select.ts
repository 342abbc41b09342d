// Which trials of a recipe a call runs: those whose names match a pattern.
import { fail } from "../base/errors.js";

const escaped = (text: string): string => text.replace(/[.+^${}()|[\]\\]/g, "\\$&");

/** `*` stands for any letters, `?` for one. */
const matcher = (pattern: string): RegExp =>
  new RegExp(`^${escaped(pattern).replaceAll("*", ".*").replaceAll("?", ".")}$`);

/** Those of `items` whose name matches one of `patterns`, all without patterns; throws where a pattern matches none. */
export function selectNamed<T extends { readonly name: string }>(
  items: readonly T[],
  patterns: readonly string[] = [],
): T[] {
  if (patterns.length === 0) return [...items];
  const names = items.map(({ name }) => name);
  const matchers = patterns.map(matcher);
  const idle = patterns.find((_, i) => !names.some((name) => matchers[i]?.test(name)));
  if (idle !== undefined)
    fail("run --only", "the name of a trial or a pattern of such", `'${idle}'`, names.join(", "));
  return items.filter(({ name }) => matchers.some((each) => each.test(name)));
}
