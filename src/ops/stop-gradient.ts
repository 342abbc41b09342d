// A barrier for derivatives: the value passes, nothing flows back.
import { argument, type Attributes, type Node, type Operand } from "../graph/node.js";
import { operation } from "../graph/op.js";

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
