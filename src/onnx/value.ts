// What a value is while a model is imported: a node, or whole numbers that are known already – sizes above all,
// which may depend on the batch. So `x.view(x.size(0), -1)` is worked out here and leaves no trace in the graph.
import { check, fail } from "../base/errors.js";
import {
  broadcastShapes,
  count,
  formatDim,
  formatShape,
  isStatic,
  sameDim,
  type Dim,
  type Shape,
} from "../base/shape.js";
import { fromNumbers, toNumbers, type DType, type Tensor } from "../base/tensor.js";
import { topological } from "../graph/function.js";
import { interpret } from "../graph/interpret.js";
import { constant, type Node } from "../graph/node.js";
import { broadcastStrides, walk } from "../ops/arrays.js";
import { cast } from "../ops/compare.js";
import { reshape } from "../ops/reshape.js";
import { size } from "../ops/size.js";
import { concat } from "../ops/structure.js";
import type { StoredTensor } from "./read-tensor.js";

/** A tensor of whole numbers or booleans whose elements are known, up to the batch size. */
export interface Known {
  readonly kind: "known";
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly Dim[];
  /** The element type of the tensor of the file that it is: `int8`, … */
  readonly stored?: string;
}
export type Value = Node | Known;

export const known = (dtype: DType, shape: readonly number[], data: readonly Dim[]): Known => ({
  kind: "known",
  dtype,
  shape,
  data,
});

/** A vector of sizes. */
export const knownSizes = (sizes: Shape): Known => known("int64", [sizes.length], sizes);

/** The shape of a value. */
export const shapeOf = (value: Value): Shape => value.shape;

/** Whole numbers beyond this many are weights, not sizes or indices. */
const knownLimit = 2 ** 16;

/** A tensor of the file: floats and large ones become a constant node, all else is known. */
export const valueOfTensor = (t: Tensor & Partial<StoredTensor>): Value =>
  t.dtype === "float32" || t.data.length > knownLimit
    ? constant(t)
    : {
        ...known(t.dtype, t.shape, Array.from(toNumbers(t))),
        ...(t.stored !== undefined && { stored: t.stored }),
      };

/** The elements of `data`, none of which may depend on the batch. */
export function staticData(where: string, { data }: Known): readonly number[] {
  return isStatic(data) ? data : fail(where, "numbers that do not depend on the batch", formatShape(data));
}

/** `value` as a node; sizes that depend on the batch are computed when the graph runs. */
export function asNode(value: Value): Node {
  if (value.kind !== "known") return value;
  const { dtype, shape, data } = value;
  if (isStatic(data)) return constant(fromNumbers(dtype, shape, data));
  const elements = data.map((d) => reshape(typeof d === "number" ? d : size([d]), [1]));
  return reshape(concat(elements, 0), shape);
}

/** A float32 node of `value`. */
export function asFloat(value: Value): Node {
  if (value.kind === "constant" && value.dtype !== "float32")
    return constant(fromNumbers("float32", value.value.shape, toNumbers(value.value)));
  if (value.kind !== "known" || !isStatic(value.data)) return cast(asNode(value), "float32");
  return constant(fromNumbers("float32", value.shape, value.data));
}

/** What is worked out at import is small; more elements than this come from damaged files. */
const workLimit = 2 ** 22;

/** Whether `node` and all that it is made of can be worked out at import. */
const isSmall = (node: Node): boolean =>
  topological([node]).every(
    ({ shape }) => isStatic(shape) && shape.every((d) => d >= 0) && count(shape) <= workLimit,
  );

/** `node` as known numbers of `dtype` where it depends on no input, else itself. */
export function workedOut(node: Node, dtype: DType = node.dtype): Value {
  const value = fold(node);
  return value === null ? node : known(dtype, value.shape, Array.from(toNumbers(value)));
}

/** Whether a node depends on no input, so that its value can be had now. */
export const isFixed = (node: Node): boolean =>
  isStatic(node.shape) && topological([node]).every(({ kind }) => kind !== "input");

/** The value of a node that depends on no input, or null. */
export function fold(node: Node): Tensor | null {
  if (node.kind === "constant") return node.value;
  if (!isFixed(node) || !isSmall(node)) return null;
  const [result] = interpret([node], { batch: NaN, values: {} });
  return result ? fromNumbers(node.dtype, result.shape, result.data) : null;
}

/**
 * Applies `build`, which only moves elements, to values known or not. Known elements are moved by sending their
 * positions (from 1; 0 stands for a padded zero) through the same graph.
 */
export function moved(values: readonly Value[], build: (nodes: readonly Node[]) => Node): Value {
  const all = values.filter((value): value is Known => value.kind === "known");
  const [first] = all;
  if (first === undefined || all.length < values.length) return build(values.map(asNode));
  const data: readonly Dim[] = [0, ...all.flatMap((value) => value.data)];
  let next = 1;
  const positions = all.map(({ shape, data: elements }) =>
    constant(
      fromNumbers(
        "float32",
        shape,
        Float32Array.from(elements, () => next++),
      ),
    ),
  );
  const built = build(positions);
  check(isSmall(built), "result", `at most ${workLimit} elements known at import`, () =>
    formatShape(built.shape),
  );
  const [result] = interpret([built], { batch: NaN, values: {} });
  const order = result?.data ?? new Float64Array();
  return known(
    first.dtype,
    result?.shape ?? [],
    Array.from(order, (position) => data[position] ?? 0),
  );
}

/** Combines known values element by element, with broadcasting. */
export function combined(
  where: string,
  values: readonly Known[],
  f: (...elements: Dim[]) => Dim,
  dtype = values[0]?.dtype ?? "int64",
): Known {
  const shape = values.map((v) => v.shape as Shape).reduce((a, b) => broadcastShapes(where, a, b));
  const sizes = shape.map(Number);
  check(count(sizes) <= workLimit, where, `at most ${workLimit} elements known at import`, () =>
    formatShape(sizes),
  );
  const columns = values.map((value) => {
    const column: Dim[] = [];
    walk(sizes, broadcastStrides(value.shape, sizes), (_, offset) => column.push(value.data[offset] ?? 0));
    return column;
  });
  const length = columns[0]?.length ?? 0;
  return known(
    dtype,
    sizes,
    Array.from({ length }, (_, i) => f(...columns.map((column) => column[i] ?? 0))),
  );
}

/** Whether two sizes are equal for every batch size; throws where that depends on it. */
export function equalSizes(where: string, a: Dim, b: Dim): boolean {
  if (sameDim(a, b)) return true;
  const never = (x: Dim, y: Dim): boolean => typeof x !== "number" && typeof y === "number" && y <= 0;
  const decided = (typeof a === "number" && typeof b === "number") || never(a, b) || never(b, a);
  check(
    decided,
    where,
    "a comparison that does not depend on the batch",
    () => `${formatDim(a)} = ${formatDim(b)}`,
  );
  return false;
}
