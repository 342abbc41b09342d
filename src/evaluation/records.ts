// What an evaluation returns.
import type { AttackOptions } from "../attacks/attack.js";
import type { NormName } from "../threat/find.js";
import type { Flag } from "./flags/index.js";
import type { TopRecord } from "./top.js";

/** Accuracy of one classifier under one attack at one radius. */
export interface RobustRecord {
  /** The attack's name, or `worst-case`: the share that no attack at this norm and ε brought down. */
  readonly attack: string;
  /**
   * The suite that the attack was a stage of: it met what the stages before it had left standing, and the accuracy is
   * what it left in turn.
   */
  readonly suite?: string;
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

/** How far the nearest adversarial points lie that one attack found. */
export interface DistanceRecord {
  readonly attack: string;
  readonly norm: NormName;
  /** Images that were attacked: those rightly classified. */
  readonly n: number;
  /** Those for which an adversarial point was found. */
  readonly found: number;
  /** In input units, over all n; null where the quantile falls on images for which none was found. */
  readonly quantiles: Readonly<Record<"least" | "lower" | "median" | "upper" | "most", number | null>>;
  readonly labels: "true" | "predicted";
  readonly targeted?: true;
  readonly options?: AttackOptions;
}

/** What one attack at one radius cost. */
export interface TimeRecord {
  readonly attack: string;
  readonly suite?: string;
  readonly norm: NormName;
  /** Infinite for attacks that look for the nearest point. */
  readonly epsilon: number;
  /** Of the clock, on all engines together; the parts before a stop included. */
  readonly seconds: number;
}

/** Passes through the model for the images that an attack met. */
export interface PassRecord {
  /** Of an image. */
  readonly mean: number;
  readonly most: number;
  readonly total: number;
}

/** What one attack at one radius asked of the model; a suite has the sums over its stages. */
export interface BudgetRecord extends Omit<RobustRecord, "accuracy"> {
  /** Infinite for attacks that look for the nearest point. */
  readonly epsilon: number;
  /** Images attacked: those that stood. */
  readonly n: number;
  /** Queries: from input to outputs. */
  readonly forward: PassRecord;
  /** Back from one cotangent of the outputs to the input. */
  readonly gradient: PassRecord;
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
  /** One for each k that was asked for. */
  readonly top: readonly TopRecord[];
  /** [n], −1 where the outputs are not numbers. */
  readonly predictions: Int32Array;
  readonly robust: readonly RobustRecord[];
  /** One for each record of `robust`, in the same order. */
  readonly outcomes: readonly Outcome[];
  readonly times: readonly TimeRecord[];
  readonly budget: readonly BudgetRecord[];
  /** One for each attack that looks for the nearest point. */
  readonly distances: readonly DistanceRecord[];
  /** One for each attack and ε, where asked for; attacks that look for the nearest point have the ε that holds all of theirs. */
  readonly examples: readonly Examples[];
  /** The images that each attack did most to, out of all, the worst first, where asked for and any fell. */
  readonly worst: readonly Examples[];
  readonly flags: readonly Flag[];
}
