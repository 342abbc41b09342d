// Builders for element-by-element operations; broadcasting is NumPy's and is undone in autodiff, not here.
import { check } from "../base/errors.js";
import { broadcastShapes, sameShape } from "../base/shape.js";
import type { DType } from "../base/tensor.js";
import {
  apply,
  argument,
  checkFloat,
  type Attributes,
  type Node,
  type Operand,
  type OpNode,
} from "../graph/node.js";
import { operation, type Emitter, type Operation, type Sample } from "../graph/op.js";
import { broadcastData } from "./arrays.js";
import { repeatedNumber } from "./reshape.js";

type Interval = readonly [low: number, high: number];
type UnaryDerivative = (g: Node, x: Node, y: OpNode) => Node;
type BinaryDerivative = (g: Node, x: Node, y: Node, z: OpNode) => readonly (Node | null)[];

export interface UnaryRule {
  /** The ONNX operator, or a rule that writes several. */
  readonly onnx: string | ((emit: Emitter, x: string) => string);
  readonly evaluate: (x: number) => number;
  /** g · ∂y/∂x; null where the derivative is zero everywhere. */
  readonly derivative: UnaryDerivative | null;
  /** The same value by a cheaper node, given the operand; or null. */
  readonly simplify?: (x: Node) => Node | null;
  /** The same value in operations that graphics cards have. */
  readonly narrow?: (x: Node) => Node;
  /** Where the contract suite samples it; default [[-2, 2]]. */
  readonly domain?: readonly Interval[];
}

type Unary = (x: Operand) => Node;
export type UnaryOperation = Operation<Unary>;

/** An element-wise function of one float32 tensor. */
export function unary(name: string, rule: UnaryRule): UnaryOperation {
  const { derivative } = rule;
  const sample: Sample = { shape: [2, 3], ...(rule.domain && { domain: rule.domain }) };
  return operation<Attributes, Unary>(
    {
      name,
      infer: (inputs) => {
        const x = argument(inputs, 0);
        checkFloat(name, x);
        return { dtype: "float32", shape: x.shape };
      },
      evaluate: (inputs) => argument(inputs, 0).data.map(rule.evaluate),
      derivative: derivative && ((g, node) => [derivative(g, argument(node.inputs, 0), node)]),
      lower: (emit, inputs) =>
        typeof rule.onnx === "string" ? emit.node(rule.onnx, inputs) : rule.onnx(emit, argument(inputs, 0)),
      vectorize: "elementwise",
      ...(rule.narrow && { narrow: ({ inputs }) => rule.narrow?.(argument(inputs, 0)) ?? null }),
      ...(rule.simplify && { simplify: ({ inputs }) => rule.simplify?.(argument(inputs, 0)) ?? null }),
      examples: [{ inputs: [sample], attributes: {} }],
      rejects: [
        {
          inputs: [{ shape: [2], dtype: "int32" }],
          attributes: {},
          message: `${name}: expected a float32 tensor, got int32`,
        },
      ],
    },
    (make) => (x) => make([x], {}),
  );
}

export interface BinaryRule {
  readonly onnx: string | ((emit: Emitter, inputs: readonly string[]) => string);
  readonly evaluate: (x: number, y: number) => number;
  readonly derivative: BinaryDerivative | null;
  /** Where the contract suite samples each operand; default [[-2, 2]]. */
  readonly domains?: readonly [readonly Interval[], readonly Interval[]];
  /** The operand e for which x ∘ e = x (e.g. 0 for add), removed by simplification. */
  readonly identity?: number;
  /** Whether e ∘ x = x too. */
  readonly commutes?: boolean;
  /** The same value by cheaper nodes, given the operands; or null. */
  readonly simplify?: (x: Node, y: Node, node: OpNode) => Node | null;
  /** The same value in operations that graphics cards have. */
  readonly narrow?: (x: Node, y: Node) => Node;
  /** The same value with operands that nothing else uses taken into the node, or null. */
  readonly fuse?: (node: OpNode, single: (input: Node) => boolean) => Node | null;
  /** Dtype of the operands and of the result; default float32 for both. */
  readonly operands?: DType;
  readonly result?: DType;
}

