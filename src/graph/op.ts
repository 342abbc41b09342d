// What an operation declares about itself; shared code never asks which operation it has.
import type { Shape } from "../base/shape.js";
import type { DType } from "../base/tensor.js";
import { apply, type Attributes, type Node, type Operand, type OpNode, type TensorType } from "./node.js";

/** A dense array in float64, the interpreter's only currency (whole numbers and booleans as 0, 1, 2 …). */
export interface Array64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Attributes of an ONNX node: numbers and number lists are integers, floats are marked. */
export type OnnxAttribute =
  number | string | readonly number[] | { readonly float: number } | { readonly floats: readonly number[] };

/** What a graph is lowered for. */
export interface Target {
  /** Channels in a block of the engine's own convolutions (`com.microsoft.nchwc`); 0: the standard domain only. */
  readonly block: number;
  /** Filters are constants: ONNX Runtime takes what follows a convolution into it. */
  readonly constantFilters?: boolean;
  /** Operations whose ONNX operators a graphics card lacks are written in their `narrow` form. */
  readonly narrow: boolean;
  /** Bodies of `Loop` run where everything else does; where they do not, the host does the iterating. */
  readonly loops: boolean;
}

/** Any ONNX runtime: what exported files are lowered for. */
export const anyRuntime: Target = { block: 0, narrow: false, loops: true };

