// Comparison, logic, selection and casts. Results of comparisons are boolean and carry no derivative.
import { check, fail } from "../base/errors.js";
import { broadcastShapes } from "../base/shape.js";
import type { DType } from "../base/tensor.js";
import { argument, toNode, type Attributes, type Node, type Operand } from "../graph/node.js";
import { operation } from "../graph/op.js";
import { add, mul, sub } from "./arithmetic.js";
import { broadcastData } from "./arrays.js";
import { binary, type BinaryOperation, type BinaryRule } from "./elementwise.js";

const comparison = (
  name: string,
  onnx: string,
  evaluate: (x: number, y: number) => boolean,
  operands: DType = "float32",
  more: Pick<BinaryRule, "narrow"> = {},
): BinaryOperation =>
  binary(name, {
    onnx,
    evaluate: (x, y) => (evaluate(x, y) ? 1 : 0),
    derivative: null,
    operands,
    result: "bool",
    ...(operands === "int32" && { domains: [[[0, 2]], [[0, 2]]] }),
    ...(operands === "bool" && { domains: [[[0, 1]], [[0, 1]]] }),
    ...more,
  });

/** x > y. */
export const greater = comparison("greater", "Greater", (x, y) => x > y);
/** x ≥ y. */
export const greaterEqual = comparison("greaterEqual", "GreaterOrEqual", (x, y) => x >= y);
/** x < y. */
export const less = comparison("less", "Less", (x, y) => x < y);
/** x ≤ y. */
export const lessEqual = comparison("lessEqual", "LessOrEqual", (x, y) => x <= y);
/** x = y, of float32 tensors. */
export const equal = comparison("equal", "Equal", (x, y) => x === y);
/** x = y, of int32 tensors (labels, indices). */
export const sameIndex = comparison("sameIndex", "Equal", (x, y) => x === y, "int32");
/** x and y, of boolean tensors. */
export const and = comparison("and", "And", (x, y) => x !== 0 && y !== 0, "bool");
/** x or y, of boolean tensors. */
export const or = comparison("or", "Or", (x, y) => x !== 0 || y !== 0, "bool", {
  narrow: (x, y) => greater(add(cast(x, "float32"), cast(y, "float32")), 0),
});

const castable: readonly DType[] = ["float32", "int32", "int64", "uint8", "bool"];

/** x in another dtype (to whole numbers: towards zero; to bool: x ≠ 0). Derivative: 0. */
export const cast = operation<{ dtype: string }, (x: Operand, dtype: DType) => Node>(
  {
    name: "cast",
    infer: (inputs, { dtype }) => {
      const known = castable.find((candidate) => candidate === dtype);
      if (known === undefined) fail("cast", "a dtype", dtype, castable.join(", "));
      return { dtype: known, shape: argument(inputs, 0).shape };
    },
    evaluate: (inputs, { dtype }) => {
      const { data } = argument(inputs, 0);
      if (dtype === "float32") return data;
      return dtype === "bool" ? data.map((x) => (x === 0 ? 0 : 1)) : data.map(Math.trunc);
    },
    derivative: null,
    lower: (emit, inputs, node) => emit.cast(argument(inputs, 0), node.dtype),
    vectorize: "elementwise",
    examples: [
      { inputs: [{ shape: [2, 2], dtype: "bool", domain: [[0, 1]] }], attributes: { dtype: "float32" } },
      {
        inputs: [
          {
            shape: [4],
            domain: [
              [-2.9, -2.1],
              [1.1, 1.9],
            ],
          },
        ],
        attributes: { dtype: "int32" },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [1] }],
        attributes: { dtype: "float16" },
        message: "cast: expected a dtype, got float16 (allowed: float32, int32, int64, uint8, bool)",
      },
    ],
  },
  (make) => (x, dtype) => {
    const node = toNode(x);
    return node.dtype === dtype ? node : make([node], { dtype });
  },
);

/** x where `condition` holds, else y; with broadcasting. Derivative: the cotangent where each was taken. */
export const where = operation<Attributes, (condition: Operand, x: Operand, y: Operand) => Node>(
  {
    name: "where",
    infer: (inputs) => {
      const [condition, x, y] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
      check(condition.dtype === "bool", "where", "a boolean condition", () => condition.dtype);
      check(x.dtype === y.dtype, "where", "choices of one dtype", () => `${x.dtype} and ${y.dtype}`);
      const choices = broadcastShapes("where", x.shape, y.shape);
      return { dtype: x.dtype, shape: broadcastShapes("where", condition.shape, choices) };
    },
    evaluate: (inputs, _, shape) => {
      const x = broadcastData(argument(inputs, 1), shape);
      const y = broadcastData(argument(inputs, 2), shape);
      return broadcastData(argument(inputs, 0), shape).map((c, i) => (c === 0 ? y[i] : x[i]) ?? NaN);
    },
    derivative: (g, { inputs }) => {
      const taken = cast(argument(inputs, 0), "float32");
      return [null, mul(g, taken), mul(g, sub(1, taken))];
    },
    lower: (emit, inputs) => emit.node("Where", inputs),
    vectorize: "elementwise",
    examples: [
      {
        inputs: [{ shape: [2, 3], dtype: "bool", domain: [[0, 1]] }, { shape: [2, 3] }, { shape: [3] }],
        attributes: {},
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [2] }, { shape: [2] }, { shape: [2] }],
        attributes: {},
        message: "where: expected a boolean condition, got float32",
      },
    ],
  },
  (make) => (condition, x, y) => make([condition, x, y], {}),
);
