// log-softmax over the last axis, written as one op because the naive form overflows.
import { argument, checkFloat, type Attributes, type Node, type Operand } from "../graph/node.js";
import { operation, type Operation } from "../graph/op.js";
import { mul, sub } from "./arithmetic.js";
import { exp, log } from "./exponential.js";
import { reduceMax } from "./indexing.js";
import { sum } from "./reduce.js";

type Unary = (x: Operand) => Node;

/** xᵢ − ln Σⱼ exp xⱼ over the last axis. Derivative: g − softmax(x)·Σg. */
export const logSoftmax: Operation<Unary> = operation<Attributes, Unary>(
  {
    name: "logSoftmax",
    infer: (inputs) => {
      const x = argument(inputs, 0);
      checkFloat("logSoftmax", x);
      return { dtype: "float32", shape: x.shape };
    },
    evaluate: (inputs) => {
      const { data, shape } = argument(inputs, 0);
      const columns = shape.at(-1) ?? 1;
      const out = new Float64Array(data.length);
      for (let start = 0; start < data.length; start += columns) {
        const row = data.subarray(start, start + columns);
        const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
        const total = Math.log(row.reduce((a, x) => a + Math.exp(x - top), 0)) + top;
        row.forEach((x, i) => (out[start + i] = x - total));
      }
      return out;
    },
    derivative: (g, node) => [sub(g, mul(exp(node), sum(g, { axes: [-1], keepDims: true })))],
    lower: (emit, inputs) => emit.node("LogSoftmax", inputs, { axis: -1 }),
    narrow: ({ inputs }) => {
      const along = { axes: [-1], keepDims: true };
      const x = argument(inputs, 0);
      const below = sub(x, reduceMax(x, along));
      return sub(below, log(sum(exp(below), along)));
    },
    vectorize: (_, inputs) => logSoftmax(argument(inputs, 0).node),
    examples: [{ inputs: [{ shape: [2, 4] }], attributes: {} }],
    rejects: [
      {
        inputs: [{ shape: [2], dtype: "int32" }],
        attributes: {},
        message: "logSoftmax: expected a float32 tensor, got int32",
      },
    ],
  },
  (make) => (x) => make([x], {}),
);

/** exp xᵢ / Σⱼ exp xⱼ over the last axis. */
export const softmax = (x: Operand): Node => exp(logSoftmax(x));
