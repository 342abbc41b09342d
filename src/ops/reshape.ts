// reshape: the same elements in row-major order under another shape.
import { check } from "../base/errors.js";
import { formatShape, sameDim, sameShape, sizeOf, type Shape } from "../base/shape.js";
import { apply, argument, toNode, type Node, type Operand } from "../graph/node.js";
import { operation, type Emitter, type Operation } from "../graph/op.js";

/** Reshapes to `shape`, of which at most one size depends on the batch. */
export const emitReshape = (emit: Emitter, value: string, shape: Shape): string => {
  const sizes = shape.map((d) => (typeof d === "number" ? d : -1));
  return emit.node("Reshape", [value, emit.constant(sizes, "int64")]);
};

/** n as a scalar where x is n repeated, else null. */
export function repeatedNumber(x: Node): Node | null {
  if (x.kind !== "op" || x.op.repeats !== true) return null;
  const from = argument(x.inputs, 0);
  return from.shape.every((d) => d === 1) ? reshape(from, []) : null;
}

type Reshape = (x: Operand, shape: Shape) => Node;

/** The elements of x as `shape` (same number for every batch size). Derivative: reshaped back. */
export const reshape: Operation<Reshape> = operation<{ shape: Shape }, Reshape>(
  {
    name: "reshape",
    infer: (inputs, { shape }) => {
      const x = argument(inputs, 0);
      const fits = sameDim(sizeOf(x.shape), sizeOf(shape));
      check(fits, "reshape", `as many elements as ${formatShape(shape)}`, () => formatShape(x.shape));
      return { dtype: x.dtype, shape };
    },
    evaluate: (inputs) => argument(inputs, 0).data,
    derivative: (g, { inputs }) => [reshape(g, argument(inputs, 0).shape)],
    lower: (emit, inputs, { attributes: { shape } }) => {
      const inferred = shape.map((d) => (typeof d === "number" ? d : -1));
      const oneOpen = inferred.filter((d) => d === -1).length <= 1 && !inferred.includes(0);
      const target = oneOpen ? emit.constant(inferred, "int64") : emit.shape(shape);
      return emit.node("Reshape", [argument(inputs, 0), target]);
    },
    simplify: ({ inputs, attributes: { shape } }) => {
      const x = argument(inputs, 0);
      if (x.kind !== "op") return null;
      const number = repeatedNumber(x);
      if (number !== null) return shape.length === 0 ? number : apply(x.op, [number], { shape });
      return x.op === reshape.op ? reshape(argument(x.inputs, 0), shape) : null;
    },
    vectorize: ({ attributes: { shape } }, inputs, rows) =>
      reshape(argument(inputs, 0).node, [rows, ...shape]),
    examples: [
      { inputs: [{ shape: [2, 6] }], attributes: { shape: [3, 4] } },
      {
        inputs: [{ shape: [{ batch: 2, plus: 0 }, 3] }],
        attributes: { shape: [2, { batch: 1, plus: 0 }, 3] },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 3] }],
        attributes: { shape: [4] },
        message: "reshape: expected as many elements as [4], got [2, 3]",
      },
    ],
  },
  (make) => (x, shape) => {
    const node = toNode(x);
    return sameShape(node.shape, shape) ? node : make([node], { shape });
  },
);
