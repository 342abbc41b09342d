// What an evaluation knows of its images so far, so that one that was stopped goes on where it was.

import type { CarriedOn } from "./carry-on.js";
import type { WorstPoint } from "./worst.js";

/** A batch of images after an attack. */
export interface JournalEntry {
  readonly indices: readonly number[];
  /** Classes at the attack's points, −1 where there is none. */
  readonly classes: readonly number[];
  /** Distances of the points from their images; for attacks that look for the nearest point. */
  readonly distances?: readonly number[];
  readonly outside: number;
  readonly nonFinite: number;
  readonly rounding: { readonly checked: number; readonly lost: number };
  readonly carriedOn?: CarriedOn;
  /** What an attack asked of the model for each image. */
  readonly passes?: { readonly forward: readonly number[]; readonly gradient: readonly number[] };
  readonly milliseconds: number;
  /** The points of those images that are kept for figures, one after the other. */
  readonly points?: Float32Array;
  /** Those that were among the worst of the strike when the batch was done. */
  readonly worst?: readonly WorstPoint[];
}

/** Entries by strike: attack, norm, ε and stage in one word. */
export interface Journal {
  read(strike: string): readonly JournalEntry[];
  /** Keeps `entry` beyond the end of the process. */
  write(strike: string, entry: JournalEntry): Promise<void>;
}
