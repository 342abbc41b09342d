// Quantised numbers in and out, and products of them.
import { isStatic } from "../../base/shape.js";
import type { Node } from "../../graph/node.js";
import {
  add,
  clip,
  div,
  matmul,
  maximum,
  minimum,
  mul,
  neg,
  reduceMax,
  reshape,
  round,
  stopGradient,
  straightThrough,
  sub,
} from "../../ops/index.js";
import type { Builder, Call } from "../call.js";
import { convolved, perChannel } from "../convolution.js";
import { dequantized, gridAt, layoutOf, quantized, quantizedType, type Grid } from "../quantization.js";

export const QuantizeLinear: Builder = (call) =>
  quantized(call.at(0), gridAt(call, 1, 2), quantizedType(call, 2), layoutOf(call));

export const DequantizeLinear: Builder = (call) =>
  dequantized(call.at(0), gridAt(call, 1, 2), layoutOf(call));

/**
 * 8 bits between the smallest and the largest element, which the file looks for in all it is given: here in each
 * image, so that none depends on its neighbours.
 */
export const DynamicQuantizeLinear: Builder = (call) => {
  const x = call.at(0);
  const perImage = !isStatic(x.shape);
  if (perImage) call.note("quantised dynamically: the range is that of each image, not of the batch");
  const over = perImage ? { axes: x.shape.slice(1).map((_, i) => i + 1), keepDims: true } : {};
  const fixed = stopGradient(x);
  const high = maximum(reduceMax(fixed, over), 0);
  const low = minimum(neg(reduceMax(neg(fixed), over)), 0);
  const scale = div(sub(high, low), 255);
  const zero = round(clip(div(neg(low), scale), 0, 255));
  const whole = div(x, scale);
  return [clip(add(straightThrough(whole, round(whole)), zero), 0, 255), scale, zero];
};

/** [M] as [M, 1]: one zero point for each row. */
const perRow = (zero: Node): Node => (zero.shape.length === 1 ? reshape(zero, [...zero.shape, 1]) : zero);

const centredRows = (call: Call, index: number, zero: number): Node =>
  call.has(zero) ? sub(call.at(index), perRow(call.at(zero))) : call.at(index);

/** (A − a)·(B − b). */
export const MatMulInteger: Builder = (call) =>
  matmul(centredRows(call, 0, 2), call.has(3) ? sub(call.at(1), call.at(3)) : call.at(1));

export const ConvInteger: Builder = (call) => {
  const [x, w] = [call.at(0), call.at(1)];
  const filters = call.has(3) ? sub(w, perChannel(call.at(3), w, 0)) : w;
  return convolved(call, call.has(2) ? sub(x, call.at(2)) : x, filters);
};

export const QLinearMatMul: Builder = (call) => {
  const [a, b] = [call.at(0), call.at(3)];
  const rows: Grid = { scale: perRow(call.at(1)), zero: perRow(call.at(2)) };
  const product = matmul(dequantized(a, rows), dequantized(b, gridAt(call, 4, 5), { axis: -1 }));
  const grid: Grid = { scale: perRow(call.at(6)), zero: perRow(call.at(7)) };
  return quantized(product, grid, quantizedType(call, 7));
};

export const QLinearConv: Builder = (call) => {
  const [x, w] = [dequantized(call.at(0), gridAt(call, 1, 2)), call.at(3)];
  const scales = gridAt(call, 4, 5);
  const y = convolved(call, x, dequantized(w, scales, { axis: 0 }));
  const bias = call.has(8) ? perChannel(mul(call.at(8), mul(call.at(1), scales.scale)), y) : null;
  return quantized(bias ? add(y, bias) : y, gridAt(call, 6, 7), quantizedType(call, 7));
};
