// Plain text in columns.
import { bytesText } from "../base/bytes-text.js";

/** `text` in lines of at most `width` letters, broken at spaces; a longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((each) => each !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** `left  right` with `right` wrapped in a column of its own from `column` on. */
export function entry(left: string, right: string, column: number, width: number): string {
  const [first = "", ...rest] = wrap(right, width - column);
  const lines = left.length + 2 > column ? [left, first, ...rest] : [left.padEnd(column) + first, ...rest];
  return lines.map((line, i) => (i === 0 ? line : " ".repeat(column) + line).trimEnd()).join("\n");
}

/** Rows of `name  value`, the values below one another. */
export function pairs(rows: readonly (readonly [name: string, value: string])[], width: number): string {
  const column = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => entry(name, value, column, width)).join("\n");
}

/** What a defence that moves the stored inputs takes. */
export const movingInputsText = (bytes: number): string =>
  `keeps moving inputs: ${bytesText(bytes)} in memory and in saved states`;

/** `text` as one word of a command line, in quotes where it needs them. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
