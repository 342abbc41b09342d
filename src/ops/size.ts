// Sizes that are known only at run time, and the mean that needs them.
import { multiplyDims, resolveDim, type Dim, type Shape } from "../base/shape.js";
import { toNode, type Node, type Operand } from "../graph/node.js";
import { operation } from "../graph/op.js";
import { mul, div } from "./arithmetic.js";
import { reducedAxes, sum, type ReduceOptions } from "./reduce.js";

/** A dimension as a float32 scalar: `size([d])` is d, for the batch size of the run. */
export const size = operation<{ shape: Shape }, (shape: Shape) => Node>(
  {
    name: "size",
    infer: () => ({ dtype: "float32", shape: [] }),
    evaluate: (_, { shape }, _shape, batch) =>
      Float64Array.of(shape.reduce<number>((n, d) => n * resolveDim(d, batch), 1)),
    derivative: null,
    lower: (emit, _, { attributes: { shape } }) =>
      emit.cast(emit.node("ReduceProd", [emit.shape(shape)], { keepdims: 0 }), "float32"),
    vectorize: "elementwise",
    examples: [{ inputs: [], attributes: { shape: [{ batch: 2, plus: 1 }, 3] } }],
    rejects: [],
  },
  (make) => (shape) => make([], { shape }),
);

/** 0, 1, … below a dimension, as float32 [d]: positions in the batch of the run. */
export const range = operation<{ shape: Shape }, (size: Dim) => Node>(
  {
    name: "range",
    infer: (_, { shape }) => ({ dtype: "float32", shape }),
    evaluate: (_, _attributes, shape) => Float64Array.from({ length: shape[0] ?? 0 }, (_, i) => i),
    derivative: null,
    lower: (emit, _, { attributes: { shape } }) => {
      const end = emit.node("ReduceProd", [emit.shape(shape)], { keepdims: 0 });
      const [zero, one] = [0, 1].map((n) => emit.constant([n], "int64", []));
      return emit.cast(emit.node("Range", [zero ?? "", end, one ?? ""]), "float32");
    },
    vectorize: "elementwise",
    examples: [{ inputs: [], attributes: { shape: [{ batch: 2, plus: 1 }] } }],
    rejects: [],
  },
  (make) => (size) => make([], { shape: [size] }),
);

/** The mean over `axes` (default all). */
export function mean(x: Operand, options: ReduceOptions = {}): Node {
  const node = toNode(x);
  const axes = reducedAxes("mean", node.shape.length, options);
  const n = axes.map((axis) => node.shape[axis] ?? 1).reduce((a, d) => multiplyDims(a, d), 1);
  const total = sum(node, options);
  return typeof n === "number" ? mul(total, 1 / n) : div(total, size([n]));
}
