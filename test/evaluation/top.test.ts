// Top-k accuracy: ranks of the true class, ties, and what is refused.
import { describe, expect, it } from "vitest";
import { checkTop, ranks } from "../../src/evaluation/top.js";

describe("ranks", () => {
  it("count the classes before the label; of equal outputs the first class comes first, as in predictions", () => {
    const outputs = Float32Array.of(3, 1, 2, 2, 5, 5, 5, 5, -Infinity, 0, Infinity, 0);
    expect([...ranks(outputs, 4, [0, 2, 1])]).toEqual([0, 2, 1]);
    expect([...ranks(outputs, 4, [3, 0, 2])]).toEqual([2, 0, 0]);
    expect([...ranks(outputs, 4, [1, 3, 0])]).toEqual([3, 3, 3]);
  });

  it("put every class before the label where an output is not a number", () => {
    expect([...ranks(Float32Array.of(9, NaN, 1, 2, 1, 0), 3, [0, 0])]).toEqual([3, 0]);
  });
});

describe("checkTop", () => {
  it.each([
    [[5, 10], 10, "evaluation.top: expected whole numbers from 2 to 9, got 10"],
    [[1], 10, "evaluation.top: expected whole numbers from 2 to 9, got 1"],
    [[2], 2, "evaluation.top: expected nothing for two classes, got 2"],
  ])("refuses %j of %i classes", (top, classes, message) => {
    expect(() => checkTop("evaluation.top", top, classes)).toThrow(message);
    expect(() => checkTop("evaluation.top", [2, 9], 10)).not.toThrow();
  });
});
