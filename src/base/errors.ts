// The one kind of error that users see: where, what was expected, what came, what is allowed.
import { closest } from "./suggest.js";

/** A mistake in the input: one clear line for the user, no stack. */
export class TemperError extends Error {
  override readonly name = "TemperError";
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
