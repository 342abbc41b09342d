// Arithmetic, element by element; whole numbers that are known (sizes) are worked out at once.
import { addDims, multiplyDims, type Dim } from "../../base/shape.js";
import { constant, type Node, type Operand } from "../../graph/node.js";
import {
  abs,
  add,
  cos,
  div,
  erf,
  exp,
  floor,
  log,
  mul,
  neg,
  pow,
  round,
  sign,
  sin,
  sqrt,
  sub,
} from "../../ops/index.js";
import { maximum, minimum } from "../../ops/index.js";
import type { Builder } from "../call.js";
import { divideKnown, foldOperator, onNumbers, unaryOperator } from "../combine.js";
import { combined } from "../value.js";

const negative = (d: Dim): Dim => multiplyDims(d, -1);

export const Add = foldOperator(add, addDims);
export const Sub = foldOperator(sub, (x, y) => addDims(x, negative(y)));
export const Mul = foldOperator(mul, multiplyDims);
export const Div = foldOperator(div, divideKnown);
export const Sum = foldOperator(add, addDims);
export const Max = foldOperator(maximum, onNumbers("Max", Math.max));
export const Min = foldOperator(minimum, onNumbers("Min", Math.min));

export const Mean: Builder = (call) => {
  call.value(0);
  const nodes = call.values().map((_, i) => call.at(i));
  return mul(
    nodes.reduce((a, b) => add(a, b)),
    1 / nodes.length,
  );
};

export const Neg: Builder = (call) => {
  const x = call.value(0);
  return x.kind === "known" ? combined("Neg", [x], negative) : neg(x);
};

export const Abs = unaryOperator(abs);
export const Sqrt = unaryOperator(sqrt);
export const Exp = unaryOperator(exp);
export const Log = unaryOperator(log);
export const Erf = unaryOperator(erf);
export const Sign = unaryOperator(sign);
export const Floor = unaryOperator(floor);
export const Ceil = unaryOperator((x) => neg(floor(neg(x))));
export const Round = unaryOperator(round);
export const Sin = unaryOperator(sin);
export const Cos = unaryOperator(cos);
export const Tan = unaryOperator((x) => div(sin(x), cos(x)));
export const Sinh = unaryOperator((x) => mul(0.5, sub(exp(x), exp(neg(x)))));
export const Cosh = unaryOperator((x) => mul(0.5, add(exp(x), exp(neg(x)))));
export const Reciprocal = unaryOperator((x) => div(1, x));

/** xⁿ for the exponents that need no logarithm: derivatives hold for negative x and for 0 too. */
function power(x: Node, exponent: number): Node {
  if (exponent === 1) return x;
  if (exponent === 2) return mul(x, x);
  if (exponent === 3) return mul(mul(x, x), x);
  if (exponent === 0.5) return sqrt(x);
  return exponent === -1 ? div(1, x) : pow(x, constant(exponent));
}

export const Pow: Builder = (call) => {
  const [x, y] = [call.at(0), call.at(1)];
  const single = y.kind === "constant" && y.value.data.length === 1 && y.shape.length <= x.shape.length;
  return single ? power(x, Number(y.value.data[0])) : pow(x, y);
};

/** x − ⌊x/y⌋·y: the sign of y. */
const floorMod = (x: number, y: number): number => x - Math.floor(x / y) * y;

/** The rest of x/y, with the sign of y, or with that of x where `fmod` asks for it. */
export const Mod: Builder = (call) => {
  if (call.int("fmod", 0) === 0)
    return foldOperator((x, y) => sub(x, mul(floor(div(x, y)), y)), onNumbers("Mod", floorMod))(call);
  const rest = (x: Operand, y: Operand): Node => {
    const size = abs(y);
    return mul(sign(x), sub(abs(x), mul(floor(div(abs(x), size)), size)));
  };
  return foldOperator(
    rest,
    onNumbers("Mod", (x, y) => x % y),
  )(call);
};
