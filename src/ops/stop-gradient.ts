// A barrier for derivatives: the value passes, nothing flows back.
import { argument, toNode, type Attributes, type Node, type Operand } from "../graph/node.js";
import { operation } from "../graph/op.js";
import { add, sub } from "./arithmetic.js";

/** x, counted as a constant by differentiation. Costs nothing at run time. */
export const stopGradient = operation<Attributes, (x: Operand) => Node>(
  {
    name: "stopGradient",
    infer: (inputs) => argument(inputs, 0),
    evaluate: (inputs) => argument(inputs, 0).data,
    derivative: null,
    lower: (_, inputs) => argument(inputs, 0),
    vectorize: "elementwise",
    // Once differentiation is over the barrier is only in the way of sharing.
    simplify: ({ inputs }) => argument(inputs, 0),
    examples: [{ inputs: [{ shape: [2, 3] }], attributes: {} }],
    rejects: [],
  },
  (make) => (x) => make([x], {}),
);

/** The value of y with the derivative of x, y being x after a step without one, such as rounding (Bengio et al. 2013). */
export function straightThrough(x: Operand, y: Operand): Node {
  return add(x, stopGradient(sub(toNode(y), x)));
}
