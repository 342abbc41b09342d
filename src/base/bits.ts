// Truth values in eighths of a byte, as text.
import { check } from "./errors.js";

/** Base64 of ⌈n / 8⌉ bytes: value i is bit i mod 8, the lowest first, of byte ⌊i / 8⌋. */
export function bitsToText(values: ArrayLike<number>): string {
  const bytes = new Uint8Array(Math.ceil(values.length / 8));
  for (let i = 0; i < values.length; i++)
    if (values[i] !== 0) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  return Buffer.from(bytes).toString("base64");
}

/** The `n` values, 0 or 1, that `bitsToText` wrote; `where` begins the message where there are not so many. */
export function bitsOfText(where: string, text: string, n: number): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  check(bytes.length === Math.ceil(n / 8), where, `${n} bits`, () => `${bytes.length} bytes`);
  return Uint8Array.from({ length: n }, (_, i) => ((bytes[i >> 3] ?? 0) >> (i & 7)) & 1);
}
