// Foreign classifiers: what of them trains, where the logits are, what is refused.
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { B } from "../../src/base/shape.js";
import { floats, toNumbers } from "../../src/base/tensor.js";
import { interpret } from "../../src/graph/interpret.js";
import { input } from "../../src/graph/node.js";
import { exportClassifier, lookup, weightInputs } from "../../src/nn/classifier.js";
import { importClassifier, type ImportClassifierOptions } from "../../src/nn/imported.js";
import { evaluationPass, type Pass } from "../../src/nn/model.js";
import { mul } from "../../src/ops/index.js";
import { drawn, expectNear, runFile } from "../support/against-runtime.js";
import { feeds, graphOf, trained } from "../support/classifiers.js";
import { foreignFile, type ForeignModel } from "../support/onnx-builder.js";

const load = (model: ForeignModel, options: ImportClassifierOptions = {}) =>
  importClassifier(foreignFile(model), options);
const weights = { w: drawn([3, 4], "w"), b: drawn([4], "b") };
const dense: ForeignModel = {
  nodes: [
    { op: "MatMul", in: ["x", "w"], out: ["m"] },
    { op: "Add", in: ["m", "b"] },
  ],
  tensors: weights,
};

describe("what trains", () => {
  const norm: ForeignModel = {
    x: ["N", 2, 4],
    nodes: [
      { op: "Sub", in: ["x", "mean"], out: ["centred"] },
      { op: "Mul", in: ["centred", "factor"], out: ["normal"] },
      { op: "Conv", in: ["normal", "w", "cb"], out: ["c"] },
      { op: "BatchNormalization", in: ["c", "s", "t", "m", "v"], out: ["n"] },
      { op: "Relu", in: ["n"], out: ["r"], name: "act" },
      { op: "Add", in: ["r", "offset"], out: ["o"] },
      { op: "Clip", in: ["o", "", "top"], out: ["k"] },
      { op: "Flatten", in: ["k"], out: ["f"] },
      { op: "Transpose", in: ["d"], out: ["dt"] },
      { op: "MatMul", in: ["f", "dt"], out: ["p"] },
      { op: "Add", in: ["e", "p"] },
    ],
    tensors: {
      mean: floats([], [0.5]),
      factor: floats([2, 1], [2, 3]),
      w: drawn([3, 2, 3], "w"),
      cb: drawn([3], "cb"),
      s: drawn([3], "s"),
      t: drawn([3], "t"),
      m: drawn([3], "m"),
      v: floats([3], [1, 2, 3]),
      offset: floats([], [0.1]),
      top: floats([], [6]),
      d: drawn([5, 6], "d"),
      e: drawn([5], "e"),
    },
  };

  it("weights and biases of products, scale and shift of batch-norm; nothing else", () => {
    const { model } = load(norm).classifier;
    const roles = model.parameters.map(
      ({ name, role, trainable }) => `${name} ${role}${trainable ? "" : " frozen"}`,
    );
    expect(roles).toEqual([
      "w weight",
      "cb bias",
      "s scale",
      "t shift",
      "m other frozen",
      "v other frozen",
      "d weight",
      "e bias",
    ]);
    expect(model.sites).toEqual(["act", "k"]);
  });

  it("patterns add and take away; of two that fit, the longer one decides", () => {
    expect(trained(load(norm, { train: ["off*"] }).classifier.model)).toContain("offset");
    expect(trained(load(norm, { freeze: ["*"], train: ["d", "e"] }).classifier.model)).toEqual(["d", "e"]);
    expect(trained(load(norm, { train: ["*"], freeze: ["w"] }).classifier.model)).not.toContain("w");
  });

  it("patterns that fit nothing are refused, numbers that shape the graph are no parameters", () => {
    const fitting = "mean, factor, w, cb, s, t, m, v, offset, d, e";
    expect(() => load(norm, { train: ["fc*"] })).toThrow(
      new TemperError(`train 'fc*': expected a pattern that fits one of: ${fitting}, got none that fits`),
    );
    expect(() => load(norm, { freeze: ["top"] })).toThrow(
      new TemperError(`freeze 'top': expected a pattern that fits one of: ${fitting}, got none that fits`),
    );
  });

  it("frozen parameters keep their names and values in the exported file", async () => {
    const { classifier } = load(norm, { freeze: ["w"] });
    const again = importClassifier(exportClassifier(classifier)).classifier;
    expect(again.weights["w"]).toEqual(norm.tensors?.["w"]);
    const x = drawn([3, 2, 4]);
    expectNear(
      toNumbers(await runFile(exportClassifier(classifier), { x })),
      toNumbers(await runFile(foreignFile(norm), { x })),
    );
  });

  it("each hidden activation passes through its site", () => {
    const { model, weights: values } = load(norm).classifier;
    const seen: string[] = [];
    const nodes = weightInputs(model);
    const pass: Pass = {
      ...evaluationPass(lookup(nodes)),
      site: (name, activation) => (seen.push(name), mul(activation, 0)),
    };
    const x = drawn([2, 2, 4]);
    const logits = model.apply(input("x", [B, 2, 4]), pass);
    expect(seen).toEqual(model.sites);
    const [got] = interpret([logits], feeds({ model, weights: values, bounds: [0, 1] }, x));
    expectNear(got?.data.slice(0, 5) ?? [], values["e"]?.data as Float32Array);
  });

  it("names that Temper's files use themselves get another one", async () => {
    const nodes = [
      { op: "MatMul", in: ["x", "c0"], out: ["m"] },
      { op: "Add", in: ["m", "v1"] },
    ];
    const model: ForeignModel = { nodes, tensors: { c0: drawn([3, 4], "w"), v1: drawn([4], "b") } };
    const { classifier } = load(model);
    expect(trained(classifier.model)).toEqual(["c0.value", "v1.value"]);
    const x = drawn([2, 3]);
    const [got, want] = [
      await runFile(exportClassifier(classifier), { x }),
      await runFile(foreignFile(model), { x }),
    ];
    expectNear(toNumbers(got), toNumbers(want));
  });
});

