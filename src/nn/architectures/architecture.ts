// What every architecture is: a model for inputs and classes of a dataset.
import type { Model } from "../model.js";

export interface ArchitectureInput {
  /** Shape of one input, e.g. [1, 28, 28]. */
  readonly inputShape: readonly number[];
  readonly classes: number;
}

export type Architecture = (input: ArchitectureInput) => Model;
