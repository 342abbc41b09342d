// Selection at the maxima of windows without their indices, which WebGPU does not give: tap after tap in arithmetic.
import { addDims, count } from "../base/shape.js";
import { floats } from "../base/tensor.js";
import { constant, type Node, type Operand } from "../graph/node.js";
import { add, mul, sub } from "./arithmetic.js";
import { cast, greaterEqual } from "./compare.js";
import { pad, slice, unslice } from "./structure.js";
import { alongAxis, repeated, type Window } from "./windows.js";

/** The elements of the padded input that one tap of every window reads. */
interface Range {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps: readonly number[];
}

/** The taps of a window in row-major order, for `counts` windows along each spatial axis. */
function rangesOf(counts: readonly number[], window: Window): Range[] {
  const places = window.kernel.reduce<number[][]>(
    (all, taps) => all.flatMap((place) => repeated(0, taps).map((_, tap) => [...place, tap])),
    [[]],
  );
  return places.map((place) => {
    const starts = place.map((tap, axis) => tap * alongAxis(window, axis).dilation);
    const reach = counts.map((n, axis) => (n - 1) * alongAxis(window, axis).stride);
    return {
      starts,
      ends: starts.map((start, axis) => start + (reach[axis] ?? 0) + 1),
      steps: window.strides,
    };
  });
}

const cut = (x: Node, range: Range): Node =>
  slice(x, { axes: range.starts.map((_, axis) => axis + 2), ...range });

const padded = (x: Node, { kernel, pads }: Window): Node =>
  pad(x, [0, 0, ...pads.slice(0, kernel.length)], [0, 0, ...pads.slice(kernel.length)]);

/** 1 within the input, 0 in the padding; null without padding. */
function frameOf(spatial: readonly number[], window: Window): Node | null {
  if (window.pads.every((width) => width === 0)) return null;
  return padded(constant(floats([1, 1, ...spatial], repeated(1, count(spatial)))), window);
}

/** Each tap with the windows whose first maximum it is: 1 there, else 0, of the shape of y = maxPool(x). */
function firstMaximaByTap(x: Node, y: Node, window: Window): { range: Range; first: Node }[] {
  const [wide, frame] = [padded(x, window), frameOf(x.shape.slice(2).map(Number), window)];
  let open: Operand = 1;
  return rangesOf(y.shape.slice(2).map(Number), window).map((range) => {
    const reaches = cast(greaterEqual(cut(wide, range), y), "float32");
    const first = mul(frame === null ? reaches : mul(reaches, cut(frame, range)), open);
    open = sub(open, first);
    return { range, first };
  });
}

const total = (parts: readonly Node[]): Node => parts.reduce((sum, part) => add(sum, part));

/** u at the first maxima of x's windows; y their values. */
export function selectFromTaps(x: Node, y: Node, u: Node, window: Window): Node {
  const wide = padded(u, window);
  return total(firstMaximaByTap(x, y, window).map(({ range, first }) => mul(first, cut(wide, range))));
}

/** Zeros like x with g added at the first maximum of each window; y the maxima's values. */
export function scatterToTaps(x: Node, y: Node, g: Node, window: Window): Node {
  const { shape } = padded(x, window);
  const spread = firstMaximaByTap(x, y, window).map(({ range: { starts, ends, steps }, first }) =>
    unslice(mul(first, g), shape, {
      starts: [0, 0, ...starts],
      ends: [...shape.slice(0, 2), ...ends],
      steps: [1, 1, ...steps],
    }),
  );
  const axes = x.shape.slice(2).map((_, axis) => axis + 2);
  const before = window.pads.slice(0, axes.length);
  const ends = before.map((width, axis) => addDims(x.shape[axis + 2] ?? 0, width));
  return slice(total(spread), { axes, starts: before, ends });
}
