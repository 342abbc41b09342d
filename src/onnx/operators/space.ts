// Between channels and space, and between sizes of images.
import { check, fail } from "../../base/errors.js";
import { formatShape, isStatic, multiplyDims, resolveAxis } from "../../base/shape.js";
import { floats } from "../../base/tensor.js";
import { constant, type Node } from "../../graph/node.js";
import { matmul, reshape, transpose } from "../../ops/index.js";
import type { Builder, Call } from "../call.js";
import { take } from "../elements.js";
import { resamplingOf, type Resampling } from "../resampling.js";

/** The sizes of [batch, channels, height, width] and the node's block size. */
function blocksOf(call: Call, { shape }: Node) {
  const [rows = 1, ...sizes] = shape;
  const block = call.int("blocksize", 0);
  check(sizes.length === 3 && isStatic(sizes), "input 1", "[batch, channels, height, width]", () =>
    formatShape(shape),
  );
  check(block >= 1, "attribute 'blocksize'", "1 or more", () => String(block));
  const [channels = 1, height = 1, width = 1] = sizes;
  return { rows, channels, height, width, block };
}

const whole = (n: number): number =>
  Number.isInteger(n) ? n : fail("attribute 'blocksize'", "a divisor of the sizes", String(n));

/** Blocks of channels become squares of pixels. */
export const DepthToSpace: Builder = (call) => {
  const x = call.at(0);
  const { rows, channels, height, width, block } = blocksOf(call, x);
  const kept = whole(channels / (block * block));
  const columnsFirst = call.text("mode", "DCR") === "CRD";
  const split = columnsFirst
    ? [rows, kept, block, block, height, width]
    : [rows, block, block, kept, height, width];
  const order = columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  return reshape(transpose(reshape(x, split), order), [rows, kept, height * block, width * block]);
};

/** Squares of pixels become blocks of channels. */
export const SpaceToDepth: Builder = (call) => {
  const x = call.at(0);
  const { rows, channels, height, width, block } = blocksOf(call, x);
  const [h, w] = [whole(height / block), whole(width / block)];
  const split = reshape(x, [rows, channels, h, block, w, block]);
  return reshape(transpose(split, [0, 3, 5, 1, 2, 4]), [rows, multiplyDims(channels, block * block), h, w]);
};

/** x resampled along one axis: elements taken where each result is one of them, else a product with the weights. */
function resampled(x: Node, axis: number, { size, weights, indices }: Resampling): Node {
  if (indices !== null) return take(x, { shape: [indices.length], data: indices }, axis);
  const length = Number(x.shape[axis]);
  const matrix = constant(floats([length, size], weights));
  const last = x.shape.length - 1;
  const order = x.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  return transpose(matmul(transpose(x, order), matrix), order);
}

interface Change {
  readonly axis: number;
  /** Size of the result, or how many times that of x. */
  readonly size: number | null;
  readonly scale: number;
}

/** What is known at input `index`, or null where it is left out or empty. */
function listAt(call: Call, index: number): readonly number[] | null {
  if (!call.has(index)) return null;
  const { data } = call.numbers(index);
  return data.length === 0 ? null : data;
}

/** Scales so that the image fits into, or covers, the sizes asked for. */
function keepRatio(policy: string, scales: readonly number[]): number | null {
  if (policy === "not_larger") return Math.min(...scales);
  return policy === "not_smaller" ? Math.max(...scales) : null;
}

/** How each axis changes: by `sizes` (input 4), else by `scales` (input 3; before operator set 11 input 2). */
function changesOf(call: Call, x: Node): Change[] {
  const rank = x.shape.length;
  const axes = call.ints("axes")?.map((axis) => resolveAxis("axes", axis, rank)) ?? x.shape.map((_, i) => i);
  const sizes = call.opset < 11 ? null : listAt(call, 3);
  const scales = call.opset < 11 ? (call.floats("scales") ?? listAt(call, 1)) : listAt(call, 2);
  const given = sizes ?? scales ?? fail("input 3", "scales or sizes", "none");
  check(given.length === axes.length, "scales", String(axes.length), () => String(given.length));
  const changes = axes.map((axis, i): Change => {
    const length = x.shape[axis];
    const [size, scale] = [sizes?.[i] ?? null, scales?.[i] ?? 1];
    if (typeof length !== "number") return { axis, size: null, scale: 1 };
    return { axis, size, scale: size === null ? scale : size / length };
  });
  const ratio = keepRatio(
    call.text("keep_aspect_ratio_policy", "stretch"),
    changes.map(({ scale }) => scale),
  );
  if (ratio === null || sizes === null) return changes;
  return changes.map(({ axis }) => ({ axis, size: Math.round(ratio * Number(x.shape[axis])), scale: ratio }));
}

/** Resampled along each axis in turn. */
const resize: Builder = (call) => {
  const x = call.at(0);
  return changesOf(call, x).reduce((node, { axis, size, scale }) => {
    const length = node.shape[axis];
    if (typeof length !== "number" || (size ?? length * scale) === length) return node;
    return resampled(node, axis, resamplingOf(call, length, scale, size));
  }, x);
};

export const Resize: Builder = (call) => resize(call);
/** The name before operator set 10. */
export const Upsample: Builder = (call) => resize(call);
