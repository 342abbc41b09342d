// What an attack asks of the model, counted row by row while it runs.
import type { AttackBatch } from "./attack.js";

/** Passes through the model for one row. */
export interface Passes {
  /** From input to outputs: queries. */
  readonly forward: number;
  /** Back from one cotangent of the outputs to the input. */
  readonly gradient: number;
}

/** The outputs alone. */
export const query: Passes = { forward: 1, gradient: 0 };
/** The outputs and one gradient. */
export const ascent: Passes = { forward: 1, gradient: 1 };

/** What is asked where `each` is asked in so many draws of a random model. */
export const overDraws = ({ forward, gradient }: Passes, copies: number): Passes => ({
  forward: copies * forward,
  gradient: copies * gradient,
});

/**
 * Passes of each row of a batch. A row counts until the run of the engine in which it falls is over: then it leaves.
 * Where an attack says itself when a row came to rest, as Square does, it counts until then.
 */
export class PassCounts {
  /** [rows]. */
  readonly forward: Float64Array;
  readonly gradient: Float64Array;

  constructor(readonly rows: number) {
    this.forward = new Float64Array(rows);
    this.gradient = new Float64Array(rows);
  }

  /** `each` for every one of `rows`, so many times: one number for all, or [rows of the batch]. */
  add(rows: readonly number[], each: Passes, times: number | Float32Array): void {
    for (const row of rows) {
      const often = typeof times === "number" ? times : (times[row] ?? 0);
      this.forward[row] = (this.forward[row] ?? 0) + often * each.forward;
      this.gradient[row] = (this.gradient[row] ?? 0) + often * each.gradient;
    }
  }

  /** Adds the counts of a batch made of `rows` of this one. */
  take(rows: readonly number[], part: PassCounts): void {
    rows.forEach((row, i) => {
      this.add([row], { forward: part.forward[i] ?? 0, gradient: part.gradient[i] ?? 0 }, 1);
    });
  }
}

/** What `runRows` counts: one iteration asks `each` of every row it runs on. */
export interface CountedPasses {
  readonly counts: PassCounts | undefined;
  readonly each: Passes;
}

/** Counts `each` where `batch` wants it counted. */
export const counted = ({ passes }: Pick<AttackBatch, "passes">, each: Passes): CountedPasses => ({
  counts: passes,
  each,
});
