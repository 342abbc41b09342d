// Shapes: integers, or a·B + b in one symbolic batch size B, with exact arithmetic on both.
import { fail } from "./errors.js";

/** A size that depends on the batch: batch·B + plus. */
export interface BatchDim {
  readonly batch: number;
  readonly plus: number;
}
export type Dim = number | BatchDim;
export type Shape = readonly Dim[];

/** The symbolic dimension batch·B + plus, or a plain integer where batch is 0. */
function dim(batch: number, plus: number): Dim {
  return batch === 0 ? plus : { batch, plus };
}

/** The batch size B itself. */
export const B: Dim = dim(1, 0);

const parts = (d: Dim): BatchDim => (typeof d === "number" ? { batch: 0, plus: d } : d);

export function addDims(a: Dim, b: Dim): Dim {
  const [p, q] = [parts(a), parts(b)];
  return dim(p.batch + q.batch, p.plus + q.plus);
}

/** The product of two dimensions; at most one may depend on the batch. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number") return dim(parts(b).batch * a, parts(b).plus * a);
  if (typeof b === "number") return multiplyDims(b, a);
  return fail(
    "shape",
    "at most one dimension that depends on the batch",
    `${formatDim(a)} × ${formatDim(b)}`,
  );
}

/** a / b where it is exact for every batch size, else null. */
export function divideDims(a: Dim, b: Dim): Dim | null {
  const [p, q] = [parts(a), parts(b)];
  if (q.batch === 0) {
    if (q.plus === 0 || p.batch % q.plus !== 0 || p.plus % q.plus !== 0) return null;
    return dim(p.batch / q.plus, p.plus / q.plus);
  }
  const factor = p.batch / q.batch;
  return Number.isInteger(factor) && factor * q.plus === p.plus ? factor : null;
}

export const sameDim = (a: Dim, b: Dim): boolean =>
  parts(a).batch === parts(b).batch && parts(a).plus === parts(b).plus;

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => sameDim(d, b[i] as Dim));

/** Number of elements; at most one dimension may depend on the batch. */
export const sizeOf = (shape: Shape): Dim => shape.reduce<Dim>((size, d) => multiplyDims(size, d), 1);

/** Number of elements of a shape without symbolic dimensions. */
export const count = (shape: readonly number[]): number => shape.reduce((size, d) => size * d, 1);

export const isStatic = (shape: Shape): shape is readonly number[] =>
  shape.every((d) => typeof d === "number");

export const resolveDim = (d: Dim, batch: number): number =>
  typeof d === "number" ? d : d.batch * batch + d.plus;

export const resolveShape = (shape: Shape, batch: number): number[] => shape.map((d) => resolveDim(d, batch));

/** Reads `axis` (negative counts from the end) as an index in [0, rank). */
export function resolveAxis(where: string, axis: number, rank: number): number {
  const index = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(index) || index < 0 || index >= rank)
    fail(where, `an axis of a tensor of rank ${rank}`, String(axis), `${-rank} to ${rank - 1}`);
  return index;
}

/** The shape of an element-wise result under NumPy's broadcasting. */
export function broadcastShapes(where: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const p = a[i - rank + a.length] ?? 1;
    const q = b[i - rank + b.length] ?? 1;
    if (sameDim(p, q) || q === 1) return p;
    if (p === 1) return q;
    return fail(where, "shapes that broadcast", `${formatShape(a)} and ${formatShape(b)}`);
  });
}

/** Distance between neighbours along each axis of a dense row-major array. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1);
  return strides;
}

export function formatDim(d: Dim): string {
  if (typeof d === "number") return String(d);
  const scaled = d.batch === 1 ? "B" : `${d.batch}B`;
  return d.plus === 0 ? scaled : `${scaled}${d.plus > 0 ? "+" : ""}${d.plus}`;
}

export const formatShape = (shape: Shape): string => `[${shape.map(formatDim).join(", ")}]`;
