// How many training steps one run of the engine takes on.
import type { Tensors } from "../runtime/engine.js";

/** How much one run of the engine takes on. */
export const runLimits = {
  /** Runs longer than this block Ctrl-C and the bar, shorter ones waste time between them. */
  milliseconds: 250,
  /** A run may be longer where the state is large: the engine copies it after each run. */
  mostMilliseconds: 2000,
  /** What copying may take of a run's time, and how fast it goes. */
  copyShare: 0.02,
  copiedBytesPerMillisecond: 2e6,
  /** Inputs of one run: more would leave the processor's cache between host and engine. */
  inputBytes: 8 * 2 ** 20,
  /** Of the first run, before it is known how long a step takes. */
  firstSteps: 8,
} as const;

/** What a step moves, in bytes. */
export interface StepBytes {
  readonly inputs: number;
  readonly state: number;
}

/** Bytes of all `tensors`. */
export const bytesOf = (tensors: Tensors): number =>
  Object.values(tensors).reduce((bytes, { data }) => bytes + data.byteLength, 0);

/** Steps that a run takes where one takes so many milliseconds. */
export function stepsPerRun(millisecondsPerStep: number, bytes: StepBytes): number {
  const copying = bytes.state / runLimits.copiedBytesPerMillisecond / runLimits.copyShare;
  const milliseconds = Math.min(Math.max(runLimits.milliseconds, copying), runLimits.mostMilliseconds);
  const quick = Math.round(milliseconds / Math.max(millisecondsPerStep, 1e-3));
  return Math.max(1, Math.min(quick, Math.floor(runLimits.inputBytes / bytes.inputs)));
}
