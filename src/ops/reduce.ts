// sum and broadcastTo: each the other's adjoint.
import { check, fail } from "../base/errors.js";
import {
  broadcastShapes,
  formatShape,
  resolveAxis,
  sameShape,
  stridesOf,
  type Shape,
} from "../base/shape.js";
import { argument, checkFloat, toNode, type Node, type Operand, type OpNode } from "../graph/node.js";
import { operation, type Operation } from "../graph/op.js";
import { add, mul, neg } from "./arithmetic.js";
import { broadcastData, walk } from "./arrays.js";
import { reshape } from "./reshape.js";

export interface ReduceOptions {
  /** Axes to reduce (negative counts from the end); default all. */
  readonly axes?: readonly number[];
  /** Keep the reduced axes with size 1; default false. */
  readonly keepDims?: boolean;
}

/** The axes of `options`, resolved and sorted. */
export function reducedAxes(where: string, rank: number, options: ReduceOptions): number[] {
  const axes = options.axes ?? Array.from({ length: rank }, (_, i) => i);
  const resolved = [...new Set(axes.map((axis) => resolveAxis(where, axis, rank)))].sort((a, b) => a - b);
  check(resolved.length === axes.length, where, "different axes", () => axes.join(", "));
  return resolved;
}

/** The cotangent `g` of a reduction, with its reduced axes put back as size 1. */
function restoreAxes(g: Node, shape: Shape, axes: readonly number[]): Node {
  return reshape(
    g,
    shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  );
}

/** Whether x, broadcast to `rank` axes, is the same along `axes`. */
const isConstantAlong = (x: Node, axes: readonly number[], rank: number): boolean =>
  axes.every((axis) => (x.shape[axis - rank + x.shape.length] ?? 1) === 1);

/** x, broadcast to `rank` axes, without `axes`, along which it is constant. */
function dropAxes(x: Node, axes: readonly number[], rank: number): Node {
  const full = [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape];
  return reshape(
    x,
    full.filter((_, axis) => !axes.includes(axis)),
  );
}

/** Whether the sum of x over `axes` is 0 whatever its inputs are. */
const sumsToZero = (x: Node, axes: readonly number[]): boolean =>
  x.kind === "op" && x.op.sumsToZero?.(x, axes) === true;

/** What is multiplied in x. */
const factorsOf = (x: Node): readonly Node[] =>
  x.kind === "op" && x.op === mul.op ? x.inputs.flatMap(factorsOf) : [x];

/** Σ −x → −Σ x, and factors that are constant along the summed axes leave the sum. Kept axes are put back last. */
function simplifySum(node: OpNode, axes: readonly number[], keepDims: boolean): Node | null {
  const x = argument(node.inputs, 0);
  const rank = x.shape.length;
  if (axes.length === 0) return null;
  if (keepDims) return reshape(sum(x, { axes }), node.shape);
  if (x.kind !== "op") return null;
  if (sumsToZero(x, axes)) return broadcastTo(0, node.shape);
  const [a, b] = x.inputs;
  if (x.op === add.op && a !== undefined && b !== undefined && sameShape(a.shape, b.shape)) {
    if (sumsToZero(a, axes)) return sum(b, { axes });
    if (sumsToZero(b, axes)) return sum(a, { axes });
  }
  if (x.op === neg.op && a !== undefined) return neg(sum(a, { axes }));
  const factors = factorsOf(x);
  const outside = factors.filter((factor) => isConstantAlong(factor, axes, rank));
  const inside = factors.filter((factor) => !outside.includes(factor));
  const rest = inside.reduce((product, factor) => mul(product, factor), toNode(1));
  if (outside.length === 0 || !sameShape(rest.shape, x.shape)) return null;
  return outside.reduce((product, factor) => mul(product, dropAxes(factor, axes, rank)), sum(rest, { axes }));
}

type Sum = (x: Operand, options?: ReduceOptions) => Node;
type BroadcastTo = (x: Operand, shape: Shape) => Node;

