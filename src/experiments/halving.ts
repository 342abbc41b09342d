// Synchronous successive halving (Jamieson and Talwalkar 2016): which candidates go on, from what was measured of them.

/** A candidate's score, the more the better; null where its training diverged, undefined until it is measured. */
export type Score = number | null | undefined;

/** How many of so many go on from a rung. */
export const survivors = (count: number, eta: number): number => Math.max(1, Math.floor(count / eta));

export interface HalvingOptions {
  readonly candidates: number;
  /** Epochs at which they are compared, ascending. */
  readonly rungs: readonly number[];
  /** One in so many goes on, rounded down, but at least one. */
  readonly eta: number;
  /** Of a candidate after so many epochs. */
  readonly score: (candidate: number, epochs: number) => Score;
}

export interface Halving {
  /** The rung that is not over yet; their number where all are. */
  readonly rung: number;
  /** Those that take part in it, in the candidates' order; where all are over the best alone, or none. */
  readonly left: readonly number[];
  /** By candidate: the epochs of the rung from which it did not go on; null for those that took part in the last. */
  readonly pruned: readonly (number | null)[];
}

/**
 * How far a search is: at each rung the best of those left go on, of equal ones the first, and the last rung leaves one.
 * A rung is over when all of its scores are known, so nothing depends on which of them came first (Jamieson and
 * Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016, algorithm 1).
 */
export function halve({ candidates, rungs, eta, score }: HalvingOptions): Halving {
  const pruned: (number | null)[] = Array<null>(candidates).fill(null);
  let left = pruned.map((_, candidate) => candidate);
  for (const [rung, epochs] of rungs.entries()) {
    const scores = new Map(left.map((candidate) => [candidate, score(candidate, epochs)]));
    if ([...scores.values()].includes(undefined)) return { rung, left, pruned };
    const worth = (candidate: number): number => scores.get(candidate) ?? -Infinity;
    const ranked = left.toSorted((a, b) => (worth(a) === worth(b) ? a - b : worth(b) - worth(a)));
    const most = rung === rungs.length - 1 ? 1 : survivors(left.length, eta);
    const best = ranked.slice(0, most).filter((candidate) => worth(candidate) > -Infinity);
    if (rung < rungs.length - 1)
      for (const candidate of left) if (!best.includes(candidate)) pruned[candidate] = epochs;
    left = best.sort((a, b) => a - b);
  }
  return { rung: rungs.length, left, pruned };
}
