// Successive halving on made-up scores: who goes on, who does not, and when a rung is over.
import { describe, expect, it } from "vitest";
import { halve, survivors, type Score } from "../../src/experiments/halving.js";

/** Candidates whose score after `epochs` is the `epochs`-th of their list. */
const halved = (lists: readonly (readonly Score[])[], rungs = [1, 2, 3], eta = 2) =>
  halve({ candidates: lists.length, rungs, eta, score: (i, epochs) => lists[i]?.[epochs - 1] });

describe("successive halving", () => {
  it("lets the best go on at each rung, one in eta, and ends with one", () => {
    const lists = [[0.5, 0.7, 0.71], [0.6, 0.8, 0.7], [0.4], [0.55, 0.6], [0.3], [0.1], [0.52, 0.1], [0.2]];
    expect(halved(lists)).toEqual({ rung: 3, left: [0], pruned: [null, null, 1, 2, 1, 1, 2, 1] });
    expect(halved(lists.slice(0, 3), [1, 3], 3)).toEqual({ rung: 2, left: [1], pruned: [1, null, 1] });
  });

  it("waits for every score of a rung, whichever comes first", () => {
    const early = [[0.9], [undefined], [0.1], [0.2]];
    expect(halved(early)).toEqual({ rung: 0, left: [0, 1, 2, 3], pruned: [null, null, null, null] });
    const later = [[0.9], [0.8, 0.5], [0.1], [0.2]];
    expect(halved(later)).toEqual({ rung: 1, left: [0, 1], pruned: [null, null, 1, 1] });
  });

  it("takes the first of equal ones, and none whose training came to nothing", () => {
    expect(halved([[0.5], [0.5], [0.5]], [1])).toMatchObject({ left: [0] });
    expect(halved([[null], [0.1], [null], [null]], [1, 2])).toMatchObject({
      rung: 1,
      left: [1],
      pruned: [1, null, 1, 1],
    });
    expect(halved([[null], [null]], [1, 2])).toEqual({ rung: 2, left: [], pruned: [1, 1] });
  });

  it("keeps one at least", () => {
    expect([1, 2, 3, 8, 9].map((count) => survivors(count, 3))).toEqual([1, 1, 1, 2, 3]);
  });
});
