// Comparison, logic and selection; worked out at once on known numbers.
import type { Dim } from "../../base/shape.js";
import type { Node, Operand } from "../../graph/node.js";
import { and, cast, equal, greater, greaterEqual, less, lessEqual, or, where } from "../../ops/index.js";
import type { Builder } from "../call.js";
import { foldOperator, onNumbers, unaryOperator } from "../combine.js";
import { asFloat, asNode, combined, equalSizes, type Known } from "../value.js";

/** The largest finite float32. */
const largest = 3.4028234663852886e38;

/** Compares as float32: whole numbers beyond 2²⁴ do not occur in classifiers. */
const asFloats =
  (build: (x: Operand, y: Operand) => Node) =>
  (x: Operand, y: Operand): Node =>
    build(cast(x, "float32"), cast(y, "float32"));

const ordering = (
  name: string,
  build: (x: Operand, y: Operand) => Node,
  f: (x: number, y: number) => boolean,
) =>
  foldOperator(
    asFloats(build),
    onNumbers(name, (x, y) => Number(f(x, y))),
    "bool",
  );

export const Equal = foldOperator(asFloats(equal), (x, y) => Number(equalSizes("Equal", x, y)), "bool");
export const Greater = ordering("Greater", greater, (x, y) => x > y);
export const GreaterOrEqual = ordering("GreaterOrEqual", greaterEqual, (x, y) => x >= y);
export const Less = ordering("Less", less, (x, y) => x < y);
export const LessOrEqual = ordering("LessOrEqual", lessEqual, (x, y) => x <= y);

const asBool =
  (build: (x: Operand, y: Operand) => Node) =>
  (x: Operand, y: Operand): Node =>
    build(cast(x, "bool"), cast(y, "bool"));
export const And = foldOperator(asBool(and), (x, y) => Number(x !== 0 && y !== 0));
export const Or = foldOperator(asBool(or), (x, y) => Number(x !== 0 || y !== 0));

export const Xor = foldOperator(
  (x, y) => equal(cast(equal(cast(x, "float32"), cast(y, "float32")), "float32"), 0),
  (x, y) => Number((x !== 0) !== (y !== 0)),
  "bool",
);

const negated = (x: Node): Node => equal(cast(x, "float32"), 0);

export const IsNaN = unaryOperator((x) => negated(equal(x, x)));

/** Whether x is ∞ or −∞, as far as the node asks for either. */
export const IsInf: Builder = (call) => {
  const x = call.at(0);
  const [above, below] = [greater(x, largest), less(x, -largest)];
  if (call.int("detect_positive", 1) === 0) return below;
  return call.int("detect_negative", 1) === 0 ? above : or(above, below);
};

export const Not: Builder = (call) => {
  const x = call.value(0);
  if (x.kind === "known") return combined("Not", [x], (d) => Number(d === 0));
  return negated(x);
};

export const Where: Builder = (call) => {
  const values = call.values();
  const all = values.filter((value): value is Known => value.kind === "known");
  const pick = (condition: Dim, x: Dim, y: Dim): Dim => (condition === 0 ? y : x);
  const [condition, x, y] = values;
  if (all.length === 3)
    return combined("Where", all, (...[c = 0, a = 0, b = 0]) => pick(c, a, b), all[1]?.dtype ?? "int64");
  return where(asNode(condition ?? call.value(0)), asFloat(x ?? call.value(1)), asFloat(y ?? call.value(2)));
};
