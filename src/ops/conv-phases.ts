// The input adjoint of a strided convolution as one plain convolution: each of the stride² phases of the result is a
// convolution of the cotangent with every stride-th tap.
import type { Emitter } from "../graph/op.js";
import type { ConvSizes } from "./conv-sizes.js";
import { blockedFilter, emitBlocked, hasBlocks } from "./conv-blocked.js";
import { emitReshape } from "./reshape.js";
import { alongAxis, repeated } from "./windows.js";

/** Along one axis: taps a phase has, where its first output lies, how many there are. */
interface PhaseAxis {
  readonly stride: number;
  readonly taps: number;
  /** Outputs of a phase: of these the result's first element is number `offset` when phases are interleaved. */
  readonly count: number;
  readonly offset: number;
  readonly size: number;
  readonly pads: readonly [before: number, after: number];
}

function phaseAxis({ x, y, window }: ConvSizes, axis: number): PhaseAxis {
  const { taps, stride, before } = alongAxis(window, axis);
  const [size, windows] = [Number(x[axis + 2]), Number(y[axis + 2])];
  // Element i of the result lies in phase (i + before) mod stride, at place ⌊(i + before) / stride⌋.
  const first = Math.floor(before / stride);
  const end = Math.ceil((size + before) / stride);
  const perPhase = taps / stride;
  return {
    stride,
    taps: perPhase,
    count: end - first,
    offset: before - stride * first,
    size,
    pads: [perPhase - 1 - first, end - windows],
  };
}

/** w [K, C, s·t, s′·t′] → [s·s′·C, K, t, t′], the taps of each phase reversed. */
function phaseFilters(emit: Emitter, w: string, { w: shape }: ConvSizes, axes: readonly PhaseAxis[]): string {
  const [filters = 1, channels = 1] = shape;
  const split = emitReshape(emit, w, [
    filters,
    channels,
    ...axes.flatMap(({ taps, stride }) => [taps, stride]),
  ]);
  const minusOnes = emit.constant([-1, -1], "int64");
  const beyond = emit.constant(
    axes.map(({ taps }) => -taps - 1),
    "int64",
  );
  const turned = emit.node("Slice", [split, minusOnes, beyond, emit.constant([2, 4], "int64"), minusOnes]);
  const moved = emit.node("Transpose", [turned], { perm: [3, 5, 1, 0, 2, 4] });
  const phases = axes.reduce((n, { stride }) => n * stride, channels);
  return emitReshape(emit, moved, [phases, filters, ...axes.map(({ taps }) => taps)]);
}

/** [N, s·s′·C, h, w] → [N, C, h·s, w·s′], the columns first: two transposes of whole rows beat one of elements. */
function interleave(
  emit: Emitter,
  z: string,
  { x }: ConvSizes,
  [rows, columns]: readonly PhaseAxis[],
): string {
  if (rows === undefined || columns === undefined) return z;
  const [n = 1, channels = 1] = x;
  const lines = Number(channels) * rows.count;
  const apart = emitReshape(emit, z, [n, rows.stride, columns.stride, lines, columns.count]);
  const wide = emit.node("Transpose", [apart], { perm: [0, 1, 3, 4, 2] });
  const width = columns.count * columns.stride;
  const joined = emitReshape(emit, wide, [n, rows.stride, lines, width]);
  const tall = emit.node("Transpose", [joined], { perm: [0, 2, 1, 3] });
  return emitReshape(emit, tall, [n, channels, rows.count * rows.stride, width]);
}

/**
 * x's cotangent from g [N, K, …] and w [K, C, …], or null where another form is as fast: the stride must divide the
 * kernel, so that no phase has taps of zeros, and the engine must have blocked convolutions.
 */
export function lowerPhases(emit: Emitter, g: string, w: string, sizes: ConvSizes): string | null {
  const { window, groups } = sizes;
  const divides = window.kernel.every((taps, axis) => taps % (window.strides[axis] ?? 1) === 0);
  const rank = window.kernel.length;
  if (rank !== 2 || groups > 1 || !divides || window.dilations.some((d) => d > 1)) return null;
  const axes = window.kernel.map((_, axis) => phaseAxis(sizes, axis));
  if (axes.some(({ pads }) => pads[0] < 0 || pads[1] < 0)) return null;
  const kernel = axes.map(({ taps }) => taps);
  const [filters = 1, channels = 1] = sizes.w;
  const shape = [axes.reduce((n, { stride }) => n * stride, channels), filters, ...kernel];
  if (!hasBlocks(emit, shape)) return null;
  const plain = {
    kernel,
    strides: repeated(1, rank),
    dilations: repeated(1, rank),
    pads: [...axes.map(({ pads }) => pads[0]), ...axes.map(({ pads }) => pads[1])],
  };
  const filter = blockedFilter(emit, phaseFilters(emit, w, sizes, axes), shape);
  const phases = emitBlocked(emit, [g, filter], shape[0] ?? 1, plain);
  const whole = interleave(emit, phases, sizes, axes);
  if (axes.every(({ offset, size, count, stride }) => offset === 0 && size === count * stride)) return whole;
  const bounds = [axes.map(({ offset }) => offset), axes.map(({ offset, size }) => offset + size), [2, 3]];
  return emit.node("Slice", [whole, ...bounds.map((values) => emit.constant(values, "int64"))]);
}
