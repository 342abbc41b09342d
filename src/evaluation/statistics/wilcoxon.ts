// The signed-rank test for pairs (Wilcoxon 1945): are differences as often and as far above 0 as below?
import { check } from "../../base/errors.js";
import { normalCdf } from "./normal.js";

export type Alternative = "two-sided" | "greater" | "less";

export interface WilcoxonOptions {
  /**
   * Pairs without a difference: `wilcox` (default) leaves them out before ranking, `pratt` ranks them and leaves them
   * out after (Pratt 1959).
   */
  readonly zeros?: "wilcox" | "pratt";
  /** What is held against chance: that differences are not 0, that they are above it, or below; default `two-sided`. */
  readonly alternative?: Alternative;
  /** `auto` (default) is `exact` up to 100 pairs with a difference, `normal` beyond. */
  readonly method?: "auto" | "exact" | "normal";
}

export interface WilcoxonTest {
  /** Sum of the ranks of differences above 0. */
  readonly positive: number;
  /** Sum of the ranks of differences below 0. */
  readonly negative: number;
  /** Pairs with a difference. */
  readonly pairs: number;
  /** Pairs without. */
  readonly zeros: number;
  /** Whether differences of one size share their ranks. */
  readonly ties: boolean;
  readonly p: number;
  /** The smallest p that so many pairs can give: 2^(1 − pairs), half of it one-sided. */
  readonly leastP: number;
  /** In words: `Wilcoxon signed-rank, exact, 6 pairs, two-sided`. */
  readonly method: string;
}

const mostExact = 100;

/** Differences a − b, equal ones made equal again: 0.3 − 0.2 and 0.2 − 0.1 differ in their last bits. */
export function differences(a: readonly number[], b: readonly number[]): number[] {
  check(
    a.length === b.length,
    "differences",
    "as many figures on both sides",
    () => `${a.length} and ${b.length}`,
  );
  const scale = Math.max(...a.map(Math.abs), ...b.map(Math.abs), 0) * 2 ** -40;
  return scale === 0
    ? a.map(() => 0)
    : a.map((value, i) => Math.round((value - (b[i] ?? NaN)) / scale) * scale);
}

/** Twice the rank of each size, whole numbers: sizes that are equal share the mean of their ranks. */
function doubledRanks(sizes: readonly number[]): number[] {
  const order = sizes.map((_, i) => i).sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0));
  const ranks = new Array<number>(sizes.length).fill(0);
  for (let first = 0; first < order.length;) {
    let last = first;
    while (last + 1 < order.length && sizes[order[last + 1] ?? 0] === sizes[order[first] ?? 0]) last++;
    for (let i = first; i <= last; i++) ranks[order[i] ?? 0] = first + last + 2;
    first = last + 1;
  }
  return ranks;
}

/** Shares of the 2ⁿ ways to give `ranks` their signs, by the sum of those above 0: [at or below `sum`, at or above]. */
function exactTails(ranks: readonly number[], sum: number): readonly [number, number] {
  const shares = new Float64Array(ranks.reduce((total, rank) => total + rank, 0) + 1);
  shares[0] = 1;
  let top = 0;
  for (const rank of ranks) {
    top += rank;
    for (let s = top; s >= 0; s--)
      shares[s] = ((shares[s] ?? 0) + (s >= rank ? (shares[s - rank] ?? 0) : 0)) / 2;
  }
  const add = (part: Float64Array): number => part.reduce((total, share) => total + share, 0);
  return [add(shares.subarray(0, sum + 1)), add(shares.subarray(sum))];
}

/** The same by the normal distribution of equal mean and variance, ties in the variance. */
function normalTails(ranks: readonly number[], sum: number): readonly [number, number] {
  const mean = ranks.reduce((total, rank) => total + rank, 0) / 2;
  // The sum of rank²/4 over all pairs: what the usual formula less its correction for ties comes to.
  const deviation = Math.sqrt(ranks.reduce((total, rank) => total + rank ** 2, 0) / 4);
  const z = (sum - mean) / deviation;
  return [normalCdf(z), normalCdf(-z)];
}

function pOf([atMost, atLeast]: readonly [number, number], alternative: Alternative): number {
  if (alternative === "two-sided") return Math.min(1, 2 * Math.min(atMost, atLeast));
  return Math.min(1, alternative === "greater" ? atLeast : atMost);
}

interface Kind {
  readonly exact: boolean;
  readonly pairs: number;
  readonly zeros: number;
  readonly treatment: "wilcox" | "pratt";
  readonly ties: boolean;
  readonly alternative: Alternative;
}

function methodText({ exact, pairs, zeros, treatment, ties, alternative }: Kind): string {
  const left = treatment === "wilcox" ? "left out" : "ranked, then left out (Pratt)";
  return [
    "Wilcoxon signed-rank",
    exact ? "exact" : "normal approximation",
    `${pairs} pair${pairs === 1 ? "" : "s"}`,
    ...(zeros > 0 ? [`${zeros} more without a difference ${left}`] : []),
    ...(ties ? ["ties share their ranks"] : []),
    alternative === "two-sided" ? alternative : `one-sided (${alternative})`,
  ].join(", ");
}

/**
 * Wilcoxon's signed-rank test of paired `differences`. Exact p-values count all 2ⁿ signs over the ranks as they are,
 * shared ones included; the normal approximation has no continuity correction. Without any difference p is 1.
 */
export function wilcoxonSignedRank(
  given: readonly number[],
  { zeros: treatment = "wilcox", alternative = "two-sided", method = "auto" }: WilcoxonOptions = {},
): WilcoxonTest {
  check(given.every(Number.isFinite), "wilcoxonSignedRank", "finite differences", () => given.join(", "));
  const ranked = treatment === "wilcox" ? given.filter((d) => d !== 0) : given;
  const all = doubledRanks(ranked.map(Math.abs));
  const kept = [...ranked.keys()].filter((i) => ranked[i] !== 0);
  const ranks = kept.map((i) => all[i] ?? 0);
  const sumOf = (side: number): number =>
    kept.reduce((total, i) => total + (Math.sign(ranked[i] ?? 0) === side ? (all[i] ?? 0) : 0), 0);
  const [positive, negative] = [sumOf(1), sumOf(-1)];
  const pairs = kept.length;
  const exact = method === "exact" || (method === "auto" && pairs <= mostExact);
  const tails = pairs === 0 ? ([1, 1] as const) : (exact ? exactTails : normalTails)(ranks, positive);
  const ties = new Set(ranks).size < pairs;
  const kind = { exact, pairs, zeros: given.length - pairs, treatment, ties, alternative };
  return {
    positive: positive / 2,
    negative: negative / 2,
    pairs,
    zeros: kind.zeros,
    ties,
    p: pOf(tails, alternative),
    leastP: Math.min(1, 2 ** ((alternative === "two-sided" ? 1 : 0) - pairs)),
    method: methodText(kind),
  };
}