describe("logits", () => {
  const ending = (...nodes: ForeignModel["nodes"]): ForeignModel => ({
    ...dense,
    opset: 13,
    nodes: [dense.nodes[0] ?? nodes[0], { op: "Add", in: ["m", "b"], out: ["z"] }, ...nodes].filter(
      (n) => n !== undefined,
    ),
  });
  const x = drawn([3, 3]);
  const logitsOf = (model: ForeignModel) => {
    const { classifier, notes } = load(model);
    const [got] = interpret([graphOf(classifier).logits], feeds(classifier, x));
    return { values: got?.data ?? new Float64Array(), notes, io: classifier.model.io };
  };
  const plain = logitsOf(dense).values;

  it.each([
    ["Softmax", [{ op: "Softmax", in: ["z"], name: "sm" }], ["Softmax 'sm'"]],
    [
      "LogSoftmax",
      [{ op: "LogSoftmax", in: ["z"], name: "ls", attributes: { axis: 1 } }],
      ["LogSoftmax 'ls'"],
    ],
    [
      "Softmax, Identity",
      [
        { op: "Softmax", in: ["z"], out: ["p"] },
        { op: "Identity", in: ["p"] },
      ],
      ["Softmax 'p'"],
    ],
    [
      "Softmax, LogSoftmax",
      [
        { op: "Softmax", in: ["z"], out: ["p"] },
        { op: "LogSoftmax", in: ["p"] },
      ],
      ["LogSoftmax 'y'", "Softmax 'p'"],
    ],
    [
      "Softmax, Log",
      [
        { op: "Softmax", in: ["z"], out: ["p"] },
        { op: "Log", in: ["p"] },
      ],
      ["Softmax 'p'"],
    ],
  ])("%s at the end is left out", (_, nodes, left) => {
    const { values, notes, io } = logitsOf(ending(...nodes));
    expect([...values]).toEqual([...plain]);
    expect(notes).toEqual(
      left.map((label) => `${label} at the end is left out: its input is taken as the logits`),
    );
    expect(io).toEqual({ input: "x", output: "logits" });
  });

  it("a softmax before operator set 13 that covers maps of size 1", () => {
    const model: ForeignModel = {
      x: ["N", 2, 3, 3],
      opset: 11,
      nodes: [
        { op: "Conv", in: ["x", "w"], out: ["c"] },
        { op: "GlobalAveragePool", in: ["c"], out: ["g"] },
        { op: "Softmax", in: ["g"], name: "prob" },
      ],
      tensors: { w: drawn([5, 2, 2, 2], "w") },
    };
    const { classifier, notes } = load(model);
    expect(classifier.model.classes).toBe(5);
    expect(notes[0]).toBe("Softmax 'prob' at the end is left out: its input is taken as the logits");
    expect(graphOf(classifier).logits.shape).toEqual([B, 5]);
  });

  it("a softmax over anything but the classes stays", () => {
    const over = ending({ op: "Softmax", in: ["z"], attributes: { axis: 0 } });
    const { notes, values } = logitsOf(over);
    expect(notes).toEqual([]);
    expect([...values]).not.toEqual([...plain]);
  });

  it.each([
    [
      "maps",
      { x: ["N", 2, 4], nodes: [{ op: "Relu", in: ["x"] }] },
      "output 'y': expected logits [batch, classes], got [B, 2, 4]",
    ],
    [
      "one number per sample",
      { nodes: [{ op: "ReduceSum", in: ["x"], attributes: { axes: [1], keepdims: 0 } }], opset: 11 },
      "output 'y': expected logits [batch, classes], got [B]",
    ],
    [
      "one number for the batch",
      { nodes: [{ op: "ReduceSum", in: ["x"], attributes: { axes: [0] } }], opset: 11 },
      "output 'y': expected logits [batch, classes], got [1, 3]",
    ],
    [
      "infinite weights",
      {
        nodes: [{ op: "MatMul", in: ["x", "w"] }],
        tensors: { w: floats([3, 2], [1, 2, 3, Infinity, 5, 6]) },
      },
      "tensor 'w': expected finite weights, got Infinity at element 3",
    ],
    [
      "a batch that is fixed",
      {
        x: [2, 3],
        nodes: [
          { op: "Transpose", in: ["x"], out: ["t"] },
          { op: "MatMul", in: ["x", "t"], out: ["p"] },
          { op: "MatMul", in: ["p", "w"], name: "head" },
        ],
        tensors: { w: drawn([2, 3], "w") },
      },
      "model: its batch size is fixed at 2 and it does not work for others: MatMul 'head': matmul: expected equal inner sizes, got [B, B] · [2, 3]",
    ],
  ] satisfies [string, ForeignModel, string][])("%s: refused", (_, model, message) => {
    expect(() => load(model)).toThrow(new TemperError(message));
  });

  it("bounds the wrong way round are refused", () => {
    expect(() => load(dense, { bounds: [1, 0] })).toThrow(
      new TemperError("bounds: expected low < high, got 1 and 0"),
    );
  });
});
