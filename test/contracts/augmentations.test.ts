// The contract of augmentations: every one that the registry exports is held to it by existing.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { AugmentationUnit } from "../../src/augmentations/augmentation.js";
import * as registry from "../../src/augmentations/index.js";
import type { ImageShape } from "../../src/data/dataset.js";
import { asLinearMap, augmentedImages, imageSplit } from "../support/augmented.js";

const augmentations = Object.entries(registry as Record<string, AugmentationUnit>);
const sizes: readonly ImageShape[] = [
  [1, 28, 28],
  [3, 9, 13],
];
const count = 21;

/** Every edge that a unit knows, or its defaults alone. */
function variants({ schema }: AugmentationUnit): object[] {
  const edge =
    schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>)["edge"] : undefined;
  if (edge === undefined) return [{}];
  return ["zero", "nearest", "reflect"].map((each) => ({ edge: each }));
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, i) => sum + v * (b[i] ?? NaN), 0);
const numbers = (length: number, phase: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(i * 1.7 + phase) + 0.3 * Math.cos(i * i + phase));

describe.each(augmentations)("%s", (name, unit) => {
  const taken = sizes.filter(([channels]) => unit.channels?.includes(channels) !== false);

  it("is called what its export is called, and says what it does", () => {
    expect(unit({}).name).toBe(name);
    expect(unit.summary.length).toBeGreaterThan(10);
  });

  it.each(taken)(
    "with its neutral options leaves images [%d, %d, %d] as they are, bit for bit",
    async (...shape) => {
      const split = imageSplit(count, shape);
      const plain = await augmentedImages([], split, shape);
      expect(plain.length).toBe(split.images.length);
      expect(await augmentedImages([unit(unit.neutral)], split, shape)).toEqual(plain);
      expect(await augmentedImages([unit({})], split, shape)).not.toEqual(plain);
    },
  );

  it.each(taken)("leaves pixels in [0, 1]: [%d, %d, %d]", async (...shape) => {
    const images = await augmentedImages([unit({})], imageSplit(count, shape), shape);
    expect(Math.min(...images)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...images)).toBeLessThanOrEqual(1 + 1e-6);
  });

  it("draws by seed, image and epoch, whatever the size of the batch", async () => {
    const shape = taken.at(-1) ?? [3, 9, 13];
    const split = imageSplit(count, shape);
    const at = (options: Parameters<typeof augmentedImages>[3]): Promise<Float32Array> =>
      augmentedImages([unit({})], split, shape, options);
    const images = await at({ batchSize: 16 });
    expect(await at({ batchSize: 16 })).toEqual(images);
    for (const batchSize of [2, 7]) expect(await at({ batchSize })).toEqual(images);
    expect(await at({ epoch: 1 })).not.toEqual(images);
    expect(await at({ seed: 1 })).not.toEqual(images);
  });

  it.each(taken)(
    "is linear in images without bounds and its gradient the exact transpose: [%d, %d, %d]",
    (...shape) => {
      for (const options of variants(unit)) {
        const batch = 4;
        const map = asLinearMap(unit(options), shape, batch);
        const length = batch * shape.reduce((a, b) => a * b, 1);
        const [x, w] = [numbers(length, 0), numbers(length, 2)];
        const [zero, twice] = [new Float64Array(length), x.map((v) => 2 * v)];
        const offset = map.apply(zero);
        const linear = (images: Float64Array): Float64Array =>
          map.apply(images).map((v, i) => v - (offset[i] ?? NaN));
        const image = linear(x);
        linear(twice).forEach((v, i) => expect(Math.abs(v - 2 * (image[i] ?? NaN))).toBeLessThan(1e-12));
        const adjoint = map.transposed(x, w);
        expect(adjoint).toEqual(map.transposed(zero, w));
        expect(Math.abs(dot(image, w) - dot(x, adjoint))).toBeLessThan(1e-11 * length);
        expect(Math.abs(dot(image, w))).toBeGreaterThan(1e-3);
      }
    },
  );
});
