// Moving elements without changing them: transpose; slice and its adjoint unslice; pad; concat.
import { check, fail } from "../base/errors.js";
import {
  addDims,
  formatDim,
  formatShape,
  resolveAxis,
  sameDim,
  sameShape,
  stridesOf,
  type Dim,
  type Shape,
} from "../base/shape.js";
import { argument, toNode, type Node, type Operand, type TensorType } from "../graph/node.js";
import { operation, type Emitter, type Operation } from "../graph/op.js";
import { walk } from "./arrays.js";

type Transpose = (x: Operand, permutation: readonly number[]) => Node;

const inverse = (permutation: readonly number[]): number[] =>
  permutation.map((_, i) => permutation.indexOf(i));

/** Axes of x in another order: result axis i is axis permutation[i] of x. Derivative: the inverse order. */
export const transpose: Operation<Transpose> = operation<{ permutation: readonly number[] }, Transpose>(
  {
    name: "transpose",
    infer: (inputs, { permutation }) => {
      const x = argument(inputs, 0);
      const sorted = [...permutation].sort((a, b) => a - b);
      const valid = sorted.length === x.shape.length && sorted.every((axis, i) => axis === i);
      check(valid, "transpose", `a permutation of ${x.shape.length} axes`, () => permutation.join(", "));
      return { dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis] ?? 1) };
    },
    evaluate: (inputs, { permutation }, shape) => {
      const x = argument(inputs, 0);
      const strides = stridesOf(x.shape);
      const out = new Float64Array(x.data.length);
      walk(
        shape,
        permutation.map((axis) => strides[axis] ?? 0),
        (i, offset) => (out[i] = x.data[offset] ?? 0),
      );
      return out;
    },
    derivative: (g, { attributes: { permutation } }) => [transpose(g, inverse(permutation))],
    lower: (emit, inputs, { attributes: { permutation } }) =>
      emit.node("Transpose", inputs, { perm: permutation }),
    vectorize: ({ attributes: { permutation } }, inputs) =>
      transpose(argument(inputs, 0).node, [0, ...permutation.map((axis) => axis + 1)]),
    examples: [{ inputs: [{ shape: [2, 3, 4] }], attributes: { permutation: [1, 2, 0] } }],
    rejects: [
      {
        inputs: [{ shape: [2, 3] }],
        attributes: { permutation: [0, 0] },
        message: "transpose: expected a permutation of 2 axes, got 0, 0",
      },
    ],
  },
  (make) => (x, permutation) => make([x], { permutation }),
);

export interface SliceOptions {
  readonly axes: readonly number[];
  /** First index along each axis, counted from the front. */
  readonly starts: readonly Dim[];
  /** One past the last index along each axis. */
  readonly ends: readonly Dim[];
  /** Distance between taken indices, at least 1; default 1. */
  readonly steps?: readonly number[];
}

/** One range per axis of a tensor: [start, end) by step. */
type Ranges = { starts: Shape; ends: Shape; steps: readonly number[] };

function rangeLength(start: Dim, end: Dim, step: number): Dim {
  const extent = addDims(
    end,
    typeof start === "number" ? -start : { batch: -start.batch, plus: -start.plus },
  );
  if (step === 1) return extent;
  if (typeof extent !== "number") return fail("slice", "step 1 along the batch", String(step));
  return Math.ceil(extent / step);
}

/** Ranges over every axis of a tensor of `shape`. */
function fullRanges(shape: Shape, options: SliceOptions): Ranges {
  const ranges = { starts: shape.map((): Dim => 0), ends: [...shape], steps: shape.map(() => 1) };
  options.axes.forEach((given, i) => {
    const axis = resolveAxis("slice", given, shape.length);
    ranges.starts[axis] = options.starts[i] ?? 0;
    ranges.ends[axis] = options.ends[i] ?? shape[axis] ?? 0;
    ranges.steps[axis] = options.steps?.[i] ?? 1;
  });
  return ranges;
}

function inferSlice(type: TensorType, { starts, ends, steps }: Ranges): TensorType {
  const shape = type.shape.map((d, axis) => {
    const [start = 0, end = d, step = 1] = [starts[axis], ends[axis], steps[axis]];
    const inside =
      typeof start !== "number" || typeof end !== "number" || typeof d !== "number"
        ? true
        : start >= 0 && start <= end && end <= d;
    if (!inside || step < 1)
      fail(
        "slice",
        `a range within [0, ${formatDim(d)}] and a step of 1 or more along axis ${axis}`,
        `${formatDim(start)} to ${formatDim(end)} by ${step}`,
      );
    return rangeLength(start, end, step);
  });
  return { dtype: type.dtype, shape };
}

/** Offsets in an array of `shape` of the elements that `ranges` take. */
function offsetsOf(
  shape: readonly number[],
  ranges: Ranges,
  taken: readonly number[],
  batch: number,
): Int32Array {
  const strides = stridesOf(shape);
  const resolved = ranges.starts.map((d) => (typeof d === "number" ? d : d.batch * batch + d.plus));
  const first = resolved.reduce((total, start, axis) => total + start * (strides[axis] ?? 0), 0);
  const offsets = new Int32Array(taken.reduce((a, b) => a * b, 1));
  walk(
    taken,
    strides.map((s, axis) => s * (ranges.steps[axis] ?? 1)),
    (i, offset) => (offsets[i] = first + offset),
  );
  return offsets;
}

