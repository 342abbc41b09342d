// ONNX forms of a convolution and its two adjoints; shapes are x [N, C, …], w [K, C/groups, …], y [N, K, …].
import { multiplyDims, type Shape } from "../base/shape.js";
import type { Emitter } from "../graph/op.js";
import type { ConvSizes } from "./conv-sizes.js";
import { alongAxis, repeated, slack, type Window } from "./windows.js";

/** Reshapes to `shape`, of which at most one size depends on the batch. */
export const emitReshape = (emit: Emitter, value: string, shape: Shape): string => {
  const sizes = shape.map((d) => (typeof d === "number" ? d : -1));
  return emit.node("Reshape", [value, emit.constant(sizes, "int64")]);
};

const onnxWindow = ({ kernel, strides, dilations, pads }: Window, groups: number) => ({
  kernel_shape: kernel,
  strides,
  dilations,
  pads,
  group: groups,
});

/** One window that is the whole input: the convolution is a matrix product of the flattened operands. */
const isProduct = ({ x, w, window, groups }: ConvSizes): boolean =>
  groups === 1 &&
  window.dilations.every((d) => d === 1) &&
  window.pads.every((p) => p === 0) &&
  w.slice(2).every((taps, axis) => taps === x[axis + 2]);

const gemm = (
  emit: Emitter,
  a: string,
  b: string,
  flags: { transA?: 1; transB?: 1 },
  shape: Shape,
): string => {
  const [flatA, flatB] = [emit.node("Flatten", [a], { axis: 1 }), emit.node("Flatten", [b], { axis: 1 })];
  return emitReshape(emit, emit.node("Gemm", [flatA, flatB], flags), shape);
};

/** y from x and w. */
export function lowerConv(emit: Emitter, x: string, w: string, sizes: ConvSizes): string {
  if (isProduct(sizes)) return gemm(emit, x, w, { transB: 1 }, sizes.y);
  return emit.node("Conv", [x, w], onnxWindow(sizes.window, sizes.groups));
}

/** Channels from which on a convolution with the flipped filter beats ConvTranspose (measured on CPU). */
const flipFrom = 8;

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
  if (isProduct(sizes)) return gemm(emit, g, w, {}, sizes.x);
  const { window, groups, x } = sizes;
  const pads = flippedPads(sizes);
  if (pads !== null)
    return emit.node("Conv", [g, flipped(emit, w, window)], onnxWindow({ ...window, pads }, 1));
  const untouched = window.strides.map((stride, axis) => slack(Number(x[axis + 2]), window, axis) % stride);
  return emit.node("ConvTranspose", [g, w], { ...onnxWindow(window, groups), output_padding: untouched });
}

/** [N, groups·c, …] → [c, groups·N, …]: samples become the channels over which a convolution sums. */
function samplesAsChannels(emit: Emitter, x: string, shape: Shape, groups: number): string {
  const [n = 1, channels = 1, ...spatial] = shape;
  const rest = spatial.map((_, i) => i);
  if (groups === 1) return emit.node("Transpose", [x], { perm: [1, 0, ...rest.map((i) => i + 2)] });
  const perGroup = Number(channels) / groups;
  const split = emitReshape(emit, x, [n, groups, perGroup, ...spatial]);
  const swapped = emit.node("Transpose", [split], { perm: [2, 1, 0, ...rest.map((i) => i + 3)] });
  return emitReshape(emit, swapped, [perGroup, multiplyDims(n, groups), ...spatial]);
}

/** w's cotangent from x and y's: a convolution over the samples, in which strides and dilations swap roles. */
export function lowerFilterAdjoint(emit: Emitter, x: string, g: string, sizes: ConvSizes): string {
  if (isProduct(sizes)) return gemm(emit, g, x, { transA: 1 }, sizes.w);
  const { window, groups, w } = sizes;
  const swapped: Window = {
    kernel: sizes.y.slice(2).map(Number),
    strides: window.dilations,
    dilations: window.strides,
    pads: window.pads,
  };
  const images = samplesAsChannels(emit, x, sizes.x, groups);
  const filters = samplesAsChannels(emit, g, sizes.y, 1);
  const found = emit.node("Conv", [images, filters], onnxWindow(swapped, groups));
  const filter = emit.node("Transpose", [found], { perm: [1, 0, ...window.kernel.map((_, i) => i + 2)] });
  const counts = window.kernel.map((_, axis) => {
    const free = slack(Number(sizes.x[axis + 2]), swapped, axis);
    return Math.floor(free / alongAxis(swapped, axis).stride) + 1;
  });
  const axes = counts.flatMap((count, axis) => (count > (w[axis + 2] ?? 1) ? [axis + 2] : []));
  if (axes.length === 0) return filter;
  return emit.node("Slice", [
    filter,
    emit.constant(repeated(0, axes.length), "int64"),
    emit.constant(
      axes.map((axis) => w[axis] ?? 1),
      "int64",
    ),
    emit.constant(axes, "int64"),
  ]);
}
