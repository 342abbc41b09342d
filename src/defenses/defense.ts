// A defence is a pure function from one training objective to another; composing them is composing functions.
import type { z } from "zod";
import { unit, type Unit } from "../base/options.js";
import type { Node } from "../graph/node.js";
import type { LossPass, Model, NoiseSource } from "../nn/model.js";

/** What one training step sees. Rows may be a multiple of the batch: originals first, copies after. */
export interface Batch {
  /** [rows, …inputShape]. */
  readonly inputs: Node;
  /** True classes, int32 [rows]. */
  readonly labels: Node;
  /** Soft targets [rows, classes]. */
  readonly targets: Node;
  /** Weight of each row in the loss, [rows], mean 1; absent: all 1. */
  readonly weights?: Node;
}

export interface LogitsOptions {
  /** Name of the noise (dropout, sign noise) of this pass; equal names share it. Default "train". */
  readonly noise?: string;
  /** Whether this pass moves batch-norm's running statistics; default false. */
  readonly movesStatistics?: boolean;
  /** Whether derivatives treat batch statistics as constants; default false. */
  readonly statisticsHeld?: boolean;
  /** What the model may read of the batch and add to its loss; absent where the logits alone are asked for. */
  readonly loss?: LossPass;
  /** What to do with each named hidden activation on the way. */
  readonly site?: (name: string, activation: Node) => Node;
}

/** What defences may use. */
export interface StepContext {
  readonly model: Model;
  /** Smallest and largest legal input value. */
  readonly bounds: readonly [low: number, high: number];
  /** Logits [rows, classes] in training mode. */
  logits(inputs: Node, options?: LogitsOptions): Node;
  /** Loss of each row: [rows]. */
  loss(logits: Node, targets: Node): Node;
  /** A scalar graph input with this value, or that of each epoch (from 0): changing it needs no new compilation. */
  scalar(name: string, value: number | ((epoch: number) => number)): Node;
  /** Noise of the host for the pass called `name`. */
  noise(name: string): NoiseSource;
  /** The stored inputs [B, …] that this step started from, and what they were before any update. */
  readonly stored: Node;
  originals(): Node;
  /** The stored inputs after augmentation; the same node where there is none. */
  readonly augmented: Node;
  /** State of each sample, like its input in shape, that begins as `initial`: what this step reads of it. */
  perSample(name: string, initial: number): Node;
}

export interface Outcome {
  /** Scalar: what is minimised. */
  readonly loss: Node;
  /** Scalars that sum to the loss, differentiated one after the other so that only one at a time needs memory. */
  readonly parts?: readonly Node[];
  /** Scalars to report. */
  readonly metrics: Readonly<Record<string, Node>>;
  /** What the stored inputs become, where the defence moves them. */
  readonly storedInputs?: Node;
  /** What the state of each sample becomes, by the names asked for in `perSample`. */
  readonly perSample?: Readonly<Record<string, Node>>;
}

export type Objective = (batch: Batch, context: StepContext) => Outcome;

/** What a file under `defenses/` exports. */
export interface DefenseUnit<S extends z.ZodType = z.ZodType> extends Unit<S, Defense> {
  /** Options with which it is standard training, bit for bit. */
  readonly neutral: z.input<S>;
}

/** Declares a defence; `neutral` are the options at which it does nothing. */
export const defense = <S extends z.ZodType>(
  name: string,
  summary: string,
  schema: S,
  neutral: z.input<S>,
  build: (options: z.output<S>) => Defense,
): DefenseUnit<S> => Object.assign(unit(name, summary, schema, build), { neutral });

export interface Defense {
  /** The objective with this defence around it. */
  wrap(objective: Objective): Objective;
  /** Whether the stored inputs move (they are then part of the state). */
  readonly movesInputs: boolean;
}
