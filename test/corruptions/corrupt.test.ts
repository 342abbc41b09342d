// What cannot be corrupted, the choice of parameters, and noise against its formulas.
import { describe, expect, it } from "vitest";
import { corrupt } from "../../src/corruptions/corrupt.js";
import { severities, type Corruption } from "../../src/corruptions/corruption.js";
import * as registry from "../../src/corruptions/index.js";
import { parameterSetOf } from "../../src/corruptions/parameters.js";

const { fog } = registry;
const grey = new Float32Array(3 * 64 * 64).fill(0.5);
const onGrey = (corruption: Corruption, severity: number): Float32Array =>
  corrupt(corruption, grey, { imageShape: [3, 64, 64], indices: [0], severity });

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: Float32Array): number => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((v) => (v - middle) ** 2)));
};

describe("corrupt", () => {
  it.each<[Corruption, number[], number, string]>([
    [
      registry["random-grayscale"],
      [1, 28, 28],
      1,
      "random-grayscale: expected images of 3 channels [channels, height, width], got [1, 28, 28]",
    ],
    [
      fog,
      [2, 28, 28],
      1,
      "fog: expected images of 1 or 3 channels [channels, height, width], got [2, 28, 28]",
    ],
    [fog, [1, 7, 28], 1, "fog: expected images of at least 8 × 8 pixels, got [1, 7, 28]"],
    [fog, [1, 28, 28], 6, "fog: expected a severity from 0 to 5, got 6"],
    [fog, [1, 28, 28], 1.5, "fog: expected a severity from 0 to 5, got 1.5"],
  ])("of %o for %j at %d is refused", (corruption, [c = 0, h = 0, w = 0], severity, message) => {
    const images = new Float32Array(c * h * w);
    expect(() => corrupt(corruption, images, { imageShape: [c, h, w], indices: [0], severity })).toThrow(
      message,
    );
  });

  it("is refused where the images are of another size", () => {
    const options = { imageShape: [1, 28, 28], indices: [0, 1], severity: 1 } as const;
    expect(() => corrupt(fog, new Float32Array(28 * 28), options)).toThrow(
      "fog: expected 784 numbers an image, got 392",
    );
  });
});

describe("parameters", () => {
  it.each([
    [28, "cifar-10-c"],
    [32, "cifar-10-c"],
    [45, "cifar-10-c"],
    [46, "tiny-imagenet-c"],
    [64, "tiny-imagenet-c"],
    [119, "tiny-imagenet-c"],
    [120, "imagenet-c"],
    [299, "imagenet-c"],
  ])("for images of %i pixels are those of %s", (side, set) => {
    expect(parameterSetOf({ height: side, width: side + 10 })).toBe(set);
  });
});

describe("noise on grey has the spread of its formula", () => {
  it("gaussian-noise: σ", () => {
    [0.04, 0.08, 0.12, 0.15, 0.18].forEach((sigma, i) =>
      expect(deviation(onGrey(registry["gaussian-noise"], i + 1)) / sigma).toBeCloseTo(1, 1),
    );
  });

  it("shot-noise: √(x / photons), of mean x", () => {
    [250, 100, 50, 30, 15].forEach((photons, i) => {
      const out = onGrey(registry["shot-noise"], i + 1);
      expect(mean(out)).toBeCloseTo(0.5, 2);
      expect(deviation(out) / Math.sqrt(0.5 / photons)).toBeCloseTo(1, 1);
      expect(out.every((v) => Math.abs(v * photons - Math.round(v * photons)) < 1e-4)).toBe(true);
    });
  });

  it("impulse-noise: a share, half of it black and half white", () => {
    const out = onGrey(registry["impulse-noise"], 5);
    expect(out.filter((v) => v === 0).length / out.length).toBeCloseTo(0.07, 2);
    expect(out.filter((v) => v === 1).length / out.length).toBeCloseTo(0.07, 2);
  });
});

describe("disturbances", () => {
  const shape = [3, 12, 16] as const;
  const ramp = Float32Array.from({ length: 3 * 12 * 16 }, (_, i) => (i % 16) / 15);
  const indices = Array.from({ length: 200 }, (_, i) => i);
  const many = new Float32Array(indices.length * ramp.length);
  indices.forEach((i) => many.set(ramp, i * ramp.length));
  const rowsOf = (corruption: Corruption, severity: number): Float32Array[] => {
    const out = corrupt(corruption, many, { imageShape: shape, indices, severity });
    return indices.map((i) => out.subarray(i * ramp.length, (i + 1) * ramp.length));
  };

  it("random-flip mirrors severity/10 of the images, and those of a lower severity among them", () => {
    const mirrored = ramp.map((v) => Math.fround(1 - v));
    const flipped = severities.map((severity) =>
      rowsOf(registry["random-flip"], severity).map((row) => {
        const isFlipped = row[0] === 1;
        (isFlipped ? mirrored : ramp).forEach((v, i) => expect(row[i]).toBeCloseTo(v, 6));
        return isFlipped;
      }),
    );
    flipped.forEach((all, i) =>
      expect(Math.abs(all.filter(Boolean).length / 200 - (i + 1) / 10)).toBeLessThan(0.08),
    );
    expect(flipped[0]?.every((was, i) => !was || flipped[4]?.[i])).toBe(true);
  });

  it("five-crop keeps a corner or the middle", () => {
    const seen = new Set(rowsOf(registry["five-crop"], 5).map((row) => row[0]?.toFixed(4)));
    expect([...seen].sort()).toEqual(["0.0000", "0.1333", "0.2000"]);
  });

  it("random-crop comes from anywhere", () => {
    const seen = new Set(rowsOf(registry["random-crop"], 5).map((row) => row[0]?.toFixed(4)));
    expect([...seen].sort()).toEqual(["0.0000", "0.0667", "0.1333", "0.2000"]);
  });

  it("random-grayscale at severity 5 leaves no colour", () => {
    const colors = Float32Array.from({ length: 3 * 64 }, (_, i) => ((i * 37) % 64) / 63);
    const out = corrupt(registry["random-grayscale"], colors, {
      imageShape: [3, 8, 8],
      indices: [3],
      severity: 5,
    });
    expect(out.slice(64, 128)).toEqual(out.slice(0, 64));
    const [r = 0, g = 0, b = 0] = [colors[5], colors[69], colors[133]];
    expect(out[5]).toBeCloseTo(0.299 * r + 0.587 * g + 0.114 * b, 6);
  });
});
