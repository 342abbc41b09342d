// Builders shared by the operators that work element by element: on known numbers now, on nodes in the graph.
import { fail } from "../base/errors.js";
import { divideDims, formatDim, type Dim } from "../base/shape.js";
import type { DType } from "../base/tensor.js";
import type { Node, Operand } from "../graph/node.js";
import type { Builder } from "./call.js";
import { asFloat, combined, type Known } from "./value.js";

type Unary = (x: Operand) => Node;
type Binary = (x: Operand, y: Operand) => Node;
type OnKnown = (x: Dim, y: Dim) => Dim;

/** An element-wise function of one float tensor. */
export const unaryOperator =
  (build: Unary): Builder =>
  (call) =>
    build(call.at(0));

/** Folds any number of inputs from the left, with broadcasting; `onKnown` where all are known. */
export const foldOperator =
  (build: Binary, onKnown: OnKnown, result?: DType): Builder =>
  (call) => {
    call.value(0);
    const values = call.values();
    const all = values.filter((value): value is Known => value.kind === "known");
    const [first, ...rest] = all;
    if (first === undefined || all.length < values.length) return values.map(asFloat).reduce(build);
    return rest.reduce((a, b) => combined(call.node.operator, [a, b], onKnown, result ?? a.dtype), first);
  };

/** A function of two whole numbers that are both known without the batch size. */
export const onNumbers =
  (where: string, f: (x: number, y: number) => number): OnKnown =>
  (x, y) => {
    if (typeof x === "number" && typeof y === "number") {
      const z = f(x, y);
      return Number.isFinite(z) ? z : fail(where, "a finite result", `${z} of ${x} and ${y}`);
    }
    return fail(where, "numbers that do not depend on the batch", `${formatDim(x)} and ${formatDim(y)}`);
  };

/** x / y of whole numbers, cut towards zero; exact where they depend on the batch. */
export function divideKnown(x: Dim, y: Dim): Dim {
  if (typeof x === "number" && typeof y === "number")
    return y === 0 ? fail("Div", "a divisor other than 0", `${x} / 0`) : Math.trunc(x / y);
  return (
    divideDims(x, y) ??
    fail("Div", "a division that is exact for every batch size", `${formatDim(x)} / ${formatDim(y)}`)
  );
}
