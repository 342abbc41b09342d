// What a training has come to: everything that continuing it depends on.
import { check } from "../base/errors.js";
import { floats, scalar } from "../base/tensor.js";
import { gatherRows } from "../data/batches.js";
import type { AnySplit } from "../data/dataset.js";
import type { Weights } from "../nn/model.js";
import type { Tensors } from "../runtime/engine.js";
import type { Spent } from "./stopwatch.js";
import type { TrainStep } from "./train-step.js";

/** Means over one epoch, by metric; `loss` is among them. What a monitor measured after it stands beside them. */
export interface EpochRecord {
  readonly epoch: number;
  readonly learningRate: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Everything that training depends on: a run continued from it equals one that never stopped. What was spent decides nothing. */
export interface TrainingState extends Spent {
  /** Epoch in progress, from 0, and the batches of it that are done. */
  readonly epoch: number;
  readonly batches: number;
  /** Parameters, buffers, optimizer slots and the step counter. */
  readonly tensors: Tensors;
  /** The moving inputs, where the defence moves them. */
  readonly stored: Float32Array | null;
  /** State that the defence keeps of each sample, by name: [count, …inputShape]. */
  readonly perSample: Readonly<Record<string, Float32Array>>;
  /** The first inputs as they were after each epoch that `TrainOptions.snapshots` asks for: [images, …inputShape]. */
  readonly snapshots: readonly Float32Array[];
  readonly history: readonly EpochRecord[];
  /** Weights of the epoch (from 0) with the lowest validation error so far, where they are to be restored. */
  readonly best: { readonly epoch: number; readonly tensors: Tensors } | null;
  /** Sums over the samples of the epoch in progress. */
  readonly sums: Readonly<Record<string, number>>;
}

/** What a step keeps of each sample at first: the inputs as they are, where they move, and the state beside them. */
export function initialSamples(
  { movesInputs, perSample }: TrainStep,
  split: AnySplit,
): Pick<TrainingState, "stored" | "perSample"> {
  if ("rows" in split) {
    const wanted = "all images in memory (loadWhole) for a method that moves its inputs";
    check(!movesInputs && perSample.length === 0, "training", wanted, () => "images read as it goes");
    return { stored: null, perSample: {} };
  }
  const { images, count } = split;
  const stored = movesInputs ? new Float32Array(images.length) : null;
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  if (stored) gatherRows(images, images.length / count, all, stored);
  const states = perSample.map(
    ({ name, initial }) => [name, new Float32Array(images.length).fill(initial)] as const,
  );
  return { stored, perSample: Object.fromEntries(states) };
}

/** The state before the first step: weights as given, slots at their start, inputs as they are. */
export function initialState(step: TrainStep, weights: Weights, split: AnySplit): TrainingState {
  const slots = step.slots.map(({ name, shape, value }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, floats(shape, new Float32Array(size).fill(value))] as const;
  });
  const carried = new Set(step.loop.carried.map((state) => state.input.name));
  const held = Object.entries(weights).filter(([name]) => carried.has(name));
  return {
    epoch: 0,
    batches: 0,
    tensors: { ...Object.fromEntries(held), ...Object.fromEntries(slots), step: scalar(0) },
    ...initialSamples(step, split),
    snapshots: [],
    history: [],
    best: null,
    sums: {},
    seconds: 0,
    processorSeconds: 0,
  };
}
