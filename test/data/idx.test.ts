import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { checkLabels } from "../../src/data/dataset.js";
import { readIdx, readIdxSplit, writeIdx } from "../../src/data/idx.js";

const images = writeIdx(
  [2, 2, 3],
  Uint8Array.from({ length: 12 }, (_, i) => i),
);
const labels = writeIdx([2], Uint8Array.of(1, 0));
const file = (bytes: Uint8Array, path = "some/file") => ({ path, bytes });
const form = { imageShape: [1, 2, 3], classes: 3 } as const;

/** The words of the TemperError that `work` throws. */
function words(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof TemperError) return error.message;
    throw error;
  }
  return "nothing thrown";
}

describe("IDX", () => {
  it("reads images and labels, plain and gz", () => {
    for (const form of [images, gzipSync(images)]) {
      const { shape, data } = readIdx(file(form), "images");
      expect(shape).toEqual([2, 2, 3]);
      expect([...data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }
    expect([...readIdx(file(labels), "labels").data]).toEqual([1, 0]);
  });

  it("writes sizes big-endian", () => {
    expect([...writeIdx([258], new Uint8Array(258)).subarray(0, 8)]).toEqual([0, 0, 8, 1, 0, 0, 1, 2]);
  });

  it("makes a split", () => {
    const split = readIdxSplit(file(images), file(labels), form);
    expect(split.count).toBe(2);
    expect([...split.labels]).toEqual([1, 0]);
    expect(split.images.length).toBe(12);
  });

  const damagedCheck = Uint8Array.from(gzipSync(images)).fill(0, -8);
  const damagedHeader = Uint8Array.from([0x1f, 0x8b, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
  const wrongs: readonly (readonly [name: string, bytes: Uint8Array, message: string])[] = [
    ["empty", new Uint8Array(0), "expected IDX images (magic 0x00000803), got 0 bytes"],
    [
      "labels for images",
      labels,
      "expected IDX images (magic 0x00000803), got IDX labels (magic 0x00000801)",
    ],
    [
      "a PNG",
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a),
      "expected IDX images (magic 0x00000803), got magic 0x89504e47",
    ],
    ["cut in the header", images.subarray(0, 10), "expected a header of 16 bytes, got 10 bytes"],
    [
      "cut in the pixels",
      images.subarray(0, 20),
      "expected 28 bytes (a header of 16, then 2×2×3), got 20: the file is cut short",
    ],
    [
      "trailing bytes",
      Uint8Array.of(...images, 1, 2),
      "expected 28 bytes (a header of 16, then 2×2×3), got 30: 2 too many",
    ],
    [
      "gz cut short",
      gzipSync(images).subarray(0, 15),
      "expected a whole gz file, got a damaged one (unexpected end of file)",
    ],
    [
      "gz with a wrong checksum",
      damagedCheck,
      "expected a whole gz file, got a damaged one (incorrect data check)",
    ],
    [
      "gz of another method",
      damagedHeader,
      "expected a whole gz file, got a damaged one (unknown compression method)",
    ],
  ];
  it.each(wrongs)("refuses %s", (_, bytes, message) => {
    expect(words(() => readIdx(file(bytes), "images"))).toBe(`some/file: ${message}`);
  });

  it("refuses images for labels", () => {
    expect(words(() => readIdx(file(images), "labels"))).toBe(
      "some/file: expected IDX labels (magic 0x00000801), got IDX images (magic 0x00000803)",
    );
  });

  it("refuses images of another size", () => {
    const other = { imageShape: [1, 3, 2], classes: 3 } as const;
    expect(words(() => readIdxSplit(file(images, "a"), file(labels, "b"), other))).toBe(
      "a: expected images of 3×2, got 2×3",
    );
  });

  it("refuses a file without images", () => {
    const none = writeIdx([0, 2, 3], new Uint8Array(0));
    expect(words(() => readIdxSplit(file(none, "a"), file(labels, "b"), form))).toBe(
      "a: expected at least one image, got none",
    );
  });

  it("reads or refuses whatever bytes it is given", () => {
    const starts = fc.constantFrom(images, labels, gzipSync(images));
    const edits = fc.array(fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(starts, edits, fc.nat({ max: 45 }), (start, changes, length) => {
        const bytes = Uint8Array.from(start.subarray(0, length));
        for (const [at, value] of changes) bytes[at] = value;
        expect(words(() => readIdx(file(bytes), "images"))).toMatch(
          /^(some\/file: expected .*, got |nothing)/,
        );
      }),
    );
  });

  it("refuses another number of labels than images", () => {
    const three = writeIdx([3], Uint8Array.of(0, 1, 2));
    expect(words(() => readIdxSplit(file(images, "a"), file(three, "b"), form))).toBe(
      "b: expected 2 labels, one for each image of a, got 3",
    );
  });

  it("names the index of a label out of range", () => {
    const wrong = writeIdx([2], Uint8Array.of(2, 3));
    expect(words(() => readIdxSplit(file(images, "a"), file(wrong, "b"), form))).toBe(
      "b: expected labels from 0 to 2, got 3 at index 1",
    );
    expect(words(() => checkLabels("c", Int32Array.of(0, 1, -1), 3))).toBe(
      "c: expected labels from 0 to 2, got -1 at index 2",
    );
  });
});
