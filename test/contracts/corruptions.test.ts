// The contract of corruptions: every one that the registry exports is held to it by existing.
import { describe, expect, it } from "vitest";
import { corrupt } from "../../src/corruptions/corrupt.js";
import type { Corruption } from "../../src/corruptions/corruption.js";
import * as registry from "../../src/corruptions/index.js";
import { shapes, type ImageShape } from "../support/images.js";

const corruptions = Object.entries(registry as Record<string, Corruption>);
const all = [1, 2, 3, 4, 5] as const;

/** Published parameters by which single severities do not move farther than the one before. */
const unordered: Readonly<Record<string, string>> = {
  "elastic-transform": "large shifts with small waves become small shifts with large waves",
  "glass-blur": "severity 4 smooths less than 3 and shuffles more",
  frost: "more ice with more of the image below it",
};

const sizes: readonly ImageShape[] = [
  [1, 28, 28],
  [3, 32, 32],
  [3, 64, 48],
  [1, 9, 130],
];

const distance = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, v, i) => sum + Math.abs(v - (b[i] ?? 0)), 0) / a.length;

describe.each(corruptions)("%s", (name, corruption) => {
  const shape: ImageShape = [3, 32, 32];
  const count = 8;
  const images = shapes(count, shape);
  const indices = Array.from({ length: count }, (_, i) => i);
  const size = images.length / count;
  const at = (severity: number, seed = 0): Float32Array =>
    corrupt(corruption, images, { imageShape: shape, indices, severity, seed });

  it("is called what its export is called, and says what it does", () => {
    expect(corruption.name).toBe(name);
    expect(corruption.summary.length).toBeGreaterThan(10);
  });

  it("leaves images as they are at severity 0, bit for bit, and never writes into them", () => {
    const before = images.slice();
    expect(at(0)).toEqual(images);
    at(5);
    expect(images).toEqual(before);
  });

  it("gives the same bytes for the same seed", () => {
    for (const severity of [1, 5]) expect(at(severity)).toEqual(at(severity));
  });

  it("gives an image the same bytes in every batch, alone and in any order", () => {
    const order = [7, 0, 5, 4];
    const rows = order.map((i) => images.slice(i * size, (i + 1) * size));
    const batch = new Float32Array(order.length * size);
    rows.forEach((row, i) => batch.set(row, i * size));
    const whole = at(3);
    const mixed = corrupt(corruption, batch, { imageShape: shape, indices: order, severity: 3 });
    order.forEach((index, i) => {
      const expected = whole.slice(index * size, (index + 1) * size);
      expect(mixed.slice(i * size, (i + 1) * size)).toEqual(expected);
      const [row = batch] = rows.slice(i, i + 1);
      expect(corrupt(corruption, row, { imageShape: shape, indices: [index], severity: 3 })).toEqual(
        expected,
      );
    });
  });

  it("moves farther with severity", () => {
    const moved = all.map((severity) => distance(at(severity), images));
    expect(Math.min(...moved)).toBeGreaterThan(0);
    if (name !== "elastic-transform") expect(moved[4]).toBeGreaterThan(moved[0] ?? Infinity);
    if (unordered[name] === undefined)
      all.slice(1).forEach((severity) => {
        expect(moved[severity - 1], `severity ${severity}`).toBeGreaterThanOrEqual(
          0.99 * (moved[severity - 2] ?? Infinity),
        );
      });
  });

  it.each(sizes.filter(([channels]) => channels === 3 || !corruption.colorOnly))(
    "stays within [0, 1] for images of %i × %i × %i",
    (...imageShape) => {
      const inputs = shapes(3, imageShape);
      for (const severity of all) {
        const out = corrupt(corruption, inputs, { imageShape, indices: [0, 1, 2], severity });
        expect(out.length).toBe(inputs.length);
        expect(out.every((v) => v >= 0 && v <= 1)).toBe(true);
      }
    },
  );

  it("takes black, white and grey images", () => {
    const blank = Float32Array.from({ length: 3 * size }, (_, i) => Math.floor(i / size) / 2);
    const out = corrupt(corruption, blank, { imageShape: shape, indices: [0, 1, 2], severity: 5 });
    expect(out.every((v) => v >= 0 && v <= 1)).toBe(true);
  });
});
