// Files written by other tools, and Temper's own: values, gradients and the way back.
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { checkDerivatives } from "../../src/autodiff/check.js";
import { gradient } from "../../src/autodiff/gradient.js";
import { B } from "../../src/base/shape.js";
import { floats, toNumbers } from "../../src/base/tensor.js";
import { graphFunction } from "../../src/graph/function.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input } from "../../src/graph/node.js";
import { simplify } from "../../src/graph/simplify.js";
import { exportClassifier, fileNames, lookup, weightInputs } from "../../src/nn/classifier.js";
import { importClassifier } from "../../src/nn/imported.js";
import {
  activation,
  batchNorm,
  convolution,
  dense,
  dropout,
  flatten,
  maxPooling,
} from "../../src/nn/layers/index.js";
import { sequential } from "../../src/nn/sequential.js";
import { evaluationPass, type Classifier } from "../../src/nn/model.js";
import { ModelProtoSchema } from "../../src/onnx/generated/onnx_pb.js";
import { exportFunction } from "../../src/onnx/export.js";
import { mul, sum } from "../../src/ops/index.js";
import { localEngine } from "../../src/runtime/engine.js";
import { drawn, expectNear, runFile } from "../support/against-runtime.js";
import { serialize } from "../support/onnx-builder.js";
import { feeds, fixture, graphOf, rowsOf, softmaxOf, trained } from "../support/classifiers.js";

describe("files written by other tools", () => {
  it("scikit-learn's network: labels ignored, softmax left out, logits recovered", async () => {
    const { x, file, outputs } = fixture("mlp");
    const { classifier, notes } = importClassifier(file);
    const { model } = classifier;
    expect([model.inputShape, model.classes]).toEqual([[64], 10]);
    expect(notes).toEqual([
      "ignored: 'label', beside 'probabilities'",
      "Softmax 'Relu2' at the end is left out: its input is taken as the logits",
    ]);
    const tensors = [
      "coefficient",
      "intercepts",
      "coefficient1",
      "intercepts1",
      "coefficient2",
      "intercepts2",
    ];
    expect(model.parameters.map(({ name }) => name)).toEqual(tensors);
    expect(trained(model)).toEqual(tensors);
    expect(model.parameters.map(({ role }) => role)).toEqual([
      "weight",
      "bias",
      "weight",
      "bias",
      "weight",
      "bias",
    ]);
    const logits = await runFile(exportClassifier(classifier), { [fileNames(model).input]: x });
    expectNear(rowsOf(logits).flatMap(softmaxOf), outputs["probabilities"]?.flat() ?? []);
  });

  it("a convolutional network as PyTorch exports it: every batch size, sites, frozen statistics", async () => {
    const { x, file, outputs } = fixture("cnn");
    const { classifier, notes } = importClassifier(file, { name: "cnn", bounds: [0, 255] });
    const { model, bounds } = classifier;
    expect([model.name, model.inputShape, model.classes, bounds]).toEqual(["cnn", [1, 12, 12], 10, [0, 255]]);
    expect(model.sites).toEqual(["/relu1/Relu", "/relu2/Relu"]);
    expect(notes.slice(1)).toEqual([]);
    expect(trained(model)).toEqual(
      "conv1.weight, bn1.weight, bn1.bias, conv2.weight, conv2.bias, fc.weight, fc.bias".split(", "),
    );
    const frozen = model.parameters.filter(({ trainable }) => !trainable).map(({ name }) => name);
    expect(frozen).toEqual(["bn1.running_mean", "bn1.running_var"]);
    const again = exportClassifier(classifier);
    const logits = await runFile(again, { image: x });
    expectNear(toNumbers(logits), outputs["scores"]?.flat() ?? []);
    const first = await runFile(again, {
      image: floats([2, 1, 12, 12], x.data.slice(0, 288) as Float32Array),
    });
    expectNear(toNumbers(first), outputs["scores"]?.slice(0, 2).flat() ?? []);
  });

  it("a batch of 1 becomes any batch; half-precision weights and constants in nodes are read", async () => {
    const { x, file, outputs } = fixture("cnn-batch-1");
    const { classifier, notes } = importClassifier(file);
    expect(notes).toEqual(["a Reshape to [1, 64] is read as one to [B, 64]"]);
    expect(trained(classifier.model)).toEqual(["w2", "b2", "w1", "b1"]);
    expect(classifier.model.io).toEqual({ input: "data", output: "out" });
    const logits = await runFile(exportClassifier(classifier), { data: x });
    expect(logits.shape).toEqual([4, 5]);
    expectNear(toNumbers(logits), outputs["out"]?.flat() ?? []);
  });

  it("gradients equal central differences of the file itself in ONNX Runtime", async () => {
    const { x, file } = fixture("cnn");
    const { classifier } = importClassifier(file);
    const { x: node, logits } = graphOf(classifier);
    // d/dx of the log-probability of class 3, which the file itself can tell by its softmax.
    const scores = interpret([logits], feeds(classifier, x))[0]?.data ?? new Float64Array();
    const cotangent = input("cotangent", [B, 10]);
    const [g] = gradient(logits, [node], { cotangent });
    if (g === undefined) throw new Error("no gradient");
    const rows = Array.from({ length: 5 }, (_, i) =>
      softmaxOf(Array.from(scores.slice(i * 10, i * 10 + 10))),
    );
    const seed = rows.flatMap((row) => row.map((p, j) => (j === 3 ? 1 : 0) - p));
    const { batch, values } = feeds(classifier, x);
    const given = { ...values, cotangent: { shape: [5, 10], data: Float64Array.from(seed) } };
    const analytic = interpret([g], { batch, values: given })[0]?.data ?? new Float64Array();
    const direction = analytic.map(Math.sign);
    const probe = async (step: number): Promise<number[]> => {
      const shifted = Float32Array.from(x.data as Float32Array, (v, i) => v + step * (direction[i] ?? 0));
      return rowsOf(await runFile(file, { image: floats(x.shape, shifted) })).map((row) =>
        Math.log(row[3] ?? NaN),
      );
    };
    const [plus, minus] = [await probe(1e-4), await probe(-1e-4)];
    const errors = Array.from({ length: 5 }, (_, row) => {
      const slope = analytic.slice(row * 144, row * 144 + 144).reduce((total, v) => total + Math.abs(v), 0);
      const numeric = ((plus[row] ?? 0) - (minus[row] ?? 0)) / 2e-4;
      return Math.abs(slope - numeric) / Math.abs(numeric);
    }).sort((a, b) => a - b);
    // The first image lies within 3e-5 of a kink of some ReLU or pooling window: its two slopes differ by 0.6 %.
    expect(errors[3]).toBeLessThan(5e-4);
    expect(errors[4]).toBeLessThan(1e-2);
  });

  it("gradients of its weights run in ONNX Runtime", async () => {
    const { x, file } = fixture("cnn");
    const { classifier } = importClassifier(file);
    const { x: node, weights, logits } = graphOf(classifier);
    const names = trained(classifier.model);
    const parts = gradient(
      sum(mul(logits, logits)),
      names.flatMap((name) => weights.get(name) ?? []),
    );
    const outputs = Object.fromEntries(parts.map((part, i) => [`d ${names[i] ?? ""}`, part]));
    const fn = simplify(graphFunction("gradient", [node, ...weights.values()], outputs));
    const engine = localEngine({ threads: 1 });
    const program = await engine.load(exportFunction(fn, { weights: classifier.weights }));
    const got = await program.run({ x });
    await program.release();
    const want = interpret(parts, feeds(classifier, x));
    names.forEach((name, i) => {
      const result = got[`d ${name}`];
      expectNear(result ? toNumbers(result) : [], want[i]?.data ?? []);
    });
  });

  it("derivatives to second order of an imported network with pooling and batch-norm", () => {
    const { x, file } = fixture("cnn");
    const { classifier } = importClassifier(file);
    const { x: node, weights: nodes, logits } = graphOf(classifier);
    const sources = [
      node,
      ...["conv1.weight", "bn1.weight", "bn1.bias", "fc.bias"].flatMap((n) => nodes.get(n) ?? []),
    ];
    const two = floats([2, 1, 12, 12], x.data.slice(0, 288) as Float32Array);
    for (const { error } of checkDerivatives(logits, sources, feeds(classifier, two), 2, 1e-6))
      expect(error).toBeLessThan(1e-5);
  });
});

