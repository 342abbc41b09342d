/*
 * The memory that training adds to an idle process. The engine's part is played through in
 * runtime/memory/engine-memory.ts. The host keeps the state – weights, slots, statistics – several times: as training
 * began, as the engine's thread holds it, as the run under way returns it, and as earlier runs returned it until the
 * collector frees them. Feeds exist for the run under way and for the next one.
 */
import { count, resolveShape } from "../base/shape.js";
import { bytesPerElement } from "../base/tensor.js";
import type { InputNode } from "../graph/node.js";
import { anyRuntime, type Target } from "../graph/op.js";
import { multiplyAdds } from "../graph/work.js";
import { exportLoop } from "../onnx/export.js";
import { engineMemory } from "../runtime/memory/engine-memory.js";
import { runLimits, stepsPerRun } from "./run-limits.js";
import type { TrainStep } from "./train-step.js";

/** Bytes. */
export interface TrainingMemory {
  /** Weights, statistics and the optimizer's slots, once. */
  readonly state: number;
  /** Values that one step needs at once, with the state that comes out of it. */
  readonly activations: number;
  /** What the engine takes from the system. */
  readonly engine: number;
  /** What the host keeps: copies of the state, feeds, moving inputs, the graphs. */
  readonly host: number;
  /** All that training adds to an idle process at its peak. */
  readonly total: number;
}

/** Copies of the state in host memory: the first one, the engine's, the next one; and those that await collection. */
const copies = 3 + 2.5;
/** Chunks of feeds: the running one and the prepared one. */
const chunks = 2;
/** Graph, file and session of a step, and what the heap grows by: measured, much the same for all networks. */
const fixed = 20e6;
/** Multiply–adds a second; only tells how many quick steps go into one run. */
const speed = 1.5e11;

const bytesOf = ({ shape, dtype }: InputNode, batch: number): number =>
  count(resolveShape(shape, batch)) * bytesPerElement[dtype];

/** How many steps one run takes at most. */
function stepsOf({ loop }: TrainStep, batch: number, state: number): number {
  const [inputs] = loop.scanned;
  const work = multiplyAdds(
    loop.carried.map(({ next }) => next),
    batch,
  );
  const bytes = { inputs: inputs ? bytesOf(inputs, batch) : 1, state };
  return Math.max(runLimits.firstSteps, stepsPerRun((1000 * work) / speed, bytes));
}

/** Bytes of the inputs that `step` moves, and of what else it keeps of each, in images of `numbers` numbers in all. */
export const movedBytes = ({ movesInputs, perSample }: TrainStep, numbers: number): number =>
  movesInputs ? 4 * (1 + perSample.length) * numbers : 0;

export interface MemoryOptions {
  /** Size of the moving inputs, bytes; default 0. */
  readonly moved?: number;
  /** What runs the step; default any runtime. */
  readonly target?: Target;
}

/** What training `step` in batches of `batch` samples takes. */
export function trainingMemory(step: TrainStep, batch: number, options: MemoryOptions = {}): TrainingMemory {
  const { moved = 0, target = anyRuntime } = options;
  const { loop } = step;
  const total = (nodes: readonly InputNode[]): number =>
    nodes.reduce((bytes, node) => bytes + bytesOf(node, batch), 0);
  const state = total(loop.carried.map(({ input }) => input));
  const feeds = total(loop.scanned) * stepsOf(step, batch, state);
  const { activations, resident: engine } = engineMemory(exportLoop(loop, { target }), batch);
  const host = copies * state + chunks * feeds + moved + fixed;
  return { state, activations, engine, host, total: engine + host };
}

/** The largest batch of 2 to `most` samples with which `memoryAt` takes no more than `room` bytes; null where none does. */
export function largestBatch(
  memoryAt: (batch: number) => number,
  { most, room }: { readonly most: number; readonly room: number },
): number | null {
  let [fits, exceeds] = [1, most + 1];
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2);
    if (memoryAt(middle) <= room) fits = middle;
    else exceeds = middle;
  }
  return fits < 2 ? null : fits;
}
