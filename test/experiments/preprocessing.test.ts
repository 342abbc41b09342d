// Preprocessing: the keys, what they do in front of a model, and that attacks see through them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { floats } from "../../src/base/tensor.js";
import type { ImageShape } from "../../src/data/dataset.js";
import type { ImageSet } from "../../src/data/image-set.js";
import { preprocessingSchema, readPreprocessing, type Preprocessing } from "../../src/data/preprocessing.js";
import { audit } from "../../src/experiments/audit.js";
import { checkFit, fitted, imageShapeOf, inputMapOf, openClassifier } from "../../src/experiments/fit.js";
import { overridden, parsePreprocessing, preprocessingLines } from "../../src/experiments/preprocessing.js";
import { readAttack } from "../../src/experiments/attack-plan.js";
import { openPredictor } from "../../src/evaluation/predictor.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine } from "../../src/runtime/engine.js";
import { drawn } from "../support/against-runtime.js";
import { foreignFile } from "../support/onnx-builder.js";

const read = (given: unknown): Preprocessing => readPreprocessing("p", given);
const parse = (text: string): Preprocessing => parsePreprocessing(text, "model.yaml");

/** A linear classifier of three classes over inputs of `shape`, as another tool writes it. */
const linear = (shape: readonly number[], weights: Float32Array): Uint8Array =>
  foreignFile({
    x: ["N", ...shape],
    nodes: [
      { op: "Flatten", in: ["x"], out: ["flat"] },
      { op: "MatMul", in: ["flat", "w"], out: ["y"] },
    ],
    tensors: { w: floats([weights.length / 3, 3], weights) },
  });

const weights = drawn([36, 3], "w").data as Float32Array;
const shape: ImageShape = [3, 3, 4];

/** Images drawn anew for each index, with the labels that are given. */
function drawnImages(count: number, labels: readonly number[]): ImageSet {
  const { data } = drawn([count, ...shape], "images");
  const values = Float32Array.from(data as Float32Array, (v) => 0.5 + 0.4 * Math.tanh(v));
  const rows = (indices: readonly number[]): Float32Array =>
    Float32Array.from(indices.flatMap((i) => [...values.subarray(36 * i, 36 * (i + 1))]));
  return {
    ...{ name: "drawn", source: "npz", split: "all", imageShape: shape, classes: 3, identity: "", notes: [] },
    ...{ count, labels, rows },
  };
}

