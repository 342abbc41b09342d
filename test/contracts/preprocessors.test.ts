// The contract of preprocessors: every one that the registry exports is held to it by existing.
import { afterAll, describe, expect, it } from "vitest";
import { checkDerivatives } from "../../src/autodiff/check.js";
import type { ImageShape } from "../../src/data/dataset.js";
import { fitChain, fittedValues, mapped, type Chain } from "../../src/data/preprocessing-chain.js";
import * as registry from "../../src/data/preprocessors/index.js";
import type { PreprocessorUnit } from "../../src/data/preprocessors/preprocessor.js";
import { toArray64 } from "../../src/graph/interpret.js";
import { input } from "../../src/graph/node.js";
import { floats } from "../../src/base/tensor.js";
import { lookup } from "../../src/nn/classifier.js";
import { localEngine } from "../../src/runtime/engine.js";
import { imageSplit } from "../support/augmented.js";
import { preprocessedImages } from "../support/preprocessed.js";

const preprocessors = Object.entries(registry as Record<string, PreprocessorUnit>);
const imageShape: ImageShape = [3, 4, 5];
const split = imageSplit(90, imageShape);
const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

describe.each(preprocessors)("%s", (name, unit) => {
  const chain: Chain = { imageShape, preprocessors: [unit({})] };
  const fitting = fitChain(chain, split, { engine });

  it("is called what its export is called, and says what it does", () => {
    expect(unit({}).name).toBe(name);
    expect(unit.summary.length).toBeGreaterThan(10);
  });

  it("fits the values it names, the same ones twice, and changes images", async () => {
    const [fitted, wanted] = [await fitting, fittedValues(chain)];
    expect(Object.keys(fitted)).toEqual(wanted.map((value) => value.name));
    expect(Object.values(fitted).map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
    expect(await fitChain(chain, split, { engine })).toEqual(fitted);
    const images = await preprocessedImages(chain, split, engine, fitted);
    expect(images.every(Number.isFinite)).toBe(true);
    expect(images).not.toEqual(Float32Array.from(split.images, (byte) => byte / 255));
  });

  it("maps an image the same whatever lies beside it", async () => {
    const all = await preprocessedImages(chain, split, engine, await fitting);
    const few = { ...split, images: split.images.slice(0, 7 * 60), count: 7 };
    expect(await preprocessedImages(chain, few, engine, await fitting)).toEqual(all.slice(0, 7 * 60));
  });

  it("is differentiable twice", async () => {
    const [fitted, x] = [await fitting, input("x", [2, ...imageShape])];
    const nodes = new Map(Object.entries(fitted).map(([of, { shape }]) => [of, input(of, shape)]));
    const image = floats(
      x.shape as number[],
      Float32Array.from(split.images.slice(0, 120), (v) => v / 255),
    );
    const values = Object.fromEntries(
      Object.entries({ ...fitted, x: image }).map(([of, value]) => [of, toArray64(value)]),
    );
    const checks = checkDerivatives(mapped(chain, x, lookup(nodes)), [x], { batch: 2, values });
    expect(checks).toHaveLength(2);
    for (const { error } of checks) expect(error).toBeLessThan(1e-4);
  });
});
