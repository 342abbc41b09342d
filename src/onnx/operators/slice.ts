// Ranges of a tensor, and padding around it.
import { check, fail } from "../../base/errors.js";
import { addDims, resolveAxis, type Dim } from "../../base/shape.js";
import { fromNumbers } from "../../base/tensor.js";
import { constant, type Node } from "../../graph/node.js";
import { broadcastTo, greater, pad, slice, where } from "../../ops/index.js";
import { axesOf, numberAt, type Builder, type Call } from "../call.js";
import { take } from "../elements.js";
import { moved } from "../value.js";

/** `index` counted from the front and kept within [0, size]; beyond any size it stands for the end. */
function bounded(index: Dim, size: Dim): Dim {
  if (typeof index !== "number") return index;
  if (typeof size === "number") return Math.min(Math.max(index < 0 ? index + size : index, 0), size);
  if (index >= 2 ** 31 - 1) return size;
  if (index <= 1 - 2 ** 31) return 0;
  return index < 0 ? addDims(size, index) : index;
}

/** x backwards along `axis`: from `start` down to, not including, `end`. */
function backwards(x: Node, axis: number, start: Dim, end: Dim, step: number): Node {
  const size = x.shape[axis];
  if (typeof size !== "number" || typeof start !== "number" || typeof end !== "number")
    return fail("steps", "1 along the batch", String(step));
  const from = Math.min(start < 0 ? start + size : start, size - 1);
  const to = Math.max(end < 0 ? end + size : end, -1);
  const data: number[] = [];
  for (let at = from; at > to; at += step) data.push(at);
  return take(x, { shape: [data.length], data }, axis);
}

interface Range {
  readonly axis: number;
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number;
}

/** Attributes before operator set 10, then inputs. */
function rangesOf(call: Call, rank: number): Range[] {
  const old = call.opset < 10;
  const starts: readonly Dim[] = old ? (call.ints("starts") ?? []) : call.sizes(1);
  const ends: readonly Dim[] = old ? (call.ints("ends") ?? []) : call.sizes(2);
  const axes = axesOf(call, 3) ?? starts.map((_, i) => i);
  const steps = call.has(4) ? call.numbers(4).data : starts.map(() => 1);
  return starts.map((start, i) => ({
    axis: resolveAxis("axes", axes[i] ?? 0, rank),
    start,
    end: ends[i] ?? fail("ends", `${starts.length} ends`, String(ends.length)),
    step: steps[i] ?? 1,
  }));
}

function cut(x: Node, { axis, start, end, step }: Range): Node {
  check(step !== 0, "steps", "steps other than 0", () => "0");
  if (step < 0) return backwards(x, axis, start, end, step);
  const size = x.shape[axis] ?? 1;
  const [from, to] = [bounded(start, size), bounded(end, size)];
  const empty = typeof from === "number" && typeof to === "number" && to < from;
  return slice(x, { axes: [axis], starts: [from], ends: [empty ? from : to], steps: [step] });
}

export const Slice: Builder = (call) =>
  moved([call.value(0)], ([x]) => {
    const node = x ?? call.at(0);
    return rangesOf(call, node.shape.length).reduce(cut, node);
  });

/** Pads [before, after] of each axis of a tensor of `rank`. */
function padsOf(call: Call, rank: number): (readonly [before: number, after: number])[] {
  const pads = (call.opset < 11 ? call.ints("pads") : call.numbers(1).data) ?? [];
  const largest = 2 ** 20;
  const beyond = pads.find((n) => Math.abs(n) > largest);
  check(beyond === undefined, "pads", `numbers up to ${largest}`, () => String(beyond));
  const axes = call.has(3) ? call.numbers(3).data.map((axis) => resolveAxis("axes", axis, rank)) : null;
  const given = pads.length / 2;
  check(given === (axes?.length ?? rank), "pads", `${2 * (axes?.length ?? rank)} pads`, () =>
    String(pads.length),
  );
  return Array.from({ length: rank }, (_, axis) => {
    const i = axes === null ? axis : axes.indexOf(axis);
    return i < 0 ? [0, 0] : [pads[i] ?? 0, pads[i + given] ?? 0];
  });
}

type Pads = readonly (readonly [before: number, after: number])[];

/** Zeros around x, or `value`; what is padded by a negative number is cut off. */
function padConstant(x: Node, pads: Pads, value: number): Node {
  const [before, after] = [0, 1].map((side) => pads.map((pair) => Math.max(0, pair[side] ?? 0)));
  const around = (node: Node): Node => pad(node, before ?? [], after ?? []);
  const wide = around(x);
  const filled =
    value === 0 || wide === x ? wide : where(greater(around(broadcastTo(1, x.shape)), 0), wide, value);
  return pads.reduce((node, [front, back], axis) => {
    if (front >= 0 && back >= 0) return node;
    const [start, end] = [Math.max(0, -front), addDims(node.shape[axis] ?? 1, Math.min(0, back))];
    return slice(node, { axes: [axis], starts: [start], ends: [end] });
  }, filled);
}

/** For each padded position the one it repeats. */
const repeats: Readonly<Record<string, (at: number, size: number) => number>> = {
  edge: (at, size) => Math.min(Math.max(at, 0), size - 1),
  wrap: (at, size) => ((at % size) + size) % size,
  reflect: (at, size) => {
    const period = Math.max(1, 2 * (size - 1));
    const folded = ((at % period) + period) % period;
    return Math.min(folded, period - folded);
  },
};

function padRepeating(x: Node, pads: Pads, source: (at: number, size: number) => number): Node {
  return pads.reduce((node, [before, after], axis) => {
    if (before === 0 && after === 0) return node;
    const size = node.shape[axis];
    if (typeof size !== "number") return fail("pads", "none along the batch", `${before} and ${after}`);
    const length = before + size + after;
    const data = Array.from({ length }, (_, i) => source(i - before, size));
    return take(node, { shape: [length], data }, axis);
  }, x);
}

/** Attributes before operator set 11, then inputs. */
export const Pad: Builder = (call) => {
  const x = call.at(0);
  const mode = call.text("mode", "constant");
  const pads = padsOf(call, x.shape.length);
  const given = call.opset < 11 ? call.float("value", 0) : call.has(2) ? numberAt(call, 2) : 0;
  if (mode === "constant") return padConstant(x, pads, given);
  const source = repeats[mode];
  if (source === undefined)
    return fail("attribute 'mode'", "a known mode", mode, "constant, edge, reflect, wrap");
  return padRepeating(x, pads, source);
};

/** A tensor of one value; known where it holds whole numbers. */
export const ConstantOfShape: Builder = (call) => {
  const value = call.tensor("value");
  const shape = call.sizes(0);
  const element = value ?? fromNumbers("float32", [1], [0]);
  const one = constant({ ...element, shape: [] });
  if (element.dtype === "float32") return broadcastTo(one, shape);
  return moved([{ kind: "known", dtype: element.dtype, shape: [], data: [Number(element.data[0])] }], ([x]) =>
    broadcastTo(x ?? one, shape),
  );
};
