// What a run is told, and what it tells while it goes on.
import type { RecipeFile } from "./cases.js";
import type { SearchRecord } from "./records.js";
import type { TaskEvent } from "./task.js";
import type { TrialResult } from "./trial.js";

/** What happens while a recipe runs; for bars and lines. */
export type RunEvent =
  | { readonly kind: "start"; readonly trials: readonly string[]; readonly finished: readonly string[] }
  /** What a search begins with, or goes on with. */
  | { readonly kind: "search"; readonly search: string; readonly candidates: number }
  /** A candidate has come to a rung; null where its training came to nothing. */
  | {
      readonly kind: "measured";
      readonly trial: string;
      readonly epochs: number;
      readonly accuracy: number | null;
    }
  | { readonly kind: "found"; readonly search: string; readonly record: SearchRecord }
  /** What there is to say of the images of a folder. */
  | { readonly kind: "images"; readonly text: string }
  /** Preprocessors are being fitted to a dataset's training images, which is done once. */
  | { readonly kind: "preprocessing"; readonly dataset: string }
  | { readonly kind: "moving-inputs"; readonly trial: string; readonly bytes: number }
  | TaskEvent
  /** `trial` may also be the training of one that others wait for. */
  | { readonly kind: "failed"; readonly trial: string; readonly message: string }
  | { readonly kind: "done"; readonly trial: string; readonly result: TrialResult };

export interface RunOptions {
  readonly recipe: RecipeFile;
  /** The recipe's text, kept beside the results. */
  readonly text: string;
  readonly folder: string;
  /** The folder that files named in the recipe are relative to; default the current one. */
  readonly base?: string;
  /** Run only the trials whose names match one of these patterns (`*`: any letters, `?`: one); default all. */
  readonly only?: readonly string[];
  /** Run the recipe with little of everything (`smokeNotes`), to see that all of it works. */
  readonly smoke?: boolean;
  /** Start over: remove what an earlier run left. */
  readonly fresh?: boolean;
  readonly provider?: string;
  /** Trials side by side; default: as many as cores have room for, at most the trials left. Results do not depend on it. */
  readonly jobs?: number;
  /** Seconds between checkpoints; default 15. */
  readonly checkpointEvery?: number;
  readonly signal?: AbortSignal;
  onEvent?(event: RunEvent): void;
}
