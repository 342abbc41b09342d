/*
 * The memory that ONNX Runtime 1.30 takes on the processor for a training step in a Loop: the file that runs is read,
 * its values are given buffers as the planner gives them (buffers.ts), and two runs are played through on a model of
 * the arena (arena.ts), which keeps what it has once taken. Three things make it more than what lives at once:
 * an iteration holds the state before and after it, and the loop's results are copies of the last one; the first
 * iteration takes its buffers one by one, while every later one asks for a single block that holds them all
 * (the "memory pattern"), which seldom fits into what the first one left; and the arena's pieces do not fit exactly.
 */
import { emptyArena, type Arena, type Chunk } from "./arena.js";
import { buffersOf, bytesOf, eachChange, peakOf, type Buffer } from "./buffers.js";
import { executionOf } from "./nodes.js";

export interface EngineMemory {
  /** Most bytes of values of one iteration that are needed at once, its results included. */
  readonly activations: number;
  /** Bytes that the engine takes from the system. */
  readonly resident: number;
}

/** Bytes of one block that holds all buffers but results, each at the tightest place that is free when it is taken. */
export function patternOf(buffers: readonly Buffer[]): number {
  const alignment = 64;
  const placed: { buffer: Buffer; from: number; to: number }[] = [];
  let size = 0;
  const take = (buffer: Buffer): void => {
    if (buffer.returned) return;
    const bytes = Math.ceil(buffer.bytes / alignment) * alignment;
    let [end, best, least] = [0, -1, Infinity];
    for (const { from, to } of placed) {
      if (from - end >= bytes && from - end < least) [best, least] = [end, from - end];
      end = Math.max(end, to);
    }
    const from = best < 0 ? end : best;
    placed.push({ buffer, from, to: from + bytes });
    placed.sort((a, b) => a.from - b.from);
    size = Math.max(size, from + bytes);
  };
  const give = (buffer: Buffer): void => {
    const index = placed.findIndex((place) => place.buffer === buffer);
    if (index >= 0) placed.splice(index, 1);
  };
  eachChange(buffers, { take, give });
  return size;
}

/** One iteration; without a block each buffer is taken by itself. Returns the chunks of its results. */
function iterate(arena: Arena, buffers: readonly Buffer[], block: number | null): Chunk[] {
  const whole = block === null ? null : arena.allocate(block);
  const chunks = new Map<Buffer, Chunk>();
  const take = (buffer: Buffer): void => {
    if (whole === null || buffer.returned) chunks.set(buffer, arena.allocate(buffer.bytes));
  };
  const give = (buffer: Buffer): void => {
    const chunk = chunks.get(buffer);
    if (chunk) arena.free(chunk);
  };
  eachChange(buffers, { take, give });
  if (whole) arena.free(whole);
  return buffers.flatMap((buffer) => (buffer.returned ? (chunks.get(buffer) ?? []) : []));
}

/** Iterations and runs after which nothing new is taken. */
const iterations = 3;
const runs = 2;

/** Bytes that the arena has taken when the runs are over, with a block of `block` bytes. */
function played(buffers: readonly Buffer[], results: readonly number[], block: number): number {
  const arena = emptyArena();
  for (let run = 0; run < runs; run++) {
    let state: Chunk[] = [];
    for (let i = 0; i < iterations; i++) {
      const next = iterate(arena, buffers, run + i === 0 ? null : block);
      state.forEach(arena.free);
      state = next;
    }
    const copies = results.map(arena.allocate);
    [...state, ...copies].forEach(arena.free);
  }
  return arena.resident();
}

/** The block's size is known to some 10 %, but it fits into a region or it does not: so several sizes are tried. */
const sizes = [0.9, 0.95, 1, 1.05, 1.1];

/** What the loop in the ONNX file `bytes` takes at a batch size. */
export function engineMemory(bytes: Uint8Array, batch: number): EngineMemory {
  const execution = executionOf(bytes, { batch });
  const buffers = buffersOf(execution);
  const block = patternOf(buffers);
  const results = execution.outputs.flatMap((name) => {
    const value = execution.values.get(name);
    return value ? [bytesOf(value)] : [];
  });
  const taken = sizes.map((size) => played(buffers, results, size * block));
  return {
    activations: peakOf(buffers),
    resident: Math.round(taken.reduce((a, b) => a + b, 0) / taken.length),
  };
}
