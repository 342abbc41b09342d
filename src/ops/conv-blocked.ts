// Convolutions in the blocked layout that ONNX Runtime keeps for itself (`com.microsoft.nchwc`).
import type { Emitter } from "../graph/op.js";
import { emitReshape } from "./reshape.js";
import { onnxWindow, type Window } from "./windows.js";

/** A filter [K, C, …] as [K/b, C/b, …, b (of C), b (of K)], still called [K, C, …]. */
function blockedFilter(emit: Emitter, w: string, shape: readonly number[], block: number): string {
  const [filters = 1, channels = 1, ...kernel] = shape;
  const split = [filters / block, block, channels / block, block, ...kernel];
  const perm = [0, 2, ...kernel.map((_, axis) => axis + 4), 3, 1];
  return emitReshape(emit, emit.node("Transpose", [emitReshape(emit, w, split)], { perm }), shape);
}

/**
 * x ⋆ w, for w [K, C, …], in the blocked layout that ONNX Runtime gives constant filters by itself: up to a third
 * faster, reordering included. Null where the channels are no whole blocks.
 */
export function emitBlocked(
  emit: Emitter,
  [x = "", w = "", ...bias]: readonly string[],
  shape: readonly number[],
  window: Window,
): string | null {
  const { block } = emit.target;
  const [filters = 1, channels = 1] = shape;
  if (block === 0 || window.kernel.length !== 2 || filters % block > 0 || channels % block > 0) return null;
  const domain = "com.microsoft.nchwc";
  const inputs = [emit.node(`${domain}.ReorderInput`, [x]), blockedFilter(emit, w, shape, block), ...bias];
  const y = emit.node(`${domain}.Conv`, inputs, onnxWindow(window));
  return emit.node(`${domain}.ReorderOutput`, [y], { channels: filters });
}
