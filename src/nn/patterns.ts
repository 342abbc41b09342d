// Names chosen by patterns: `*` stands for any text.
import { check } from "../base/errors.js";

/** Whether `name` fits `pattern`, whose `*` stands for what the regular expression `any` takes. */
function matches(pattern: string, name: string, any = ".*"): boolean {
  const escaped = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(any)}$`, "s").test(name);
}

/** Those of `names` that fit, `*` standing for any text without a dot: `block*.relu2` goes no deeper into blocks. */
export const fitting = (pattern: string, names: readonly string[]): string[] =>
  names.filter((name) => matches(pattern, name, "[^.]*"));

const literal = (pattern: string): number => pattern.replaceAll("*", "").length;

/** Letters that the best fitting pattern spells out, or −1 where none fits. */
const fit = (patterns: readonly string[], name: string): number =>
  Math.max(-1, ...patterns.filter((pattern) => matches(pattern, name)).map(literal));

/** Throws where a pattern fits none of `names`. */
export function checkPatterns(option: string, patterns: readonly string[], names: readonly string[]): void {
  for (const pattern of patterns)
    check(
      names.some((name) => matches(pattern, name)),
      `${option} '${pattern}'`,
      `a pattern that fits one of: ${names.join(", ")}`,
      () => "none that fits",
    );
}

/** true for what `yes` fits, false for what `no` fits; where both do, the one that spells out more; else `otherwise`. */
export function chosen(
  name: string,
  { yes, no }: { readonly yes: readonly string[]; readonly no: readonly string[] },
  otherwise: boolean,
): boolean {
  const [towards, against] = [fit(yes, name), fit(no, name)];
  return towards === against ? (towards < 0 ? otherwise : false) : towards > against;
}