describe("round trip", () => {
  const model = sequential(
    "own",
    [1, 8, 8],
    [
      convolution(4, 3, { padding: "same" }),
      batchNorm(),
      activation("relu"),
      maxPooling(2),
      dropout(0.5),
      flatten(),
      dense(12),
      activation("tanh"),
      dense(5),
    ],
  );
  const random = Object.entries(model.initialize(3)).map(([name, { shape }]) => {
    const { data } = drawn(shape, name);
    return [name, floats(shape, Float32Array.from(data as Float32Array, Math.abs))] as const;
  });
  const own: Classifier = { model, weights: Object.fromEntries(random), bounds: [0, 1] };

  it("out and in again: the same logits, bit for bit, and the same parameters", async () => {
    const file = exportClassifier(own);
    const { classifier } = importClassifier(file);
    const again = exportClassifier(classifier);
    const x = drawn([7, 1, 8, 8]);
    const [first, second] = [await runFile(file, { input: x }), await runFile(again, { input: x })];
    expect(second).toEqual(first);
    expect(classifier.weights).toEqual(own.weights);
    expect(classifier.model.sites).toEqual(model.sites);
    const frozen = model.buffers.map((buffer) => ({ ...buffer, role: "other", trainable: false }));
    const byName = (parameters: readonly { readonly name: string }[]) =>
      new Map(parameters.map((parameter) => [parameter.name, parameter]));
    expect(byName(classifier.model.parameters)).toEqual(byName([...model.parameters, ...frozen]));
  });

  it("without a readable record the weight slots decide", () => {
    for (const record of ["{", '[{"name": 1}]']) {
      const proto = fromBinary(ModelProtoSchema, exportClassifier(own));
      for (const entry of proto.metadataProps) entry.value = record;
      const names = trained(importClassifier(serialize(proto)).classifier.model);
      expect(names).toContain("conv1.bias");
      expect(names).not.toContain("batchnorm1.scale");
    }
  });

  it("a second trip changes nothing at all", () => {
    const once = exportClassifier(importClassifier(exportClassifier(own)).classifier);
    const twice = exportClassifier(importClassifier(once).classifier);
    expect(twice).toEqual(once);
  });

  it("several passes in one graph, one over a doubled batch, share the file's constants", () => {
    const { classifier } = importClassifier(fixture("cnn-batch-1").file);
    const { model: foreign } = classifier;
    const nodes = weightInputs(foreign);
    const pass = evaluationPass(lookup(nodes));
    const doubled = input("doubled", [{ batch: 2, plus: 0 }, ...foreign.inputShape]);
    const total = sum(foreign.apply(doubled, pass));
    expect(total.shape).toEqual([]);
    const x = drawn([4, ...foreign.inputShape]);
    const { values } = feeds(classifier, x);
    const [got] = interpret([total], { batch: 2, values: { ...values, doubled: toArray64(x) } });
    const [want] = interpret([sum(graphOf(classifier).logits)], { batch: 4, values });
    expect(got?.data[0]).toBe(want?.data[0]);
  });
});