type Binary = (x: Operand, y: Operand) => Node;
const isNumber = (node: Node, value: number | undefined): boolean =>
  node.kind === "constant" &&
  value !== undefined &&
  node.value.data.length === 1 &&
  node.value.data[0] === value;

/** n ∘ n′ repeated afterwards, for a repeated number and a number. */
function numbersFirst({ op, inputs, shape, attributes }: OpNode): Node | null {
  const numbers = inputs.map((part) => repeatedNumber(part) ?? part);
  const repeated = inputs.find((part) => repeatedNumber(part) !== null);
  if (repeated?.kind !== "op" || numbers.some((number) => number.shape.length > 0)) return null;
  return apply(repeated.op, [apply(op, numbers, attributes)], { shape });
}

/** x ∘ e → x, and operands that need not be repeated because the other one has the result's shape already. */
function simplifyBinary(node: OpNode, rule: BinaryRule): Node | null {
  const [x, y] = [argument(node.inputs, 0), argument(node.inputs, 1)];
  if (isNumber(y, rule.identity) && sameShape(x.shape, node.shape)) return x;
  if (rule.commutes === true && isNumber(x, rule.identity) && sameShape(y.shape, node.shape)) return y;
  const bare = (part: Node, other: Node): Node =>
    part.kind === "op" && part.op.repeats === true && sameShape(other.shape, node.shape)
      ? argument(part.inputs, 0)
      : part;
  const [p, q] = [bare(x, y), bare(y, x)];
  if (p !== x) return apply(node.op, [p, y], node.attributes);
  return q === y
    ? (numbersFirst(node) ?? rule.simplify?.(x, y, node) ?? null)
    : apply(node.op, [x, q], node.attributes);
}

export type BinaryOperation = Operation<Binary>;

/** An element-wise function of two tensors of the same dtype, with broadcasting. */
export function binary(name: string, rule: BinaryRule): BinaryOperation {
  const { derivative } = rule;
  const dtype = rule.operands ?? "float32";
  const sample = (shape: readonly number[], i: 0 | 1): Sample => ({
    shape,
    dtype,
    ...(rule.domains && { domain: rule.domains[i] }),
  });
  const pair = (a: readonly number[], b: readonly number[]) => ({
    inputs: [sample(a, 0), sample(b, 1)],
    attributes: {},
  });
  return operation<Attributes, Binary>(
    {
      name,
      infer: (inputs) => {
        const [x, y] = [argument(inputs, 0), argument(inputs, 1)];
        for (const type of [x, y]) check(type.dtype === dtype, name, `${dtype} tensors`, () => type.dtype);
        return { dtype: rule.result ?? dtype, shape: broadcastShapes(name, x.shape, y.shape) };
      },
      evaluate: (inputs, _, shape) => {
        const y = broadcastData(argument(inputs, 1), shape);
        return broadcastData(argument(inputs, 0), shape).map((x, i) => rule.evaluate(x, y[i] ?? NaN));
      },
      derivative:
        derivative && ((g, node) => derivative(g, argument(node.inputs, 0), argument(node.inputs, 1), node)),
      lower: (emit, inputs) =>
        typeof rule.onnx === "string" ? emit.node(rule.onnx, inputs) : rule.onnx(emit, inputs),
      vectorize: "elementwise",
      ...(rule.narrow && {
        narrow: ({ inputs }) => rule.narrow?.(argument(inputs, 0), argument(inputs, 1)) ?? null,
      }),
      simplify: (node) => simplifyBinary(node, rule),
      ...(rule.commutes && { commutes: true }),
      ...(rule.fuse && { fuse: rule.fuse }),
      examples: [pair([2, 3], [2, 3]), pair([2, 1, 3], [4, 1]), pair([3], [])],
      rejects: [
        {
          ...pair([2], [3]),
          message: `${name}: expected shapes that broadcast, got [2] and [3]`,
        },
      ],
    },
    (make) => (x, y) => make([x, y], {}),
  );
}
