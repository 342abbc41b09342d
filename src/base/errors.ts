// The one kind of error that users see: where, what was expected, what came, what is allowed.
import { closest } from "./suggest.js";

/** `text` on one line: names from damaged files hold characters that are none to read. */
const onOneLine = (text: string): string =>
  text.replace(/\p{Cc}/gu, (c) => `\\x${(c.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`);

/** A mistake in the input: one clear line for the user, no stack. */
export class TemperError extends Error {
  override readonly name = "TemperError";

  constructor(message: string, options?: ErrorOptions) {
    super(onOneLine(message), options);
  }
}

/** Throws `where: expected …, got … (allowed: …)`. */
export function fail(where: string, expected: string, got: string, allowed?: string): never {
  throw new TemperError(
    `${where}: expected ${expected}, got ${got}${allowed ? ` (allowed: ${allowed})` : ""}`,
  );
}

/** Throws unless `holds`; the message is built only then. */
export function check(holds: boolean, where: string, expected: string, got: () => string): asserts holds {
  if (!holds) fail(where, expected, got());
}

/** Throws `where: unknown kind 'got'; did you mean …? (known: …)`. */
export function failUnknown(where: string, kind: string, got: string, known: readonly string[]): never {
  const near = closest(got, known);
  const hint = near === undefined ? "" : ` – did you mean '${near}'?`;
  throw new TemperError(`${where}: unknown ${kind} '${got}'${hint} (known: ${known.join(", ")})`);
}
