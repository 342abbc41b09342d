// Random classifiers: what the import says of them, and where they are refused.
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { fgsm } from "../../src/attacks/index.js";
import { floats } from "../../src/base/tensor.js";
import { harden } from "../../src/experiments/harden.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { importClassifier, type ImportClassifierOptions } from "../../src/nn/imported.js";
import { findThreat } from "../../src/threat/find.js";
import { drawn } from "../support/against-runtime.js";
import { foreignFile, type ForeignNode } from "../support/onnx-builder.js";
import { toyShape, toySplit } from "../support/toy-data.js";

const tensors = { w: drawn([36, 4], "w"), s: floats([4], [1, 1, 1, 1]) };

/** A linear classifier with `nodes` from `z` to `y` behind it. */
const load = (nodes: readonly ForeignNode[], options: ImportClassifierOptions = {}) =>
  importClassifier(
    foreignFile({ x: ["N", 36], nodes: [{ op: "MatMul", in: ["x", "w"], out: ["z"] }, ...nodes], tensors }),
    options,
  );
const shaken: readonly ForeignNode[] = [
  { op: "RandomNormalLike", in: ["z"], out: ["n"] },
  { op: "Add", in: ["z", "n"] },
];
const dropping: readonly ForeignNode[] = [
  { op: "BatchNormalization", in: ["z", "s", "s", "s", "s"], out: ["b"] },
  { op: "Dropout", in: ["b"], out: ["d"] },
  { op: "Relu", in: ["d"] },
];

describe("random classifiers", () => {
  it("are noted with the names of what draws", () => {
    const { classifier, notes } = load(shaken);
    expect(classifier.model.draws).toMatchObject([{ name: "n", kind: "normal" }]);
    expect(notes).toEqual(["draws random numbers for each image: n"]);
  });

  it("cannot be written, hardened or put into an attack's file", async () => {
    const { classifier } = load(shaken);
    const message = (purpose: string, where = classifier.model.name) =>
      new TemperError(`${where}: expected a model without random numbers, ${purpose}, got n`);
    expect(() => exportClassifier(classifier)).toThrow(message("to write it"));
    const target = { classifier, threat: findThreat("linf") };
    expect(() => fgsm().toOnnx?.(target, { targeted: false })).toThrow(
      message("to write it with the attack", "fgsm"),
    );
    const train = toySplit(8);
    const dataset = { name: "toy", imageShape: toyShape, classes: 4, train };
    await expect(harden({ model: classifier, dataset, defenses: [], epochs: 1 })).rejects.toThrow(
      message("to harden it"),
    );
  });

  it("are refused where their rows are no images", () => {
    const folded: ForeignNode[] = [
      { op: "Reshape", in: ["z", "halves"], out: ["h"] },
      { op: "RandomNormalLike", in: ["h"], out: ["n"], name: "noise" },
      { op: "Add", in: ["h", "n"], out: ["a"] },
      { op: "Reshape", in: ["a", "whole"] },
    ];
    const shapes = {
      halves: { dtype: "int64", shape: [2], data: BigInt64Array.of(-1n, 2n) },
      whole: { dtype: "int64", shape: [2], data: BigInt64Array.of(-1n, 4n) },
    } as const;
    const file = foreignFile({
      x: ["N", 36],
      nodes: [{ op: "MatMul", in: ["x", "w"], out: ["z"] }, ...folded],
      tensors: { w: tensors.w, ...shapes },
    });
    expect(() => importClassifier(file)).toThrow(
      "RandomNormalLike 'noise': random numbers: expected a shape [batch, …], got [2B, 2]",
    );
  });
});

describe("modes", () => {
  it("eval keeps all, train draws dropout's masks and says what batch normalisation does", () => {
    expect(load(dropping).classifier.model.draws).toBeUndefined();
    const { classifier, notes } = load(dropping, { mode: "train" });
    expect(classifier.model.draws).toMatchObject([{ name: "d", kind: "bernoulli", p: 0.5 }]);
    expect(notes).toEqual([
      "draws random numbers for each image: d",
      "mode train: dropout draws its masks",
      "mode train: batch normalisation keeps its running statistics, since those of a batch would make an image's result depend on its neighbours",
    ]);
  });

  it("train is refused where nothing would draw", () => {
    expect(() => load([{ op: "Relu", in: ["z"] }], { mode: "train" })).toThrow(
      new TemperError(
        "mode train: expected a file with Dropout nodes, got none: nothing would draw (networks that Temper writes hold none)",
      ),
    );
  });
});
