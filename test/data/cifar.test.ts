// CIFAR's records: which byte is what, and files that are not what they should be.
import { describe, expect, it } from "vitest";
import { readCifar } from "../../src/data/cifar.js";

const record = (...labels: number[]): number[] => [
  ...labels,
  ...Array.from({ length: 3072 }, (_, i) => i % 251),
];
const file = (path: string, bytes: readonly number[]) => ({ path, bytes: Uint8Array.from(bytes) });
const fine = { labels: 2, label: 1, classes: 100 } as const;

describe("readCifar", () => {
  it("joins the files' records in order, labels apart from pixels", () => {
    const files = [file("a", [...record(3), ...record(9)]), file("b", record(0))];
    const { images, labels, count } = readCifar(files, { labels: 1, label: 0, classes: 10 });
    expect([count, ...labels]).toEqual([3, 3, 9, 0]);
    expect(images.length).toBe(3 * 3072);
    expect([images[0], images[3072 + 250], images[3072 + 251]]).toEqual([0, 250, 0]);
  });

  it("reads the coarse or the fine label", () => {
    const files = [file("a", record(19, 98))];
    expect([...readCifar(files, fine).labels]).toEqual([98]);
    expect([...readCifar(files, { labels: 2, label: 0, classes: 20 }).labels]).toEqual([19]);
  });

  it.each([
    [record(1, 2).slice(0, -1), "a: expected whole records of 3074 bytes, got 3073 bytes"],
    [[], "a: expected whole records of 3074 bytes, got 0 bytes"],
    [[...record(1, 2), ...record(1, 100)], "a: expected labels from 0 to 99, got 100 at index 1"],
  ])("refuses what is not such a file (%#)", (bytes, words) => {
    expect(() => readCifar([file("a", bytes)], fine)).toThrow(words);
  });
});
