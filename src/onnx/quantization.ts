// Quantisation, simulated in float32: rounding passes the gradient straight through, saturation stops it. Whole
// numbers up to 2²⁴ are exact there, as products of 8-bit numbers in all but the widest layers are.
import { fail } from "../base/errors.js";
import { multiplyDims, resolveAxis } from "../base/shape.js";
import type { Node } from "../graph/node.js";
import {
  add,
  broadcastTo,
  clip,
  div,
  mul,
  reshape,
  round,
  slice,
  straightThrough,
  sub,
} from "../ops/index.js";
import type { Call } from "./call.js";
import { elementType } from "./read-tensor.js";

/** Smallest and largest number of each type that is quantised to. */
const ranges: Readonly<Record<string, readonly [low: number, high: number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

/** Where a scale and its zero point stand among a call's inputs. */
export interface Grid {
  readonly scale: Node;
  readonly zero: Node | null;
}

export const gridAt = (call: Call, scale: number, zero: number): Grid => ({
  scale: call.at(scale),
  zero: call.has(zero) ? call.at(zero) : null,
});

/** [C] as a tensor that broadcasts along `axis` of x; scalars and tensors of x's rank stay, each block repeated. */
function alongAxis(v: Node, x: Node, axis: number, block: number): Node {
  const rank = x.shape.length;
  if (v.shape.length === 0 || (v.shape.length === 1 && v.shape[0] === 1)) return reshape(v, []);
  if (v.shape.length === 1) {
    const at = resolveAxis("axis", axis, rank);
    return reshape(v, [v.shape[0] ?? 1, ...x.shape.slice(at + 1).map(() => 1)]);
  }
  if (block === 0) return v;
  const at = resolveAxis("axis", axis, rank);
  const [before, blocks = 1, behind] = [v.shape.slice(0, at), v.shape[at], v.shape.slice(at + 1)];
  const wide = broadcastTo(reshape(v, [...before, blocks, 1, ...behind]), [
    ...before,
    blocks,
    block,
    ...behind,
  ]);
  const whole = reshape(wide, [...before, multiplyDims(blocks, block), ...behind]);
  return slice(whole, { axes: [at], starts: [0], ends: [x.shape[at] ?? 1] });
}

interface Layout {
  readonly axis?: number;
  readonly block?: number;
}

/** (q − zero)·scale. */
export function dequantized(q: Node, { scale, zero }: Grid, { axis = 1, block = 0 }: Layout = {}): Node {
  const centred = zero === null ? q : sub(q, alongAxis(zero, q, axis, block));
  return mul(centred, alongAxis(scale, q, axis, block));
}

/** x/scale rounded, + zero, kept within the range of the type called `stored`. */
export function quantized(
  x: Node,
  { scale, zero }: Grid,
  stored: string,
  { axis = 1, block = 0 }: Layout = {},
): Node {
  const [low, high] =
    ranges[stored] ?? fail("quantised type", "8 or 16 bits", stored, Object.keys(ranges).join(", "));
  const level = div(x, alongAxis(scale, x, axis, block));
  const whole = straightThrough(level, round(level));
  return clip(zero === null ? whole : add(whole, alongAxis(zero, x, axis, block)), low, high);
}

export const layoutOf = (call: Call): Layout => ({
  axis: call.int("axis", 1),
  block: call.int("block_size", 0),
});

/** The type to which a node quantises: that of its zero point, else its attribute's. */
export function quantizedType(call: Call, zero: number): string {
  const given = call.int("output_dtype", 0);
  return (call.has(zero) ? call.stored(zero) : null) ?? (given === 0 ? "uint8" : elementType(given));
}