type SliceNode = (x: Operand, options: SliceOptions) => Node;

/** The elements of x at [start, end) by step along some axes. Derivative: unslice. */
export const slice: Operation<SliceNode> = operation<Ranges, SliceNode>(
  {
    name: "slice",
    infer: (inputs, ranges) => inferSlice(argument(inputs, 0), ranges),
    evaluate: (inputs, ranges, shape, batch) => {
      const x = argument(inputs, 0);
      return Float64Array.from(offsetsOf(x.shape, ranges, shape, batch), (offset) => x.data[offset] ?? 0);
    },
    derivative: (g, { inputs, attributes }) => [unslice(g, argument(inputs, 0).shape, attributes)],
    lower: (emit, inputs, { inputs: nodes, attributes: { starts, ends, steps } }) => {
      const { shape } = argument(nodes, 0);
      const cut = shape.flatMap((d, axis) =>
        starts[axis] === 0 && sameDim(ends[axis] ?? d, d) && steps[axis] === 1 ? [] : [axis],
      );
      const pick = <T>(values: readonly T[]): T[] => cut.flatMap((axis) => values.slice(axis, axis + 1));
      return emit.node("Slice", [
        argument(inputs, 0),
        emit.shape(pick(starts)),
        emit.shape(pick(ends)),
        emit.constant(cut, "int64"),
        emit.constant(pick(steps), "int64"),
      ]);
    },
    vectorize: ({ attributes: { starts, ends, steps } }, inputs, rows) => {
      const { node } = argument(inputs, 0);
      return slice(node, {
        axes: node.shape.map((_, i) => i),
        starts: [0, ...starts],
        ends: [rows, ...ends],
        steps: [1, ...steps],
      });
    },
    examples: [
      { inputs: [{ shape: [4, 5] }], attributes: { starts: [1, 0], ends: [3, 5], steps: [1, 2] } },
      {
        inputs: [{ shape: [{ batch: 2, plus: 0 }, 3] }],
        attributes: { starts: [{ batch: 1, plus: 0 }, 0], ends: [{ batch: 2, plus: 0 }, 3], steps: [1, 1] },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [4] }],
        attributes: { starts: [2], ends: [5], steps: [1] },
        message:
          "slice: expected a range within [0, 4] and a step of 1 or more along axis 0, got 2 to 5 by 1",
      },
    ],
  },
  (make) => (x, options) => {
    const node = toNode(x);
    const ranges = fullRanges(node.shape, options);
    const whole =
      sameShape(ranges.ends, node.shape) &&
      ranges.starts.every((d) => d === 0) &&
      ranges.steps.every((s) => s === 1);
    return whole ? node : make([node], ranges);
  },
);

/** Writes nodes that put step − 1 zeros between neighbours along each axis: n → (n − 1)·step + 1. */
function spreadApart(
  emit: Emitter,
  value: string,
  shape: Shape,
  steps: readonly number[],
): { value: string; shape: Shape } {
  const spread = [...shape];
  let current = value;
  for (const [axis, step] of steps.entries()) {
    const n = spread[axis] ?? 1;
    if (step === 1 || typeof n !== "number") continue;
    const [before, behind] = [spread.slice(0, axis), spread.slice(axis + 1)];
    const apart = emit.node("Reshape", [current, emit.shape([...before, n, 1, ...behind])]);
    const zeros = spread.map(() => 0);
    const pads = [...zeros, 0, ...zeros, 0];
    pads[zeros.length + 1 + axis + 1] = step - 1;
    const padded = emit.node("Pad", [apart, emit.constant(pads, "int64")]);
    const joined = emit.node("Reshape", [padded, emit.shape([...before, n * step, ...behind])]);
    spread[axis] = (n - 1) * step + 1;
    const last = emit.constant([(n - 1) * step + 1], "int64");
    current = emit.node("Slice", [joined, emit.constant([0], "int64"), last, emit.constant([axis], "int64")]);
  }
  return { value: current, shape: spread };
}

type Unslice = (x: Operand, shape: Shape, ranges: Ranges) => Node;

