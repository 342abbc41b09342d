// What an evaluation returns.
import type { AttackOptions } from "../attacks/attack.js";
import type { NormName } from "../threat/find.js";
import type { Flag } from "./flags.js";

/** Accuracy of one classifier under one attack at one radius. */
export interface RobustRecord {
  /** The attack's name, or `worst-case`: the share that no attack at this norm and ε brought down. */
  readonly attack: string;
  readonly norm: NormName;
  /** Radius, in input units. */
  readonly epsilon: number;
  /** Share of the n images that stay rightly classified, by true labels. */
  readonly accuracy: number;
  readonly n: number;
  /** Labels the attack was given. */
  readonly labels: "true" | "predicted";
  readonly targeted?: true;
  readonly options?: AttackOptions;
}

/** The record's images one by one. */
export interface Outcome {
  readonly record: RobustRecord;
  /** [n]: 1 where the image is still rightly classified. */
  readonly correct: Uint8Array;
}

/** The first test images and what an attack made of them; images that were wrong from the start are left as they are. */
export interface Examples {
  readonly attack: string;
  readonly norm: NormName;
  readonly epsilon: number;
  /** [k, …]. */
  readonly originals: Float32Array;
  readonly adversarial: Float32Array;
  readonly labels: Int32Array;
  readonly predictions: Int32Array;
  readonly adversarialPredictions: Int32Array;
}

export interface Evaluation {
  readonly n: number;
  /** Share of clean images classified rightly. */
  readonly clean: number;
  /** [n], −1 where the outputs are not numbers. */
  readonly predictions: Int32Array;
  readonly robust: readonly RobustRecord[];
  /** One for each record of `robust`, in the same order. */
  readonly outcomes: readonly Outcome[];
  /** One for each attack and ε, where asked for. */
  readonly examples: readonly Examples[];
  readonly flags: readonly Flag[];
}
