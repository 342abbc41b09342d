import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { batchRanges, copyRows, epochOrder, gatherLabels, gatherRows } from "../../src/data/batches.js";

const sizes = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 40 }));

describe("batches", () => {
  it("visits every index exactly once in each epoch", () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat({ max: 1000 }), ([count, batchSize], seed, epoch) => {
        const order = epochOrder(count, { seed, epoch });
        const visited = batchRanges(count, batchSize).flatMap(({ start, end }) => [
          ...order.subarray(start, end),
        ]);
        expect(visited.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  it("makes full batches but for the last, and one of one row only where asked", () => {
    fc.assert(
      fc.property(sizes, ([count, batchSize]) => {
        const lengths = batchRanges(count, batchSize).map(({ start, end }) => end - start);
        for (const length of lengths.slice(0, -1)) expect(length).toBe(batchSize);
        expect(lengths.at(-1)).toBeLessThanOrEqual(batchSize + 1);
        if (count > 1 && batchSize > 1) expect(Math.min(...lengths)).toBeGreaterThan(1);
      }),
    );
  });

  it("lets a rest of one row join the batch before it", () => {
    const lengths = (count: number, size: number) =>
      batchRanges(count, size).map(({ start, end }) => end - start);
    expect(lengths(10, 4)).toEqual([4, 4, 2]);
    expect(lengths(9, 4)).toEqual([4, 5]);
    expect(lengths(8, 4)).toEqual([4, 4]);
    expect(lengths(5, 4)).toEqual([5]);
    expect(lengths(3, 2)).toEqual([3]);
    expect(lengths(3, 4)).toEqual([3]);
    expect(lengths(1, 4)).toEqual([1]);
    expect(lengths(3, 1)).toEqual([1, 1, 1]);
  });

  it("orders differ between epochs and between seeds, and come again", () => {
    const order = (seed: number, epoch: number): string => epochOrder(50, { seed, epoch }).join();
    expect(order(3, 2)).toBe(order(3, 2));
    expect(new Set([order(3, 2), order(3, 3), order(4, 2)]).size).toBe(3);
  });

  it("refuses empty epochs and batches", () => {
    expect(() => batchRanges(0, 4)).toThrow(
      new TemperError("batches: count: expected a whole number of at least 1, got 0"),
    );
    expect(() => batchRanges(4, 1.5)).toThrow(
      new TemperError("batches: batch size: expected a whole number of at least 1, got 1.5"),
    );
  });

  it("turns every byte into byte / 255, exactly rounded", () => {
    const images = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const out = new Float32Array(256);
    gatherRows(images, 256, [0], out);
    expect(out).toEqual(Float32Array.from(images, (byte) => byte / 255));
  });

  it("gathers rows from an offset and leaves the rest alone", () => {
    const images = Uint8Array.from({ length: 15 }, (_, i) => i);
    const out = new Float32Array(9).fill(-1);
    gatherRows(images, 3, Uint32Array.of(4, 1), out, 2);
    const value = (byte: number): number => Math.fround(byte / 255);
    expect([...out]).toEqual([-1, -1, ...[12, 13, 14, 3, 4, 5].map(value), -1]);
    out.fill(-1);
    copyRows(Float32Array.from(images), 3, [4, 1], out, 2);
    expect([...out]).toEqual([-1, -1, 12, 13, 14, 3, 4, 5, -1]);
  });

  it("gathers labels", () => {
    const out = new Int32Array(4).fill(-1);
    gatherLabels(Uint8Array.of(5, 6, 7), [2, 0], out, 1);
    expect([...out]).toEqual([-1, 7, 5, -1]);
  });
});
