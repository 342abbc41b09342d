// Nodes of the graph: immutable, each one output, made only by operations (op.ts).
import { check, fail } from "../base/errors.js";
import { formatShape, type Shape } from "../base/shape.js";
import { scalar, type DType, type Tensor } from "../base/tensor.js";
import type { Op } from "./op.js";

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

export type Attribute = number | boolean | string | readonly number[] | Shape | Tensor;
export type Attributes = Readonly<Record<string, Attribute>>;

interface AnyNode extends TensorType {
  /** The innermost names under which the node was made (`scope`), for printing and profiling. */
  readonly scope: string;
}

/** A value the caller supplies at run time. */
export interface InputNode extends AnyNode {
  readonly kind: "input";
  readonly name: string;
}

/** A value known when the graph is built. */
export interface ConstantNode extends AnyNode {
  readonly kind: "constant";
  readonly value: Tensor;
}

/** The result of an operation on other nodes. */
export interface OpNode extends AnyNode {
  readonly kind: "op";
  readonly op: Op;
  readonly inputs: readonly Node[];
  readonly attributes: Attributes;
}

export type Node = InputNode | ConstantNode | OpNode;

/** Where a function takes a node, a plain number stands for a float32 constant. */
export type Operand = Node | number;

let currentScope = "";

/** Runs `build`; the nodes it makes carry `path` itself, whatever is open: what a node becomes stays under its name. */
export function scopeAs<T>(path: string, build: () => T): T {
  const outer = currentScope;
  currentScope = path;
  try {
    return build();
  } finally {
    currentScope = outer;
  }
}

/** `name` behind `path`. */
const behind = (path: string, name: string): string => (path === "" ? name : `${path}/${name}`);

/** Runs `build`; the nodes it makes carry `name` behind the scopes already open. */
export const scope = <T>(name: string, build: () => T): T => scopeAs(behind(currentScope, name), build);

/** The same, behind the scope of `node`. */
export const scopeBehind = <T>(node: Node, name: string, build: () => T): T =>
  scopeAs(behind(node.scope, name), build);

/** A graph input; `name` is its name in the ONNX file. */
export const input = (name: string, shape: Shape, dtype: DType = "float32"): InputNode => ({
  kind: "input",
  name,
  dtype,
  shape,
  scope: currentScope,
});

/** A constant; a number is a float32 scalar. */
export function constant(value: Tensor | number): ConstantNode {
  const held = typeof value === "number" ? scalar(value) : value;
  return { kind: "constant", value: held, dtype: held.dtype, shape: held.shape, scope: currentScope };
}

export const toNode = (operand: Operand): Node => (typeof operand === "number" ? constant(operand) : operand);

/** A node of `op`; its type follows from the shape rule, which throws on bad arguments. */
export function apply(op: Op, operands: readonly Operand[], attributes: Attributes): OpNode {
  const inputs = operands.map(toNode);
  const { dtype, shape } = op.infer(inputs, attributes);
  return { kind: "op", op, inputs, attributes, dtype, shape, scope: currentScope };
}

export const inputsOf = (node: Node): readonly Node[] => (node.kind === "op" ? node.inputs : []);

/** `inputs[index]`, which the shape rule has made sure of. */
export function argument<T>(inputs: readonly T[], index: number): T {
  const found = inputs[index];
  if (found === undefined) fail("operation", `at least ${index + 1} inputs`, String(inputs.length));
  return found;
}

/** Throws unless `node` is a float32 tensor of `rank` (any rank when absent). */
export function checkFloat(where: string, type: TensorType, rank?: number): void {
  check(type.dtype === "float32", where, "a float32 tensor", () => type.dtype);
  if (rank !== undefined)
    check(type.shape.length === rank, where, `a tensor of rank ${rank}`, () => formatShape(type.shape));
}