/** Zeros of `shape` with x written where slice would have read. The adjoint of slice; its derivative is slice. */
export const unslice: Operation<Unslice> = operation<Ranges & { shape: Shape }, Unslice>(
  {
    name: "unslice",
    infer: (inputs, { shape, ...ranges }) => {
      const x = argument(inputs, 0);
      const taken = inferSlice({ dtype: x.dtype, shape }, ranges).shape;
      check(sameShape(taken, x.shape), "unslice", `a tensor of shape ${formatShape(taken)}`, () =>
        formatShape(x.shape),
      );
      return { dtype: x.dtype, shape };
    },
    evaluate: (inputs, ranges, shape, batch) => {
      const x = argument(inputs, 0);
      const out = new Float64Array(shape.reduce((a, b) => a * b, 1));
      offsetsOf(shape, ranges, x.shape, batch).forEach((offset, i) => (out[offset] = x.data[i] ?? 0));
      return out;
    },
    derivative: (g, { attributes: { starts, ends, steps } }) => [
      slice(g, { axes: g.shape.map((_, i) => i), starts, ends, steps }),
    ],
    lower: (emit, inputs, { inputs: nodes, attributes: { shape, starts, steps } }) => {
      const spread = spreadApart(emit, argument(inputs, 0), argument(nodes, 0).shape, steps);
      const after = shape.map((d, axis) => {
        const [start = 0, last = 0] = [starts[axis], spread.shape[axis]];
        return rangeLength(addDims(start, last), d, 1);
      });
      return emit.node("Pad", [spread.value, emit.shape([...starts, ...after])]);
    },
    vectorize: ({ attributes: { shape, starts, ends, steps } }, inputs, rows) =>
      unslice(argument(inputs, 0).node, [rows, ...shape], {
        starts: [0, ...starts],
        ends: [rows, ...ends],
        steps: [1, ...steps],
      }),
    examples: [
      {
        inputs: [{ shape: [2, 3] }],
        attributes: { shape: [4, 5], starts: [1, 0], ends: [3, 5], steps: [1, 2] },
      },
      {
        inputs: [{ shape: [2, 2] }],
        attributes: { shape: [6, 4], starts: [1, 1], ends: [6, 4], steps: [3, 2] },
      },
      {
        inputs: [{ shape: [{ batch: 1, plus: 0 }] }],
        attributes: {
          shape: [{ batch: 2, plus: 0 }],
          starts: [{ batch: 1, plus: 0 }],
          ends: [{ batch: 2, plus: 0 }],
          steps: [1],
        },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [3] }],
        attributes: { shape: [4], starts: [1], ends: [3], steps: [1] },
        message: "unslice: expected a tensor of shape [2], got [3]",
      },
    ],
  },
  (make) =>
    (x, shape, { starts, ends, steps }) =>
      make([x], { shape, starts, ends, steps }),
);

/** x with `before` and `after` zeros along each axis. */
export function pad(x: Operand, before: readonly number[], after: readonly number[]): Node {
  const node = toNode(x);
  const ends = node.shape.map((d, axis) => addDims(d, before[axis] ?? 0));
  const shape = ends.map((d, axis) => addDims(d, after[axis] ?? 0));
  if (sameShape(shape, node.shape)) return node;
  return unslice(node, shape, {
    starts: node.shape.map((_, axis) => before[axis] ?? 0),
    ends,
    steps: node.shape.map(() => 1),
  });
}

/** Tensors joined along `axis`. Derivative: the matching slices of the cotangent. */
export const concat = operation<{ axis: number }, (parts: readonly Operand[], axis: number) => Node>(
  {
    name: "concat",
    infer: (inputs, { axis }) => {
      const first = argument(inputs, 0);
      for (const { shape, dtype } of inputs) {
        const fits =
          dtype === first.dtype &&
          shape.length === first.shape.length &&
          shape.every((d, i) => i === axis || sameDim(d, first.shape[i] ?? d));
        if (!fits)
          fail(
            "concat",
            `${first.dtype} tensors like ${formatShape(first.shape)} except along axis ${axis}`,
            `${dtype} ${formatShape(shape)}`,
          );
      }
      const total = inputs.map(({ shape }) => shape[axis] ?? 0).reduce(addDims);
      return { dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? total : d)) };
    },
    evaluate: (inputs, { axis }, shape) => {
      const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
      const out: number[] = [];
      for (let row = 0; row < outer; row++)
        for (const part of inputs) {
          const width = (part.shape[axis] ?? 0) * inner;
          for (let i = 0; i < width; i++) out.push(part.data[row * width + i] ?? 0);
        }
      return Float64Array.from(out);
    },
    derivative: (g, { inputs, attributes: { axis } }) => {
      let start: Dim = 0;
      return inputs.map((part) => {
        const end: Dim = addDims(start, part.shape[axis] ?? 0);
        const piece = slice(g, { axes: [axis], starts: [start], ends: [end] });
        start = end;
        return piece;
      });
    },
    lower: (emit, inputs, { attributes: { axis } }) => emit.node("Concat", inputs, { axis }),
    examples: [
      { inputs: [{ shape: [2, 3] }, { shape: [2, 1] }, { shape: [2, 2] }], attributes: { axis: 1 } },
      {
        inputs: [{ shape: [{ batch: 1, plus: 0 }, 2] }, { shape: [{ batch: 1, plus: 0 }, 2] }],
        attributes: { axis: 0 },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 3] }, { shape: [3, 3] }],
        attributes: { axis: 1 },
        message: "concat: expected float32 tensors like [2, 3] except along axis 1, got float32 [3, 3]",
      },
    ],
  },
  (make) => (parts, axis) => {
    const nodes = parts.map(toNode);
    const resolved = resolveAxis("concat", axis, nodes[0]?.shape.length ?? 0);
    return nodes.length === 1 && nodes[0] ? nodes[0] : make(nodes, { axis: resolved });
  },
);
