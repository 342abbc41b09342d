// Which buffers the values of an execution take, from when to when, and how much lives at once.
import { count } from "../../base/shape.js";
import { bytesPerElement } from "../../base/tensor.js";
import type { Execution } from "./nodes.js";
import type { Value } from "./shapes.js";

export interface Buffer {
  readonly bytes: number;
  /** The node that first writes it, and the last one that needs it: places in the order of execution. */
  readonly from: number;
  readonly to: number;
  /** Holds a result of the graph, which outlives the execution. */
  readonly returned: boolean;
}

export const bytesOf = ({ shape, dtype }: Value): number => count(shape) * bytesPerElement[dtype];

/** Operators whose result is their input under another shape. */
const views = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze"]);

type Open = { -readonly [K in keyof Buffer]: Buffer[K] } & { readonly kind: string; uses: number };

/**
 * The buffers that ONNX Runtime's planner gives to an execution: results have their own, a view shares its input's, any
 * other value takes the buffer of its shape that was given up last – it is kept for that, however long it takes – or
 * a new one.
 */
export function buffersOf({ nodes, values, outputs }: Execution): Buffer[] {
  const returned = new Set(outputs);
  const uses = new Map<string, number>();
  for (const { inputs } of nodes) for (const name of inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  const held = new Map<string, Open>();
  const all: Open[] = [];
  const idle: Open[] = [];
  const open = (name: string, value: Value, now: number): Open => {
    const kind = `${bytesPerElement[value.dtype]} ${value.shape.join()}`;
    const place = returned.has(name) ? -1 : idle.findIndex((buffer) => buffer.kind === kind);
    const [reused] = place < 0 ? [] : idle.splice(place, 1);
    if (reused) return reused;
    const buffer = { bytes: bytesOf(value), from: now, to: now, returned: returned.has(name), kind, uses: 0 };
    all.push(buffer);
    return buffer;
  };
  const settle = (buffer: Open, now: number): void => {
    buffer.to = now;
    if (buffer.uses === 0 && !buffer.returned) idle.unshift(buffer);
  };
  nodes.forEach(({ operator, inputs, outputs: results }, now) => {
    const made = results.flatMap((name) => {
      const value = values.get(name);
      if (value === undefined) return [];
      const isView = views.has(operator) && !returned.has(name);
      const buffer = isView ? held.get(inputs[0] ?? "") : open(name, value, now);
      // A view of what the caller holds takes nothing.
      if (buffer === undefined) return [];
      buffer.uses += uses.get(name) ?? 0;
      held.set(name, buffer);
      return [buffer];
    });
    const read = inputs.flatMap((name) => held.get(name) ?? []);
    for (const buffer of read) buffer.uses--;
    for (const buffer of new Set([...read, ...made])) settle(buffer, now);
  });
  return all.map(({ bytes, from, to, returned: kept }) => ({ bytes, from, to, returned: kept }));
}

/** Buffers in the order in which they are taken and given up. */
export function eachChange(
  buffers: readonly Buffer[],
  { take, give }: { take: (buffer: Buffer) => void; give: (buffer: Buffer) => void },
): void {
  const ends = buffers.filter(({ returned }) => !returned).sort((a, b) => a.to - b.to);
  let next = 0;
  for (const buffer of buffers) {
    for (let end = ends[next]; end !== undefined && end.to < buffer.from; end = ends[++next]) give(end);
    take(buffer);
  }
  for (const end of ends.slice(next)) give(end);
}

/** The most bytes that are taken at once; results stay taken. */
export function peakOf(buffers: readonly Buffer[]): number {
  let [taken, peak] = [0, 0];
  const take = ({ bytes }: Buffer): void => {
    taken += bytes;
    peak = Math.max(peak, taken);
  };
  eachChange(buffers, { take, give: ({ bytes }) => void (taken -= bytes) });
  return peak;
}
