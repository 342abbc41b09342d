// YAML files with typed keys: what is wrong is said with file, line and column.
import { isMap, isNode, isPair, LineCounter, parseDocument, type Document } from "yaml";
import { TemperError } from "../base/errors.js";
import { OptionError } from "../base/options.js";

/** Line and column of the key (or value) at `path`. */
function positionOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): string {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = document.getIn(path.slice(0, length - 1), true) ?? document.contents;
    const key = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && String(item.key) === String(key))
      : null;
    const node: unknown = pair?.key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) {
      const { line, col } = lines.linePos(node.range[0]);
      return `${line}:${col}`;
    }
  }
  return "1:1";
}

/** What `read` makes of the YAML in `text`; its OptionErrors and errors of syntax begin with file:line:column. */
export function readYaml<T>(text: string, file: string, read: (data: unknown) => T): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [syntax] = document.errors;
  if (syntax) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    throw new TemperError(
      `${file}:${line}:${col}: ${(syntax.message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, "")}`,
    );
  }
  try {
    return read(document.toJS());
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new TemperError(`${file}:${positionOf(document, lines, error.path)}: ${error.message}`);
  }
}
