// Moving elements: each works on nodes and, sizes being computed with them too, on known numbers.
import { check, fail } from "../../base/errors.js";
import {
  broadcastShapes,
  count,
  divideDims,
  formatDim,
  formatShape,
  isStatic,
  multiplyDims,
  resolveAxis,
  sameDim,
  sizeOf,
  type Dim,
  type Shape,
} from "../../base/shape.js";
import type { Node } from "../../graph/node.js";
import { broadcastTo, cast, concat, gather, reshape, slice, transpose } from "../../ops/index.js";
import { axesOf, type Builder, type Call, type FixedBatch, type Numbers } from "../call.js";
import { take } from "../elements.js";
import { isFixed, moved, shapeOf } from "../value.js";

export const Identity: Builder = (call) => call.value(0);

/** Moves the elements of input 1. */
const move = (call: Call, build: (x: Node) => Node) =>
  moved([call.value(0)], ([x]) => build(x ?? fail("input 1", "a value", "none")));

/** `target` with its −1 worked out for a tensor of `shape`. */
function inferred(target: Shape, shape: Shape): Shape {
  const open = target.findIndex((d) => d === -1);
  if (open < 0) return target;
  const others = sizeOf(target.filter((_, i) => i !== open));
  const rest = divideDims(sizeOf(shape), others);
  if (rest === null) return fail("input 2", `sizes that divide ${formatShape(shape)}`, formatShape(target));
  return target.map((d, i) => (i === open ? rest : d));
}

/**
 * The axis of `whole` that takes up the batch, which in `sizes` is axis `at`, `times` as long as the file's `fixed`;
 * −1 where there is none. In front of the batch of a transformer may stand its length:
 * [length, batch, …] → [length·batch, width] → [length, batch, width] and → [length, batch·heads, …]. Else the batch
 * comes first in an axis, and first it stays.
 */
function batchAxis(whole: readonly number[], sizes: readonly number[], at: number, fixed: number): number {
  const [before, behind] = [count(sizes.slice(0, at)), sizes.slice(at + 1)];
  const fits = (axis: number): boolean => axis >= 0 && (whole[axis] ?? 1) % fixed === 0;
  const isMerged = whole.length === at + 1 && whole.at(-1) === count(behind);
  const lead = whole.length - (isMerged ? 1 : behind.length);
  const isKept = isMerged || behind.every((d, i) => d === whole[lead + i]);
  if (at > 0 && isKept) return fits(lead - 1) ? lead - 1 : -1;
  const [first = 1, second] = whole;
  if (at === 0 && first !== fixed && second === fixed && first * fixed === sizes[0]) return 1;
  return whole.findIndex((_, i) => fits(i) && count(whole.slice(0, i)) === before);
}

/**
 * `target` for any batch, where the file fixes the batch to `fixed` and so writes it into the target: the axis that
 * the batch begins is multiplied. Null where there is none.
 */
function withBatch(target: readonly number[], shape: Shape, { fixed, size }: FixedBatch): Shape | null {
  const at = shape.findIndex((d) => typeof d !== "number");
  const times = divideDims(shape[at] ?? 1, size);
  if (typeof times !== "number") return null;
  const sizes = shape.map((d) => (typeof d === "number" ? d : times * fixed));
  const whole = inferred(target, sizes).map(Number);
  const axis = batchAxis(whole, sizes, at, fixed);
  const lifted = whole.map((d, i) => (i === axis ? multiplyDims(size, d / fixed) : d));
  return axis >= 0 && sameDim(sizeOf(lifted), sizeOf(shape)) ? lifted : null;
}

/**
 * The shape that Reshape asks for: 0 copies a size (unless `allowzero`), −1 is worked out; where the file fixes the
 * batch to n, n images stand for any number.
 */
function reshapeTarget(call: Call, shape: Shape): Shape {
  const copies = call.int("allowzero", 0) === 0;
  const target = call.sizes(1).map((d, i) => (d === 0 && copies ? (shape[i] ?? 0) : d));
  if (call.fixedBatch === null || isStatic(shape) || !isStatic(target)) return inferred(target, shape);
  const lifted = withBatch(target, shape, call.fixedBatch);
  if (lifted === null) return inferred(target, shape);
  if (lifted.every((d, i) => typeof d === "number" || target[i] !== -1))
    call.note(`a Reshape to ${formatShape(target)} is read as one to ${formatShape(lifted)}`);
  return lifted;
}

export const Reshape: Builder = (call) => move(call, (x) => reshape(x, reshapeTarget(call, x.shape)));

export const Flatten: Builder = (call) => {
  const given = call.int("axis", 1);
  return move(call, (x) => {
    const axis = given === x.shape.length ? given : resolveAxis("axis", given, x.shape.length);
    return reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
  });
};

export const Transpose: Builder = (call) =>
  move(call, (x) => transpose(x, call.ints("perm") ?? x.shape.map((_, i) => x.shape.length - 1 - i)));

