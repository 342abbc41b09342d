// ONNX forms of a convolution and its two adjoints; shapes are x [N, C, …], w [K, C/groups, …], y [N, K, …].
import { count, multiplyDims, type Shape } from "../base/shape.js";
import { argument } from "../graph/node.js";
import type { Emitter } from "../graph/op.js";
import { blockedFilter, blockedTurned, emitBlocked, hasBlocks } from "./conv-blocked.js";
import { lowerColumns, wantsOneProduct } from "./conv-columns.js";
import { lowerPhases } from "./conv-phases.js";
import type { ConvSizes } from "./conv-sizes.js";
import { emitReshape } from "./reshape.js";
import { alongAxis, onnxWindow, repeated, slack, type Window } from "./windows.js";

/** One window that is the whole input: the convolution is a matrix product of the flattened operands. */
const isProduct = ({ x, w, window, groups }: ConvSizes): boolean =>
  groups === 1 &&
  window.dilations.every((d) => d === 1) &&
  window.pads.every((p) => p === 0) &&
  w.slice(2).every((taps, axis) => taps === x[axis + 2]);

const gemm = (
  emit: Emitter,
  [a = "", b = "", ...bias]: readonly string[],
  flags: { transA?: 1; transB?: 1 },
  shape: Shape,
): string => {
  const [flatA, flatB] = [emit.node("Flatten", [a], { axis: 1 }), emit.node("Flatten", [b], { axis: 1 })];
  return emitReshape(emit, emit.node("Gemm", [flatA, flatB, ...bias], flags), shape);
};

/**
 * Pixels from which on a convolution with constant filters is left to ONNX Runtime, which takes the normalization and
 * the activation behind it into it; with fewer its plain form is slow (measured on CPU).
 */
const manyPixels = 64;

/** Share of the columns that padding must add, and taps, from which on it is cheaper as zeros in x (measured on CPU). */
const [wideFrames, manyTaps] = [1 / 4, 25];

/**
 * Whether padded columns are to be zeros in x: the blocked kernels take the outputs that read padding one by one, and
 * add the same products in the same order where there is none.
 */
function wantsColumns({ target }: Emitter, { x, w, window, groups }: ConvSizes): boolean {
  if (target.constantFilters !== true || window.kernel.length !== 2 || groups > 1) return false;
  const { before, after } = alongAxis(window, 1);
  return (before + after) / Number(x[3]) >= wideFrames && count(w.slice(2)) >= manyTaps;
}

/** The same convolution, with the padding of its columns as zeros in x. */
function withColumns(
  emit: Emitter,
  x: string,
  { x: shape, window, ...rest }: ConvSizes,
): [string, ConvSizes] {
  const [n = 1, channels = 1, height = 1, width = 1] = shape;
  const { before, after } = alongAxis(window, 1);
  // On planes, since ONNX Runtime takes padding in front of a convolution back into it.
  const planes = emitReshape(emit, x, [multiplyDims(n, channels), height, width]);
  const wide = emit.node("Pad", [planes, emit.constant([0, 0, before, 0, 0, after], "int64")]);
  const padded = [n, channels, height, Number(width) + before + after];
  const pads = window.pads.map((pad, i) => (i % 2 === 0 ? pad : 0));
  return [emitReshape(emit, wide, padded), { ...rest, x: padded, window: { ...window, pads } }];
}

/** y from x, w and perhaps a bias [K]. */
export function lowerConv(emit: Emitter, inputs: readonly string[], sizes: ConvSizes): string {
  const { w, y, window, groups } = sizes;
  if (isProduct(sizes)) return gemm(emit, inputs, { transB: 1 }, y);
  if (hasBlocks(emit, w) && wantsColumns(emit, sizes)) {
    const [x, wide] = withColumns(emit, argument(inputs, 0), sizes);
    return lowerConv(emit, [x, ...inputs.slice(1)], wide);
  }
  const takesMore = emit.target.constantFilters === true && count(y.slice(2).map(Number)) >= manyPixels;
  if (groups > 1 || takesMore || !hasBlocks(emit, w))
    return emit.node("Conv", inputs, { ...onnxWindow(window), group: groups });
  const [x = "", filter = "", ...bias] = inputs;
  return emitBlocked(emit, [x, blockedFilter(emit, filter, w), ...bias], w[0] ?? 1, window);
}

/** Channels from which on a convolution with the flipped filter beats ConvTranspose (measured on CPU). */
const flipFrom = 8;

/** Whether the blocked convolution has but one block of channels to fill: its kernels then do half of what they could. */
const fillsOneBlock = ({ target }: Emitter, { x }: ConvSizes): boolean =>
  target.constantFilters === true && target.block > 0 && Number(x[1]) <= target.block;

/** Padding with which the input adjoint is a convolution of g with the flipped filter, or null where it is none. */
function flippedPads({ window, groups, x }: ConvSizes): readonly number[] | null {
  if (groups > 1 || Number(x[1]) < flipFrom || window.strides.some((stride) => stride > 1)) return null;
  const reach = window.kernel.map((taps, axis) => alongAxis(window, axis).dilation * (taps - 1));
  const pads = [...reach, ...reach].map((most, i) => most - (window.pads[i] ?? 0));
  return pads.every((p) => p >= 0) ? pads : null;
}

/** w [K, C, …] reversed along its spatial axes, as [C, K, …]. */
function flipped(emit: Emitter, w: string, { kernel }: Window): string {
  const axes = kernel.map((_, axis) => axis + 2);
  const minusOnes = emit.constant(repeated(-1, axes.length), "int64");
  const beyond = emit.constant(
    kernel.map((taps) => -taps - 1),
    "int64",
  );
  const turned = emit.node("Slice", [w, minusOnes, beyond, emit.constant(axes, "int64"), minusOnes]);
  return emit.node("Transpose", [turned], { perm: [1, 0, ...axes] });
}

