// What each preprocessor makes of images, by its formula; and chains of them.
import { afterAll, describe, expect, it } from "vitest";
import type { ImageShape, Split } from "../../src/data/dataset.js";
import { behindChain, fitChain, type Chain } from "../../src/data/preprocessing-chain.js";
import * as registry from "../../src/data/preprocessors/index.js";
import type { Preprocessor } from "../../src/data/preprocessors/preprocessor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { importClassifier } from "../../src/nn/imported.js";
import { dense, flatten } from "../../src/nn/layers/index.js";
import { deployed, type Model } from "../../src/nn/model.js";
import { sequential } from "../../src/nn/sequential.js";
import { localEngine } from "../../src/runtime/engine.js";
import { imageSplit } from "../support/augmented.js";
import { preprocessedImages } from "../support/preprocessed.js";

const imageShape: ImageShape = [3, 4, 5];
const [size, count] = [60, 200];
const split = imageSplit(count, imageShape);
const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const chain = (...preprocessors: Preprocessor[]): Chain => ({ imageShape, preprocessors });
const images = (...preprocessors: Preprocessor[]): Promise<Float32Array> =>
  preprocessedImages(chain(...preprocessors), split, engine);

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const variance = (values: readonly number[]): number => mean(values.map((x) => x * x)) - mean(values) ** 2;
/** The values of all images at the elements that `belongs` takes. */
const at = (all: Float32Array, belongs: (element: number) => boolean): number[] =>
  [...all].filter((_, i) => belongs(i % size));

describe("preprocessors", () => {
  it("scale: low + x·(high − low)", async () => {
    const scaled = await images(registry.scale({ low: -2, high: 3 }));
    scaled.forEach((x, i) => expect(x).toBeCloseTo(((split.images[i] ?? 0) / 255) * 5 - 2, 5));
  });

  it("standardize: mean 0 and deviation 1 over the set, or in each channel", async () => {
    const [all, apart] = [
      await images(registry.standardize()),
      await images(registry.standardize({ over: "channels" })),
    ];
    expect(mean([...all])).toBeCloseTo(0, 4);
    expect(variance([...all])).toBeCloseTo(1, 4);
    for (const channel of [0, 1, 2]) {
      const inChannel = (element: number): boolean => Math.floor(element / 20) === channel;
      expect(mean(at(apart, inChannel))).toBeCloseTo(0, 4);
      expect(variance(at(apart, inChannel))).toBeCloseTo(1, 4);
    }
    expect(variance(at(all, (element) => element < 20))).not.toBeCloseTo(1, 2);
  });

  it("pixel-mean: each pixel's mean becomes 0, its deviation stays", async () => {
    const centered = await images(registry["pixel-mean"]());
    const pixel = (element: number): boolean => element === 23;
    expect(mean(at(centered, pixel))).toBeCloseTo(0, 5);
    const before = at(
      Float32Array.from(split.images, (byte) => byte / 255),
      pixel,
    );
    expect(variance(at(centered, pixel))).toBeCloseTo(variance(before), 5);
  });

  it("gcn: every image has mean 0 and one length, but one of a single colour is 0", async () => {
    const flat: Split = { ...split, images: split.images.slice() };
    flat.images.fill(77, 0, size);
    const all = await preprocessedImages(chain(registry.gcn()), flat, engine);
    expect(Math.max(...all.slice(0, size).map(Math.abs))).toBeLessThan(1);
    for (let from = size; from < all.length; from += size) {
      const image = [...all.slice(from, from + size)];
      expect(mean(image)).toBeCloseTo(0, 4);
      expect(Math.hypot(...image)).toBeCloseTo(55, 3);
    }
  });

  it("zca after gcn: what covariance λ has becomes λ/(λ + regularization), mean 0", async () => {
    const regularization = 0.5;
    const before = await images(registry.gcn());
    const after = await images(registry.gcn(), registry.zca({ regularization }));
    // W C W and C commute: tr(W C W) = Σ λ/(λ + r), and tr(W C W · C) = Σ λ²/(λ + r) = tr C − r·tr(W C W).
    const table = (x: Float32Array): number[] => {
      const columns = Array.from({ length: size }, (_, i) => at(x, (element) => element === i));
      const centered = columns.map((column) => column.map((value) => value - mean(column)));
      const dot = (a: number[] = [], b: number[] = []): number =>
        a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0) / count;
      return centered.flatMap((a) => centered.map((b) => dot(a, b)));
    };
    const [c, wcw] = [table(before), table(after)];
    const trace = (matrix: readonly number[]): number =>
      matrix.reduce((sum, value, k) => (k % (size + 1) === 0 ? sum + value : sum), 0);
    const both = c.reduce((sum, value, k) => sum + value * (wcw[k] ?? 0), 0);
    expect(both / (trace(c) - regularization * trace(wcw))).toBeCloseTo(1, 3);
    expect(mean(at(after, (element) => element === 7))).toBeCloseTo(0, 4);
  });

  it.each([0, 128])("are refused where all pixels are %d", async (value) => {
    const same: Split = { ...split, images: new Uint8Array(split.images.length).fill(value) };
    await expect(fitChain(chain(registry.standardize()), same, { engine })).rejects.toThrow(
      "standardize: expected pixels that differ from each other, got one value everywhere",
    );
    const green: Split = {
      ...split,
      images: split.images.map((v, i) => (Math.floor(i / 20) % 3 === 1 ? value : v)),
    };
    await expect(
      fitChain(chain(registry.standardize({ over: "channels" })), green, { engine }),
    ).rejects.toThrow(
      "standardize: expected pixels that differ from each other, got one value everywhere in channel 1",
    );
  });

  it("scale needs a range", () => {
    for (const low of [1, 2])
      expect(() => registry.scale({ low, high: 1 })).toThrow("scale: expected low < high");
  });
});

describe("a model behind preprocessors", () => {
  const network = sequential("linear", imageShape, [flatten(), dense(4)]);

  it("keeps their values in its file, frozen, and is read again with them", async () => {
    const behind = chain(registry.gcn(), registry.zca());
    const fitted = await fitChain(behind, split, { engine });
    const model = behindChain(network, behind, fitted);
    const file = exportClassifier({ model, weights: model.initialize(0), bounds: [0, 1] });
    const { classifier } = importClassifier(file);
    const names = ["preprocessing/2-zca/mean", "preprocessing/2-zca/matrix"];
    const kept = classifier.model.parameters.filter(({ name }) => names.includes(name));
    expect(kept.map(({ trainable }) => trainable)).toEqual([false, false]);
    for (const name of names) expect(classifier.weights[name]).toEqual(fitted[name]);
  });

  it("keeps them in the form that is deployed", async () => {
    const behind = chain(registry["pixel-mean"]());
    const fitted = await fitChain(behind, split, { engine });
    const renamed: Model = { ...network, name: "deployed" };
    const both: Model = { ...network, deployed: (weights) => ({ model: renamed, weights }) };
    const model = behindChain(both, behind, fitted);
    const form = deployed({ model, weights: model.initialize(0), bounds: [0, 1] });
    expect(form.model.name).toBe("deployed");
    expect(form.model.parameters[0]?.name).toBe("preprocessing/1-pixel-mean/mean");
    expect(form.weights).toEqual(model.initialize(0));
  });

  it("is refused where the network takes other inputs", () => {
    const other = sequential("linear", [60], [dense(4)]);
    expect(() => behindChain(other, chain(registry.gcn()))).toThrow(
      "linear: expected inputs 3×4×5 behind its preprocessing, got 60",
    );
  });
});