describe("the keys of preprocessing", () => {
  it("all have defaults, and lists on the command line need no brackets", () => {
    expect(read({})).toEqual({ interpolation: "bilinear", range: [0, 1], mean: [0], std: [1] });
    const keys = {
      resize: 256,
      crop: "224",
      mean: "0.485,0.456,0.406",
      std: 0.5,
      range: "-1,1",
      classes: "cat, dog",
    };
    expect(read(keys)).toMatchObject({
      ...{ resize: 256, crop: 224, mean: [0.485, 0.456, 0.406], std: [0.5], range: [-1, 1] },
      classes: ["cat", "dog"],
    });
    expect(read({ resize: [30, 40], mean: "1/2", classes: [3, "b"] })).toMatchObject({
      ...{ resize: [30, 40], mean: [0.5], classes: ["3", "b"] },
    });
  });

  it("stand in the README as they are read", () => {
    const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
    const yaml = /^```yaml\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? "";
    expect(Object.keys(parse(yaml)).sort()).toEqual(
      Object.keys(preprocessingSchema.shape)
        .sort()
        .filter((key) => key !== "classes"),
    );
    expect(parse(yaml)).toMatchObject({ resize: 256, crop: 224, channels: "rgb", layout: "nchw" });
    expect(parse(yaml.replace("# classes", "classes")).classes).toEqual(["cat", "dog"]);
  });

  it("are read from YAML, overridden by the command line, and written as YAML again", () => {
    const text = "resize: 72\ncrop: [64, 60]\nmean: [0.5, 0.4, 0.3]\nchannels: bgr\n";
    const file = parse(text);
    expect(preprocessingLines(file).join("\n")).toBe(text.trim());
    const both = overridden(file, { crop: 32, range: "0,255" });
    expect(both).toEqual({ ...file, crop: 32, range: [0, 255] });
    expect(parse(preprocessingLines(both).join("\n"))).toEqual(both);
    expect(preprocessingLines(read({ range: [0, 1], mean: 0 }))).toEqual([]);
  });

  it.each([
    [
      "resize: 256\nmeen: 0.5\n",
      "model.yaml:2:1: preprocessing: unknown option 'meen' – did you mean 'mean'? (known: resize, interpolation, crop, range, mean, std, channels, layout, classes)",
    ],
    [
      "crop: big\n",
      `model.yaml:1:1: preprocessing.crop.0: expected a whole number of at least 1, or [height, width], got "big"`,
    ],
    [
      "crop: [1, 2, 3]\n",
      "model.yaml:1:1: preprocessing.crop: expected a whole number of at least 1, or [height, width], got [1,2,3]",
    ],
    [
      "resize: 0\n",
      "model.yaml:1:1: preprocessing.resize.0: expected a whole number of at least 1, or [height, width], got 0",
    ],
    ["a: [\n", /^model\.yaml:\d:\d: /],
    ["\nrange: [1, 0]\n", "model.yaml:2:1: preprocessing.range: expected low < high, got [1,0]"],
    ["range: 1\n", "model.yaml:1:1: preprocessing.range: expected [low, high], got 1"],
    [
      "std: [1, 0]\n",
      "model.yaml:1:10: preprocessing.std.1: expected a number of at least 0.000001, or a fraction like 8/255, got 0",
    ],
    [
      "interpolation: nearest\n",
      /^model\.yaml:1:1: preprocessing\.interpolation: expected .*bilinear.*bicubic.*, got "nearest"$/,
    ],
    ["channels: grey\n", /^model\.yaml:1:1: preprocessing\.channels: expected .*"gray".*, got "grey"$/],
    ["classes: [a]\n", `model.yaml:1:1: preprocessing.classes: expected at least 2 class names, got ["a"]`],
  ])("%j is refused", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});

describe("a model's input says what images it takes", () => {
  it.each([
    [[3, 8, 9], undefined, [3, 8, 9]],
    [[8, 9, 3], undefined, [3, 8, 9]],
    [[8, 9, 1], undefined, [1, 8, 9]],
    [[3, 9, 3], undefined, [3, 9, 3]],
    [[3, 9, 3], "nhwc", [3, 3, 9]],
    [[8, 9], undefined, [1, 8, 9]],
    [[72], undefined, null],
  ] as const)("%j with layout %s is %j", (input, layout, wanted) => {
    expect(imageShapeOf(input, layout)).toEqual(wanted);
  });

  const images = { name: "photos", imageShape: shape, classes: 3 };
  const modelOf = (inputShape: readonly number[]) =>
    openClassifier("m", linear(inputShape, weights)).classifier.model;

  it.each([[[3, 3, 4]], [[3, 4, 3]], [[36]], [[36, 1]], [[3, 1, 3, 4]]])("%j fits", (inputShape) => {
    expect(() => checkFit("m", modelOf(inputShape), images)).not.toThrow();
  });

  it("refuses what does not fit, in the model's layout", () => {
    expect(() => checkFit("m", modelOf([4, 3, 3]), images)).toThrow(
      "m: expected inputs [batch, 3, 3, 4] for photos, got [batch, 4, 3, 3]",
    );
    expect(() => checkFit("m", modelOf([3, 3, 4]), images, "nhwc")).toThrow(
      "m: expected inputs [batch, 3, 4, 3] for photos, got [batch, 3, 3, 4]",
    );
  });

  it.each([
    [{ mean: [1, 2] }, "preprocessing.mean: expected 1 or 3 numbers, got 2"],
    [{ std: [1, 2, 3, 4] }, "preprocessing.std: expected 1 or 3 numbers, got 4"],
    [{ channels: "gray" }, "preprocessing.channels: expected rgb or bgr, got 'gray'"],
  ])("refuses %j for three channels", (given, message) => {
    expect(() => inputMapOf(modelOf([3, 3, 4]), shape, read(given))).toThrow(message);
  });

  it("refuses bgr and three means for one channel", () => {
    const grey = modelOf([1, 6, 6]);
    const map = (given: unknown) => () => inputMapOf(grey, [1, 6, 6], read(given));
    expect(map({ channels: "bgr" })).toThrow("preprocessing.channels: expected bgr for 3 channels, got 1");
    expect(map({ channels: "rgb" })).toThrow(
      "preprocessing.channels: expected gray for 1 channel, got 'rgb'",
    );
    expect(map({ mean: [1, 2, 3] })).toThrow("preprocessing.mean: expected 1 number, got 3");
  });
});

/** What the linear classifier makes of an image [3, 3, 4] under the preprocessing, written out. */
function byHand(
  image: Float32Array,
  at: (c: number, y: number, x: number) => number,
  p: Preprocessing,
): number[] {
  const [low, high] = p.range;
  const scores = [0, 0, 0];
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < 3; y++)
      for (let x = 0; x < 4; x++) {
        const pixel = image[((p.channels === "bgr" ? 2 - c : c) * 3 + y) * 4 + x] ?? 0;
        const [mean = 0, std = 1] = [p.mean[c] ?? p.mean[0], p.std[c] ?? p.std[0]];
        const value = (low + pixel * (high - low) - mean) / std;
        scores.forEach(
          (_, k) => (scores[k] = (scores[k] ?? 0) + value * (weights[at(c, y, x) * 3 + k] ?? 0)),
        );
      }
  return scores;
}

describe("preprocessing in front of a model", () => {
  const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
  const planes = (c: number, y: number, x: number): number => (c * 3 + y) * 4 + x;
  const last = (c: number, y: number, x: number): number => (y * 4 + x) * 3 + c;

  it.each([
    ["mean and std", [3, 3, 4], imagenet, planes],
    ["one number for all channels", [3, 3, 4], { mean: 0.5, std: 0.5 }, planes],
    ["range alone", [3, 3, 4], { range: [-1, 1] }, planes],
    [
      "blue first, in 0 to 255",
      [3, 3, 4],
      { channels: "bgr", range: [0, 255], mean: [104, 117, 124] },
      planes,
    ],
    ["channels last", [3, 4, 3], imagenet, last],
    ["channels last, blue first", [3, 4, 3], { ...imagenet, channels: "bgr" }, last],
    ["flat", [36], imagenet, planes],
    ["flat with channels last", [36], { ...imagenet, layout: "nhwc" }, last],
  ] as const)("%s", async (_, inputShape, given, at) => {
    const preprocessing = read(given);
    const { classifier } = openClassifier("m", linear(inputShape, weights));
    const map = inputMapOf(classifier.model, shape, preprocessing);
    const over: Classifier = { ...classifier, model: fitted(classifier.model, shape, map) };
    const set = drawnImages(20, []);
    const images = await set.rows(Array.from({ length: 20 }, (_image, i) => i));
    const engine = localEngine({ threads: 1 });
    const predictor = await openPredictor(over, engine, 0);
    const { classes } = await predictor.predict(
      images,
      Array.from({ length: 20 }, (_image, i) => i),
    );
    const wanted = Array.from({ length: 20 }, (_image, i) => {
      const scores = byHand(images.subarray(36 * i, 36 * (i + 1)), at, preprocessing);
      return scores.indexOf(Math.max(...scores));
    });
    expect([...classes]).toEqual(wanted);
    expect(new Set(wanted).size).toBeGreaterThan(1);
    await predictor.release();
    await engine.close();
  });

  it("is seen through by attacks: ε is in pixels, and a linear model falls exactly where its margin says", async () => {
    const preprocessing = read(imagenet);
    const set = drawnImages(60, []);
    const images = await set.rows(Array.from({ length: 60 }, (_, i) => i));
    const scoresOf = (i: number): number[] =>
      byHand(images.subarray(36 * i, 36 * (i + 1)), planes, preprocessing);
    const labels = Array.from({ length: 60 }, (_, i) => scoresOf(i).indexOf(Math.max(...scoresOf(i))));
    // Far from the walls 0 and 1, ε moves the margin between two classes by ε·Σ|w₁ − w₂|/std.
    const distance = (i: number): number => {
      const [label = 0, scores] = [labels[i], scoresOf(i)];
      const reach = [0, 1, 2].map((k) => {
        let slope = 0;
        for (let j = 0; j < 36; j++)
          slope +=
            Math.abs((weights[3 * j + k] ?? 0) - (weights[3 * j + label] ?? 0)) /
            (imagenet.std[Math.floor(j / 12)] ?? 1);
        return k === label ? Infinity : ((scores[label] ?? 0) - (scores[k] ?? 0)) / slope;
      });
      return Math.min(...reach);
    };
    const distances = labels.map((_, i) => distance(i)).sort((a, b) => a - b);
    const epsilon = ((distances[29] ?? 0) + (distances[30] ?? 0)) / 2;
    const engines = [localEngine({ threads: 1 })];
    const attacks = [readAttack({ pgd: { epsilon, steps: 40 } })];
    const record = await audit({
      ...{ file: linear([3, 3, 4], weights), dataset: { ...set, labels }, preprocessing, attacks, engines },
    });
    expect(record.clean).toBe(1);
    expect(record.robust[0]?.accuracy).toBeCloseTo(0.5, 1);
    expect(record.dataset).toEqual({
      ...{ name: "drawn", split: "all", n: 60, source: "npz", notes: [] },
      preprocessing: { mean: imagenet.mean, std: imagenet.std },
    });
    for (const engine of engines) await engine.close();
  });
});
