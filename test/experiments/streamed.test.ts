// Training on a folder that is read as it goes: the same bytes as on one in memory.
import { encode } from "fast-png";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as defenses from "../../src/defenses/index.js";
import { Interrupted } from "../../src/defenses/train.js";
import { harden, type HardenOptions } from "../../src/experiments/harden.js";
import { loadWhole, openImages, streamed, type OpenImagesOptions } from "../../src/experiments/images.js";
import { readPreprocessing } from "../../src/data/preprocessing.js";
import { mlp } from "../../src/nn/architectures/index.js";
import { adam } from "../../src/optim/index.js";
import { localEngine } from "../../src/runtime/engine.js";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "temper-streamed-"));
  for (const [k, name] of ["a", "b", "c"].entries()) {
    mkdirSync(join(root, name));
    for (let n = 0; n < 13 + k; n++) {
      const data = Uint8Array.from({ length: 16 }, (_, i) => (80 * k + 7 * i * (n + 1)) % 256);
      writeFileSync(join(root, name, `${n}.png`), encode({ width: 4, height: 4, channels: 1, data }));
    }
  }
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const preprocessing = readPreprocessing("test", { crop: 4, channels: "gray" });
const open = (options: OpenImagesOptions = {}) =>
  openImages(root, { preprocessing, cacheBytes: 0, ...options });
const engine = localEngine({ threads: 1 });
const trained = (dataset: HardenOptions["dataset"], options: Partial<HardenOptions> = {}) =>
  harden({
    ...{ model: mlp({ hidden: [5] }), dataset, defenses: [defenses["fgsm-training"]()] },
    ...{ epochs: 3, batchSize: 4, optimizer: adam(), engine, ...options },
  });

describe("a folder that is read as training goes", () => {
  it("trains to the same bytes as in memory, with images held out and a limit too", async () => {
    const set = await open();
    for (const options of [{}, { validation: { last: 8 }, limit: 20, restoreBest: true }]) {
      const whole = await trained(await loadWhole(set), options);
      const read = await trained(streamed(set), options);
      expect(read.file).toEqual(whole.file);
      expect(read.history).toEqual(whole.history);
    }
  });

  it("goes on where it was stopped, to the same bytes", async () => {
    const set = await open();
    const { file } = await trained(streamed(set));
    const checkpoint = { folder: join(root, ".checkpoint"), identity: "x", every: 0 };
    for (let stops = 0; ; stops++) {
      const stop = new AbortController();
      const options = { checkpoint, signal: stop.signal, onProgress: () => stop.abort() };
      const result = await trained(streamed(set), options).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Interrupted);
        return null;
      });
      if (result === null) continue;
      expect(stops).toBeGreaterThan(1);
      return expect(result.file).toEqual(file);
    }
  });

  it("is refused by methods that move their inputs", async () => {
    const set = await open();
    await expect(trained(streamed(set), { defenses: [defenses.sgm()] })).rejects.toThrow(
      "training: expected all images in memory (loadWhole) for a method that moves its inputs, got images read as it goes",
    );
  });

  it("holds out no more than there is", async () => {
    const held = trained(streamed(await open()), { validation: { last: 42 } });
    await expect(held).rejects.toThrow("validation: expected a whole number from 1 to 41, got 42");
  });
});

describe("an image that cannot be read", () => {
  it("is named when its turn comes; or left out and counted, as if it were not there", async () => {
    const before = await trained(streamed(await open()));
    const bad = join(root, "b", "damaged.png");
    writeFileSync(
      bad,
      encode({ width: 4, height: 4, channels: 1, data: new Uint8Array(16) }).subarray(0, 40),
    );
    await expect(trained(streamed(await open()))).rejects.toThrow(`${bad}: expected `);
    const set = await open({ unreadable: "skip" });
    expect(set.notes).toEqual([`left out 1 of 43 images, which cannot be read: ${bad}`]);
    expect((await trained(streamed(set))).file).toEqual(before.file);
    rmSync(bad);
  });

  it("is not the only one", async () => {
    const path = join(root, ".none");
    mkdirSync(join(path, "a"), { recursive: true });
    writeFileSync(join(path, "a", "1.png"), "no image");
    mkdirSync(join(path, "b"));
    writeFileSync(join(path, "b", "1.png"), "no image");
    const set = openImages(path, { preprocessing, unreadable: "skip" });
    await expect(set).rejects.toThrow(`${path}: expected at least one image that can be read, got none of 2`);
  });
});

it("preprocessing that is said in part has its defaults, and one that is none is refused", async () => {
  const set = await openImages(root, { preprocessing: { crop: 2, channels: "gray" } });
  expect(set.imageShape).toEqual([1, 2, 2]);
  const { bytes } = await openImages(root, { preprocessing: { resize: 3, crop: 2, channels: "gray" } });
  expect(await bytes?.([0])).toHaveLength(4);
  const wrong = openImages(root, { preprocessing: { resizes: 3 } as object });
  await expect(wrong).rejects.toThrow("preprocessing: unknown option 'resizes' – did you mean 'resize'?");
  await expect(openImages(root)).rejects.toThrow(
    `${root}: expected crop, or resize: [height, width], got neither, where the model's input does not say the size of an image`,
  );
});

it("archives are held in memory", () => {
  const images = { name: "x.npz", source: "npz", split: "all", imageShape: [1, 1, 1], classes: 2 } as const;
  const set = { ...images, identity: "", count: 0, labels: [], notes: [], rows: () => new Float32Array() };
  expect(() => streamed(set)).toThrow(
    "x.npz: expected a folder of images to read as training goes, got images of another kind",
  );
});
