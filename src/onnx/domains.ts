// Which operators are known, by domain: the standard one, scikit-learn's exports, ONNX Runtime's own.
import { fail, failUnknown, TemperError } from "../base/errors.js";
import type { Builder } from "./call.js";
import * as standard from "./operators/index.js";
import * as learning from "./operators/learning.js";
import * as microsoft from "./operators/microsoft.js";
import type { OnnxNode } from "./read.js";
import { refusals } from "./refusals.js";

type Table = ReadonlyMap<string, Builder>;
const domains: ReadonlyMap<string, Table> = new Map<string, Table>([
  ["", new Map<string, Builder>(Object.entries(standard))],
  ["ai.onnx.ml", new Map<string, Builder>(Object.entries(learning))],
  ["com.microsoft", new Map<string, Builder>(Object.entries(microsoft))],
]);

const namesIn = (table: Table): readonly string[] => [...table.keys()].sort();

/** Names of the ONNX operators that can be read, those outside the standard domain as `domain.Name`. */
export const knownOperators: readonly string[] = [...domains].flatMap(([domain, table]) =>
  namesIn(table).map((name) => (domain === "" ? name : `${domain}.${name}`)),
);

/** The builder of a node's operator; throws where it is refused or not known. */
export function builderOf({ domain, operator, name, outputs }: OnnxNode): Builder {
  const where = `node '${name || (outputs[0] ?? "")}'`;
  const table = domains.get(domain);
  if (table === undefined) {
    const known = [...domains.keys()].map((each) => each || "ai.onnx").join(", ");
    return fail(where, "an operator of a known domain", `${domain}.${operator}`, known);
  }
  const reason = domain === "" ? refusals[operator] : undefined;
  if (reason !== undefined) throw new TemperError(`${where}: operator '${operator}' is refused: ${reason}`);
  return table.get(operator) ?? failUnknown(where, "operator", operator, namesIn(table));
}