/** What a lowering rule may write: plain ONNX nodes and constants; values are named by strings. */
export interface Emitter {
  readonly target: Target;
  /** Adds a node with one output and returns the output's name; a type outside the standard domain is `domain.Type`. */
  node(type: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string;
  /** Adds a node with `outputs` outputs and returns their names. */
  nodes(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): readonly string[];
  /** A constant; a vector of `values` unless `shape` says otherwise. Equal constants are shared. */
  constant(values: readonly number[], dtype: DType, shape?: readonly number[]): string;
  /** An int64 vector holding `shape`, computed at run time where it depends on the batch. */
  shape(shape: Shape): string;
  /** An operator's output cast to `dtype`. */
  cast(value: string, dtype: DType): string;
}

/** How the contract suite may draw one input of an example. */
export interface Sample {
  readonly shape: Shape;
  readonly dtype?: DType;
  /** Intervals to draw from, away from kinks and poles; default [[-2, 2]]. Whole numbers for integer dtypes. */
  readonly domain?: readonly (readonly [low: number, high: number])[];
  /** All elements differ by a clear distance (for maxima). */
  readonly distinct?: boolean;
}

export interface Example {
  readonly inputs: readonly Sample[];
  readonly attributes: Attributes;
}

export interface BadExample extends Example {
  readonly message: string;
}

/** A rule for one extra leading axis on some inputs; see `autodiff/vectorize.ts`. */
export type VectorizeRule = (node: OpNode, inputs: readonly Vectorized[], rows: number) => Node;

/** An input under vectorization: `node` has an extra leading axis of `rows` where `mapped`. */
export interface Vectorized {
  readonly node: Node;
  readonly mapped: boolean;
}

export interface Op {
  readonly name: string;
  /** The result's type; throws what the user reads when the arguments do not fit. */
  infer(inputs: readonly TensorType[], attributes: Attributes): TensorType;
  /** The result in float64, written for clarity; `type` is the resolved result shape. */
  evaluate(
    inputs: readonly Array64[],
    attributes: Attributes,
    shape: readonly number[],
    batch: number,
  ): Float64Array;
  /** Cotangents of the inputs given the result's; null where nothing flows. Constant ops have none. */
  readonly derivative: ((g: Node, node: OpNode) => readonly (Node | null)[]) | null;
  /** Writes ONNX nodes and returns the name of the result. An operation without it has `expand`. */
  readonly lower?: (emit: Emitter, inputs: readonly string[], node: OpNode) => string;
  /** The same value in other operations, whose parts are shared with what else the graph computes. */
  readonly expand?: (node: OpNode) => Node;
  /** The same value in operations that graphics cards have, or null where `lower` serves them too. */
  readonly narrow?: (node: OpNode) => Node | null;
  /** "elementwise": broadcasting does it. Absent: rows are computed one by one and stacked. */
  readonly vectorize?: "elementwise" | VectorizeRule;
  /** The result is the input's elements repeated under broadcasting. */
  readonly repeats?: boolean;
  /** Multiply–adds of one evaluation at a batch size; absent: none worth counting. */
  readonly multiplyAdds?: (node: OpNode, batch: number) => number;
  /** Whether the order of its two operands makes no difference. */
  readonly commutes?: boolean;
  /** Whether its sum over `axes` is 0 whatever its inputs are. */
  readonly sumsToZero?: (node: OpNode, axes: readonly number[]) => boolean;
  /** The same value by a cheaper node, or null. */
  readonly simplify?: (node: OpNode) => Node | null;
  /** This result + addend as one node, or null. */
  readonly plus?: (node: OpNode, addend: Node) => Node | null;
  /** This result times a scalar, which goes into a smaller operand. */
  readonly scaled?: (node: OpNode, scale: Node) => Node;
  /** The same value with inputs that nothing else uses (`single`) taken into the node, or null. */
  readonly fuse?: (node: OpNode, single: (input: Node) => boolean) => Node | null;
  readonly examples: readonly Example[];
  readonly rejects: readonly BadExample[];
}

/** `Op` as its author writes it, with its own attribute type. */
export interface OpDefinition<A extends Attributes> {
  readonly name: string;
  readonly infer: (inputs: readonly TensorType[], attributes: A) => TensorType;
  readonly evaluate: (
    inputs: readonly Array64[],
    attributes: A,
    shape: readonly number[],
    batch: number,
  ) => Float64Array;
  readonly derivative: ((g: Node, node: OpNode & { attributes: A }) => readonly (Node | null)[]) | null;
  readonly lower?: (emit: Emitter, inputs: readonly string[], node: OpNode & { attributes: A }) => string;
  readonly expand?: (node: OpNode & { attributes: A }) => Node;
  readonly narrow?: (node: OpNode & { attributes: A }) => Node | null;
  readonly vectorize?:
    "elementwise" | ((node: OpNode & { attributes: A }, inputs: readonly Vectorized[], rows: number) => Node);
  readonly repeats?: boolean;
  readonly multiplyAdds?: (node: OpNode & { attributes: A }, batch: number) => number;
  readonly commutes?: boolean;
  readonly sumsToZero?: (node: OpNode & { attributes: A }, axes: readonly number[]) => boolean;
  readonly simplify?: (node: OpNode & { attributes: A }) => Node | null;
  readonly plus?: (node: OpNode & { attributes: A }, addend: Node) => Node | null;
  readonly scaled?: (node: OpNode & { attributes: A }, scale: Node) => Node;
  readonly fuse?: (node: OpNode & { attributes: A }, single: (input: Node) => boolean) => Node | null;
  readonly examples: readonly { inputs: readonly Sample[]; attributes: A }[];
  readonly rejects: readonly { inputs: readonly Sample[]; attributes: A; message: string }[];
}

/** A function that makes nodes of one operation, which it carries as `.op`. */
export type Operation<F> = F & { readonly op: Op };

/**
 * Declares an operation: `signature` turns the raw constructor into the function that users call;
 * that function carries the operation as `.op`, which is what the contract suite iterates.
 */
export function operation<A extends Attributes, F extends (...args: never[]) => Node>(
  definition: OpDefinition<A>,
  signature: (make: (operands: readonly Operand[], attributes: A) => Node) => F,
): Operation<F> {
  // The one place where an op's own attribute type is forgotten: `apply` stores exactly what `make` was given.
  const op = definition as unknown as Op;
  return Object.assign(
    signature((operands, attributes) => apply(op, operands, attributes)),
    { op },
  );
}