/** Σ over `axes`: [.., n, ..] → [.., ..]. Derivative: the cotangent, broadcast. */
export const sum: Operation<Sum> = operation<{ axes: readonly number[]; keepDims: boolean }, Sum>(
  {
    name: "sum",
    infer: (inputs, { axes, keepDims }) => {
      const { shape, ...x } = argument(inputs, 0);
      checkFloat("sum", { shape, ...x });
      const resolved = reducedAxes("sum", shape.length, { axes });
      const kept = keepDims
        ? shape.map((d, i) => (resolved.includes(i) ? 1 : d))
        : shape.filter((_, i) => !resolved.includes(i));
      return { dtype: "float32", shape: kept };
    },
    evaluate: (inputs, { axes }, shape) => {
      const x = argument(inputs, 0);
      const out = new Float64Array(shape.reduce((a, b) => a * b, 1));
      const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
      const strides = stridesOf(kept).map((s, i) => (axes.includes(i) ? 0 : s));
      walk(x.shape, strides, (i, offset) => {
        out[offset] = (out[offset] ?? 0) + (x.data[i] ?? 0);
      });
      return out;
    },
    derivative: (g, { inputs, attributes: { axes } }) => {
      const { shape } = argument(inputs, 0);
      return [broadcastTo(restoreAxes(g, shape, axes), shape)];
    },
    lower: (emit, inputs, { attributes: { axes, keepDims } }) =>
      axes.length === 0
        ? emit.node("Identity", inputs)
        : emit.node("ReduceSum", [argument(inputs, 0), emit.constant(axes, "int64")], {
            keepdims: keepDims ? 1 : 0,
          }),
    simplify: (node) => simplifySum(node, node.attributes.axes, node.attributes.keepDims),
    vectorize: ({ attributes: { axes, keepDims } }, inputs) =>
      sum(argument(inputs, 0).node, { axes: axes.map((axis) => axis + 1), keepDims }),
    examples: [
      { inputs: [{ shape: [2, 3, 4] }], attributes: { axes: [0, 2], keepDims: false } },
      { inputs: [{ shape: [2, 3] }], attributes: { axes: [1], keepDims: true } },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 3] }],
        attributes: { axes: [2], keepDims: false },
        message: "sum: expected an axis of a tensor of rank 2, got 2 (allowed: -2 to 1)",
      },
    ],
  },
  (make) =>
    (x, options = {}) => {
      const node = toNode(x);
      const axes = reducedAxes("sum", node.shape.length, options);
      return make([node], { axes, keepDims: options.keepDims ?? false });
    },
);

/** x repeated to `shape` under broadcasting. Derivative: the cotangent, summed back (autodiff undoes it). */
export const broadcastTo: Operation<BroadcastTo> = operation<{ shape: Shape }, BroadcastTo>(
  {
    name: "broadcastTo",
    infer: (inputs, { shape }) => {
      const x = argument(inputs, 0);
      if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape))
        fail("broadcastTo", `a tensor that broadcasts to ${formatShape(shape)}`, formatShape(x.shape));
      return { dtype: x.dtype, shape };
    },
    evaluate: (inputs, _, shape) => broadcastData(argument(inputs, 0), shape),
    derivative: (g) => [g],
    lower: (emit, inputs, { attributes: { shape } }) =>
      emit.node("Expand", [argument(inputs, 0), emit.shape(shape)]),
    vectorize: ({ attributes: { shape } }, inputs, rows) => {
      const { node } = argument(inputs, 0);
      const [lead = 1, ...rest] = node.shape;
      const padded = [lead, ...shape.slice(rest.length).map(() => 1), ...rest];
      return broadcastTo(reshape(node, padded), [rows, ...shape]);
    },
    repeats: true,
    examples: [
      { inputs: [{ shape: [3, 1] }], attributes: { shape: [2, 3, 4] } },
      { inputs: [{ shape: [] }], attributes: { shape: [2, 2] } },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 3] }],
        attributes: { shape: [3] },
        message: "broadcastTo: expected a tensor that broadcasts to [3], got [2, 3]",
      },
    ],
  },
  (make) => (x, shape) => {
    const node = toNode(x);
    return sameShape(node.shape, shape) ? node : make([node], { shape });
  },
);
