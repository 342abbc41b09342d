// What the report of a run is made of.
import type { Contrast } from "./contrast.js";
import type { CorrectFile } from "./correctness.js";
import type { InputUpdates } from "./input-updates.js";
import type { MetricsLine, ResultsFile, RunFile, StepProfile } from "./records.js";

/** Images for the report's figures: the first test images, what an attack made of them, first-layer filters. */
export interface Gallery {
  readonly trial: string;
  /** Which case of the recipe, where it has cases. */
  readonly case?: string;
  readonly method: string;
  readonly seed: number;
  /** [channels, height, width]. */
  readonly imageShape: readonly number[];
  readonly attack: { readonly attack: string; readonly norm: string; readonly epsilon: number };
  /** [k, channels, height, width], values in [0, 1]. */
  readonly originals: Float32Array;
  readonly adversarial: Float32Array;
  readonly labels: Int32Array;
  readonly predictions: Int32Array;
  readonly adversarialPredictions: Int32Array;
  /** First-layer weights as images, where the first layer sees whole images or patches. */
  readonly features: {
    /** [filters kept, height, width]. */
    readonly shape: readonly number[];
    readonly values: Float32Array;
    /** Filters that the layer has; null where an older file does not say. */
    readonly total: number | null;
  } | null;
}

/** Everything a report is made of. */
export interface RunRecord {
  readonly run: RunFile;
  readonly results: ResultsFile;
  readonly metrics: readonly MetricsLine[];
  readonly galleries: readonly Gallery[];
  /** Which images the models read rightly, by trial; runs of older versions have none. */
  readonly correct: Readonly<Record<string, CorrectFile>>;
  /** Images that each trial's model reads where the model they were crafted on misreads them. */
  readonly contrasts: readonly Contrast[];
  /** How the first stored inputs moved, of the trials that kept them. */
  readonly inputUpdates: readonly InputUpdates[];
  /** Where the training step of a method spends its time, for the methods that were profiled. */
  readonly profiles: readonly StepProfile[];
}
