// Convolutions in the blocked layout that ONNX Runtime keeps for itself (`com.microsoft.nchwc`).
import { count } from "../base/shape.js";
import type { Emitter } from "../graph/op.js";
import { emitReshape } from "./reshape.js";
import { onnxWindow, type Window } from "./windows.js";

/** A transpose of `value` seen as `shape`. Moves of single axes are what ONNX Runtime does fast. */
const moved = (emit: Emitter, value: string, shape: readonly number[], perm: readonly number[]): string =>
  emit.node("Transpose", [emitReshape(emit, value, shape)], { perm });

/** Whether the engine can run a convolution with filters [K, C, …] in blocks of channels. */
export function hasBlocks({ target: { block } }: Emitter, shape: readonly number[]): boolean {
  const [filters = 1, channels = 1, ...kernel] = shape;
  return block > 0 && kernel.length === 2 && filters % block === 0 && channels % block === 0;
}

/** Filters [K, C, …] as [K/b, C/b, …, b (of C), b (of K)]. */
export function blockedFilter(emit: Emitter, w: string, shape: readonly number[]): string {
  const { block } = emit.target;
  const [filters = 1, channels = 1, ...kernel] = shape;
  const taps = count(kernel);
  const inner = moved(emit, w, [filters / block, block, channels * taps], [0, 2, 1]);
  const blocks = (filters * channels) / block ** 2;
  return emitReshape(emit, moved(emit, inner, [blocks, block, taps, block], [0, 2, 1, 3]), shape);
}

/** The same of w [K, C, …] with its taps reversed and its first two axes swapped: [C/b, K/b, …, b (of K), b (of C)]. */
export function blockedTurned(emit: Emitter, w: string, shape: readonly number[]): string {
  const { block } = emit.target;
  const [filters = 1, channels = 1, ...kernel] = shape;
  const [taps, area] = [count(kernel), block ** 2];
  const inner = moved(emit, w, [filters, channels / block, block, taps], [0, 1, 3, 2]);
  const rows = moved(emit, inner, [filters / block, block, (channels / block) * taps, block], [0, 2, 1, 3]);
  const swapped = moved(emit, rows, [filters / block, channels / block, taps * area], [1, 0, 2]);
  const flat = emitReshape(emit, swapped, [(filters * channels) / area, taps, area]);
  const bounds = [[-1], [-taps - 1], [1], [-1]].map((values) => emit.constant(values, "int64"));
  return emitReshape(emit, emit.node("Slice", [flat, ...bounds]), [channels, filters, ...kernel]);
}

/**
 * x ⋆ filter, the filter in blocks and perhaps with a bias [K]: the layout that ONNX Runtime gives constant filters
 * by itself, up to a third faster, reordering included.
 */
export function emitBlocked(
  emit: Emitter,
  inputs: readonly string[],
  filters: number,
  window: Window,
): string {
  const [x = "", ...rest] = inputs;
  const domain = "com.microsoft.nchwc";
  const y = emit.node(
    `${domain}.Conv`,
    [emit.node(`${domain}.ReorderInput`, [x]), ...rest],
    onnxWindow(window),
  );
  return emit.node(`${domain}.ReorderOutput`, [y], { channels: filters });
}
