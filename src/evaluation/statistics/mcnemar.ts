// McNemar's test (1947) for two models on the same images, exact: only images that one reads rightly and the other
// wrongly tell them apart, and among equals each model gets such an image with probability ½.
import { check } from "../../base/errors.js";

export interface McNemarTest {
  /** Images that the first model alone reads rightly. */
  readonly firstOnly: number;
  /** Images that the second model alone reads rightly. */
  readonly secondOnly: number;
  readonly n: number;
  readonly p: number;
  /** In words: `McNemar, exact, 31 of 10,000 images differ, two-sided`. */
  readonly method: string;
}

/** P(X ≤ k) of the binomial distribution of n draws at ½. */
function binomialTail(k: number, n: number): number {
  let logTerm = -n * Math.LN2;
  for (let i = 0; i < k; i++) logTerm += Math.log((n - i) / (i + 1));
  let [term, total] = [1, 0];
  for (let i = k; i >= 0; i--) {
    total += term;
    term *= i / (n - i + 1);
  }
  return Math.min(1, total * Math.exp(logTerm));
}

/**
 * Exact two-sided McNemar test: p = 2·P(X ≤ min(b, c)), X binomial of b + c draws at ½, at most 1. `first` and `second`
 * hold, for each image, whether (1) or not (0) the model reads it rightly; throws where they hold unequal numbers.
 */
export function mcNemar(first: ArrayLike<number>, second: ArrayLike<number>): McNemarTest {
  check(
    first.length === second.length,
    "mcNemar",
    "the same images for both models",
    () => `${first.length} and ${second.length}`,
  );
  let [firstOnly, secondOnly] = [0, 0];
  for (let i = 0; i < first.length; i++) {
    if (first[i] === 1 && second[i] !== 1) firstOnly++;
    if (first[i] !== 1 && second[i] === 1) secondOnly++;
  }
  const differ = firstOnly + secondOnly;
  const p = Math.min(1, 2 * binomialTail(Math.min(firstOnly, secondOnly), differ));
  const counted = `${differ.toLocaleString("en-US")} of ${first.length.toLocaleString("en-US")} images differ`;
  return {
    ...{ firstOnly, secondOnly, n: first.length, p },
    method: `McNemar, exact, ${counted}, two-sided`,
  };
}
