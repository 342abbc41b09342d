import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import type { Split } from "../../src/data/dataset.js";
import { limit, splitValidation, subset, type HoldOut } from "../../src/data/split.js";

/** `count` images of two pixels, both the image's own index; labels the index modulo 5. */
const numbered = (count: number): Split => ({
  images: Uint8Array.from({ length: 2 * count }, (_, i) => i >> 1),
  labels: Uint8Array.from({ length: count }, (_, i) => i % 5),
  count,
});

/** The indices that the images of a numbered split carry; each row must be whole and have its own label. */
function indicesOf({ images, labels, count }: Split): number[] {
  expect([images.length, labels.length]).toEqual([2 * count, count]);
  return Array.from(labels, (label, row) => {
    const index = images[2 * row] ?? -1;
    expect([images[2 * row + 1], label]).toEqual([index, index % 5]);
    return index;
  });
}

const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe("splitting", () => {
  it("holds every row exactly once, in the order of the rows", () => {
    const holdOuts = fc.tuple(
      fc.integer({ min: 2, max: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(),
    );
    fc.assert(
      fc.property(holdOuts, fc.boolean(), ([count, share, seed], last) => {
        const validation = 1 + Math.floor(share * (count - 2));
        const holdOut: HoldOut = last ? { validation, by: "last" } : { validation, by: "permutation", seed };
        const parts = splitValidation(numbered(count), holdOut);
        const [train, held] = [indicesOf(parts.train), indicesOf(parts.validation)];
        expect(held.length).toBe(validation);
        expect([...train, ...held].toSorted((a, b) => a - b)).toEqual(all(count));
        for (const part of [train, held]) expect(part).toEqual(part.toSorted((a, b) => a - b));
        if (last) expect(held).toEqual(all(count).slice(-validation));
      }),
    );
  });

  it("draws by seed", () => {
    const draw = (seed: number): number[] =>
      indicesOf(splitValidation(numbered(100), { validation: 30, by: "permutation", seed }).validation);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it.each([0, 10, 2.5, NaN])("refuses a validation part of %s rows out of ten", (validation) => {
    expect(() => splitValidation(numbered(10), { validation, by: "last" })).toThrow(
      new TemperError(`validation: expected a whole number from 1 to 9, got ${validation}`),
    );
  });

  it("takes rows in the order asked for", () => {
    expect(indicesOf(subset(numbered(10), [7, 0, 7]))).toEqual([7, 0, 7]);
    const wide = { ...numbered(3), labels: Int32Array.of(0, 1, 300) };
    expect(subset(wide, [2]).labels).toEqual(Int32Array.of(300));
  });

  it.each([10, -1, 0.5])("refuses index %s of ten", (index) => {
    expect(() => subset(numbered(10), [3, index])).toThrow(
      new TemperError(`subset: expected indices from 0 to 9, got ${index} at position 1`),
    );
  });

  it("limits to the first rows without copying", () => {
    const split = numbered(10);
    expect(indicesOf(limit(split, 4))).toEqual([0, 1, 2, 3]);
    expect(limit(split, 4).images.buffer).toBe(split.images.buffer);
    expect(limit(split, 10)).toBe(split);
    expect(limit(split, 11)).toBe(split);
  });

  it.each([0, -3, 1.5, NaN])("refuses a limit of %s", (n) => {
    expect(() => limit(numbered(10), n)).toThrow(
      new TemperError(`limit: expected a whole number of at least 1, got ${n}`),
    );
  });
});
