// The input adjoint of a convolution as one product over the whole batch, whose columns are then added up where their
// taps lie. ONNX Runtime's ConvTranspose takes a product for each sample, which reads all of the filters anew.
import { count, multiplyDims } from "../base/shape.js";
import type { Emitter } from "../graph/op.js";
import type { ConvSizes } from "./conv-sizes.js";
import { emitReshape } from "./reshape.js";

/** Numbers in the filters from which on they are too many for the processor's cache to keep (measured on CPU). */
const manyWeights = 2 ** 20;

/** Whether the filters are so large that one product for all samples is faster than one for each. */
export const wantsOneProduct = ({ target }: Emitter, { w, window, groups }: ConvSizes): boolean =>
  target.block > 0 && groups === 1 && window.kernel.length === 2 && count(w) >= manyWeights;

/** x's cotangent from g [N, K, h, w] and w [K, C, …]: columns [N, h·w, C·taps] = g·w, summed by `Col2Im`. */
export function lowerColumns(
  emit: Emitter,
  g: string,
  w: string,
  { x, w: filters, y, window }: ConvSizes,
): string {
  const [n = 1, channels = 1, ...image] = x;
  const [k = 1, , ...taps] = filters;
  const [, , height = 1, width = 1] = y;
  // Flat, since ONNX Runtime takes a transpose in front of a product of stacks into it, stack by stack.
  const last = emit.node("Flatten", [emit.node("Transpose", [g], { perm: [0, 2, 3, 1] })], { axis: 3 });
  const flat = emitReshape(emit, w, [k, Number(channels) * count(taps)]);
  const columns = emitReshape(emit, emit.node("MatMul", [last, flat]), [
    n,
    multiplyDims(height, Number(width)),
    Number(channels) * count(taps),
  ]);
  const blocks = emit.node("Transpose", [columns], { perm: [0, 2, 1] });
  const sizes = [image.map(Number), taps].map((values) => emit.constant(values, "int64"));
  const { strides, dilations, pads } = window;
  return emit.node("Col2Im", [blocks, ...sizes], { strides, dilations, pads });
}