export const Squeeze: Builder = (call) =>
  move(call, (x) => {
    const axes = axesOf(call)?.map((axis) => resolveAxis("axes", axis, x.shape.length));
    const dropped = axes ?? x.shape.flatMap((d, i) => (d === 1 ? [i] : []));
    check(
      dropped.every((axis) => x.shape[axis] === 1),
      "axes",
      "axes of size 1",
      () => `${dropped.join(", ")} of ${formatShape(x.shape)}`,
    );
    return reshape(
      x,
      x.shape.filter((_, i) => !dropped.includes(i)),
    );
  });

export const Unsqueeze: Builder = (call) =>
  move(call, (x) => {
    const axes = axesOf(call) ?? [];
    const rank = x.shape.length + axes.length;
    const added = axes.map((axis) => resolveAxis("axes", axis, rank));
    const kept = [...x.shape];
    const shape = Array.from({ length: rank }, (_, i): Dim => (added.includes(i) ? 1 : (kept.shift() ?? 1)));
    return reshape(x, shape);
  });

/** Parts of a file whose batch is fixed at 1, such as a class token: repeated where others hold the batch. */
function besideBatch(parts: readonly Node[], axis: number): readonly Node[] {
  const [first, ...rest] = parts.filter(({ shape }) => !isStatic(shape));
  if (first === undefined || rest.length + 1 === parts.length) return parts;
  const at = first.shape.findIndex((d) => typeof d !== "number");
  if (at === axis) return parts;
  const size = first.shape[at] ?? 1;
  return parts.map((part) =>
    part.shape[at] === 1
      ? broadcastTo(
          part,
          part.shape.map((d, i) => (i === at ? size : d)),
        )
      : part,
  );
}

export const Concat: Builder = (call) =>
  moved(call.values(), (parts) => {
    const axis = resolveAxis("axis", call.int("axis", 0), parts[0]?.shape.length ?? 1);
    return concat(call.fixedBatch?.fixed === 1 ? besideBatch(parts, axis) : parts, axis);
  });

export const Expand: Builder = (call) =>
  move(call, (x) => broadcastTo(x, broadcastShapes("Expand", x.shape, call.sizes(1))));

/** More copies than this come from damaged files. */
const mostCopies = 2 ** 16;

/** x side by side with itself `times` times along `axis`; along an axis of size 1 as often as there are images. */
function repeat(x: Node, times: Dim, axis: number): Node {
  if (x.shape[axis] === 1)
    return broadcastTo(
      x,
      x.shape.map((d, i) => (i === axis ? times : d)),
    );
  if (typeof times !== "number")
    return fail("input 2", "numbers that do not depend on the batch", formatDim(times));
  check(times >= 1 && times <= mostCopies, "input 2", `1 to ${mostCopies} copies`, () => String(times));
  return concat(new Array<Node>(times).fill(x), axis);
}

export const Tile: Builder = (call) => move(call, (x) => call.sizes(1).reduce<Node>(repeat, x));

/**
 * Elements at positions in a batch of one, all of whose images lie in one axis: at those positions in each image. Null
 * where the axis or the indices are others.
 */
function takeInEach(x: Node, indices: Numbers, axis: number, { fixed, size }: FixedBatch): Node | null {
  const perImage = divideDims(x.shape[axis] ?? 1, size);
  const [lead, ...rest] = indices.shape;
  const inside = typeof perImage === "number" && indices.data.every((at) => at >= 0 && at < perImage);
  if (fixed !== 1 || lead !== 1 || !inside) return null;
  const [before, behind] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const images = reshape(x, [...before, size, perImage, ...behind]);
  return take(images, { shape: rest, data: indices.data }, axis + 1);
}

/** Indices that are computed, such as positions in the batch, must not be negative. */
export const Gather: Builder = (call) => {
  const axis = resolveAxis("axis", call.int("axis", 0), shapeOf(call.value(0)).length);
  const given = call.value(1);
  if (given.kind === "op" && !isFixed(given)) return gather(call.at(0), cast(given, "int32"), axis);
  const indices = call.numbers(1);
  return move(call, (x) => {
    const batch = isStatic([x.shape[axis] ?? 1]) ? null : call.fixedBatch;
    return (batch && takeInEach(x, indices, axis, batch)) ?? take(x, indices, axis);
  });
};

/** Before operator set 13 an attribute, then input 2; else equal parts, the last one shorter. */
function splitSizes(call: Call, total: number): readonly number[] {
  const given = axesOf(call, 1, "split");
  if (given !== null) return given;
  const parts = call.node.outputs.length;
  const size = Math.ceil(total / parts);
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(size, total - i * size)));
}

export const Split: Builder = (call) => {
  const shape = shapeOf(call.value(0));
  const axis = resolveAxis("axis", call.int("axis", 0), shape.length);
  const total = shape[axis];
  if (typeof total !== "number")
    return fail("axis", "an axis that does not depend on the batch", String(axis));
  let end = 0;
  return splitSizes(call, total).map((size) => {
    const start = end;
    end += size;
    return move(call, (x) => slice(x, { axes: [axis], starts: [start], ends: [start + size] }));
  });
};
