/*
 * The memory that ONNX Runtime 1.30 takes on the processor for a training step in a Loop: the file that runs is read,
 * its values are given buffers as the planner gives them (buffers.ts), and two runs are played through on a model of
 * the arena (arena.ts), which keeps what it has once taken. Two things make it more than what lives at once: an
 * iteration holds the state before and after it, and the loop's results are copies of the last one; and the arena's
 * pieces do not fit exactly.
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

/** One iteration, each buffer taken by itself. Returns the chunks of its results. */
function iterate(arena: Arena, buffers: readonly Buffer[]): Chunk[] {
  const chunks = new Map<Buffer, Chunk>();
  eachChange(buffers, {
    take: (buffer) => void chunks.set(buffer, arena.allocate(buffer.bytes)),
    give: (buffer) => {
      const chunk = chunks.get(buffer);
      if (chunk) arena.free(chunk);
    },
  });
  return buffers.flatMap((buffer) => (buffer.returned ? (chunks.get(buffer) ?? []) : []));
}

/** Iterations and runs after which nothing new is taken. */
const iterations = 3;
const runs = 2;

/** Bytes that the arena has taken when the runs are over. */
function played(buffers: readonly Buffer[], results: readonly number[]): number {
  const arena = emptyArena();
  for (let run = 0; run < runs; run++) {
    let state: Chunk[] = [];
    for (let i = 0; i < iterations; i++) {
      const next = iterate(arena, buffers);
      state.forEach(arena.free);
      state = next;
    }
    const copies = results.map(arena.allocate);
    [...state, ...copies].forEach(arena.free);
  }
  return arena.resident();
}

/** What the loop in the ONNX file `bytes` takes at a batch size. */
export function engineMemory(bytes: Uint8Array, batch: number): EngineMemory {
  const execution = executionOf(bytes, { batch });
  const buffers = buffersOf(execution);
  const results = execution.outputs.flatMap((name) => {
    const value = execution.values.get(name);
    return value ? [bytesOf(value)] : [];
  });
  return { activations: peakOf(buffers), resident: played(buffers, results) };
}
