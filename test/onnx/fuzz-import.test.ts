// Damaged files: the importer takes them or says in one line why not. More of them: scripts/fuzz-import.mjs.
import { expect, it } from "vitest";
import { fuzz, fuzzedFiles } from "../support/fuzz-import.js";

it("a thousand damaged files end in a graph or one line", () => {
  const { taken, refused, broken } = fuzz(fuzzedFiles(), 1000, 0);
  expect(broken).toEqual([]);
  expect(taken + refused).toBe(1000);
  // Some are still models, most are not: the damage is neither nothing nor everything.
  expect(taken).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(500);
});