/** x's cotangent from y's: elements behind the last window are reached through `output_padding`. */
export function lowerInputAdjoint(emit: Emitter, g: string, w: string, sizes: ConvSizes): string {
  if (isProduct(sizes)) return gemm(emit, [g, w], {}, sizes.x);
  const { window, groups, x } = sizes;
  const pads = flippedPads(sizes);
  if (pads !== null && !fillsOneBlock(emit, sizes)) {
    const turned = { ...window, pads };
    return hasBlocks(emit, sizes.w)
      ? emitBlocked(emit, [g, blockedTurned(emit, w, sizes.w)], Number(x[1]), turned)
      : emit.node("Conv", [g, flipped(emit, w, window)], onnxWindow(turned));
  }
  const phases = pads === null ? lowerPhases(emit, g, w, sizes) : null;
  if (phases !== null) return phases;
  if (wantsOneProduct(emit, sizes)) return lowerColumns(emit, g, w, sizes);
  const untouched = window.strides.map((stride, axis) => slack(Number(x[axis + 2]), window, axis) % stride);
  return emit.node("ConvTranspose", [g, w], {
    ...onnxWindow(window),
    group: groups,
    output_padding: untouched,
  });
}

/** x without the elements behind the last window, which no tap reads. */
function read(emit: Emitter, x: string, sizes: ConvSizes): [string, ConvSizes] {
  const { x: shape, window } = sizes;
  const [n = 1, channels = 1, ...spatial] = shape;
  const ends = spatial.map((size, axis) => {
    const { after, stride } = alongAxis(window, axis);
    return Number(size) - Math.max(0, (slack(Number(size), window, axis) % stride) - after);
  });
  const axes = ends.flatMap((end, axis) => (end < Number(spatial[axis]) ? [axis] : []));
  if (axes.length === 0) return [x, sizes];
  const bounds = [axes.map(() => 0), axes.map((axis) => ends[axis] ?? 0), axes.map((axis) => axis + 2)];
  const kept = emit.node("Slice", [x, ...bounds.map((values) => emit.constant(values, "int64"))]);
  return [kept, { ...sizes, x: [n, channels, ...ends] }];
}

/** x [N, groups·c, …, width] → [1, groups·N, …, width·c]: samples become channels, channels go into the width. */
function channelsInWidth(emit: Emitter, x: string, { x: shape, groups }: ConvSizes): string {
  const [n = 1, channels = 1, ...spatial] = shape;
  const perGroup = Number(channels) / groups;
  const axes = spatial.map((_, i) => i + 2);
  // Without groups one axis moves, which ONNX Runtime does several times faster than a general transpose.
  const moved =
    groups === 1
      ? emit.node("Transpose", [x], { perm: [0, ...axes, 1] })
      : emit.node("Transpose", [emitReshape(emit, x, [n, groups, perGroup, ...spatial])], {
          perm: [1, 0, ...axes.map((axis) => axis + 1), 2],
        });
  const wide = [...spatial.slice(0, -1), Number(spatial.at(-1)) * perGroup];
  return emitReshape(emit, moved, [1, multiplyDims(n, groups), ...wide]);
}

/** The window under which `channelsInWidth` meets y's cotangent: strides and dilations swap roles. */
function swappedWindow({ x, w, y, window }: ConvSizes): Window {
  const rank = window.kernel.length;
  const scale = (axis: number): number => (axis === rank - 1 ? (w[1] ?? 1) : 1);
  // Padding behind the last window is left out.
  const after = window.kernel.map((_, axis) => {
    const { after: pad, stride } = alongAxis(window, axis);
    return Math.max(0, pad - (slack(Number(x[axis + 2]), window, axis) % stride));
  });
  return {
    kernel: y.slice(2).map(Number),
    strides: window.dilations.map((dilation, axis) => (axis === rank - 1 ? 1 : dilation)),
    dilations: window.strides.map((stride, axis) => stride * scale(axis)),
    pads: [...window.pads.slice(0, rank), ...after].map((pad, i) => pad * scale(i % rank)),
  };
}

/**
 * w's cotangent from x and y's: a convolution over the samples with y's cotangent as its filter. With the channels
 * in the width it is one product [K, N·height·width] · [N·height·width, taps·c] – the fastest form measured.
 */
export function lowerFilterAdjoint(emit: Emitter, whole: string, g: string, given: ConvSizes): string {
  if (isProduct(given)) return gemm(emit, [g, whole], { transA: 1 }, given.w);
  const [x, sizes] = read(emit, whole, given);
  const { groups, window } = sizes;
  const [filters = 1, perGroup = 1, ...taps] = sizes.w;
  const last = taps.length - 1;
  const axes = taps.map((_, axis) => axis + 1);
  const swapped = swappedWindow(sizes);
  const kernel = emit.node("Transpose", [g], { perm: [1, 0, ...axes.map((axis) => axis + 1)] });
  const found = emit.node("Conv", [channelsInWidth(emit, x, sizes), kernel], {
    ...onnxWindow(swapped),
    group: groups,
  });
  // Without dilation each column is a tap.
  const step = window.dilations[last] ?? 1;
  const columns = ((taps[last] ?? 1) - 1) * step + 1;
  const apart = emitReshape(emit, found, [filters, ...taps.slice(0, last), columns, perGroup]);
  const every = (): string[] =>
    [[0], [columns], [last + 1], [step]].map((values) => emit.constant(values, "int64"));
  const wanted = step === 1 ? apart : emit.node("Slice", [apart, ...every()]);
  return emit.node("Transpose", [wanted], { perm: [0, last + 2, ...axes] });
}
