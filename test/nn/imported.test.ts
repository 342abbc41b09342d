// Foreign classifiers: files written by other tools, what of them trains, where the logits are, and the way back.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkDerivatives } from "../../src/autodiff/check.js";
import { gradient } from "../../src/autodiff/gradient.js";
import { TemperError } from "../../src/base/errors.js";
import { B } from "../../src/base/shape.js";
import { floats, toNumbers, type Tensor } from "../../src/base/tensor.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input, type InputNode, type Node } from "../../src/graph/node.js";
import { exportClassifier, lookup, weightInputs } from "../../src/nn/classifier.js";
import { importClassifier, type ImportClassifierOptions } from "../../src/nn/imported.js";
import { evaluationPass, type Classifier, type Model, type Pass } from "../../src/nn/model.js";
import { add, conv, div, matmul, maxPool, mul, relu, reshape, sqrt, sub, sum } from "../../src/ops/index.js";
import { drawn, expectNear, runFile } from "../support/against-runtime.js";
import { foreignFile, type ForeignModel } from "../support/onnx-builder.js";

interface Recorded {
  readonly x: Tensor;
  readonly file: Uint8Array;
  readonly outputs: Readonly<Record<string, number[][]>>;
}

/** A fixture and what ONNX Runtime gave for it where it was written. */
function fixture(name: string): Recorded {
  const path = new URL(`../fixtures/${name}`, import.meta.url).pathname;
  // The script beside the fixtures writes these fields.
  const {
    shape,
    input: values,
    ...outputs
  } = JSON.parse(readFileSync(`${path}.json`, "utf8")) as {
    shape: number[];
    input: number[];
  } & Record<string, number[][]>;
  return { x: floats(shape, values), file: new Uint8Array(readFileSync(`${path}.onnx`)), outputs };
}

/** The graph of a classifier over named inputs. */
function graphOf({ model }: Classifier): {
  x: InputNode;
  weights: ReadonlyMap<string, InputNode>;
  logits: Node;
} {
  const x = input("x", [B, ...model.inputShape]);
  const weights = weightInputs(model);
  return { x, weights, logits: model.apply(x, evaluationPass(lookup(weights))) };
}

/** Values of a classifier's weights and of `x` for the interpreter. */
const feeds = ({ weights }: Classifier, x: Tensor) => ({
  batch: x.shape[0] ?? 1,
  values: Object.fromEntries(Object.entries({ ...weights, x }).map(([name, t]) => [name, toArray64(t)])),
});

const softmaxOf = (row: readonly number[]): number[] => {
  const exps = row.map(Math.exp);
  const total = exps.reduce((a, b) => a + b);
  return exps.map((e) => e / total);
};

const rowsOf = ({ data, shape: [, columns = 1] }: Tensor): number[][] =>
  Array.from({ length: data.length / columns }, (_, i) =>
    Array.from(data.slice(i * columns, (i + 1) * columns), Number),
  );

const load = (model: ForeignModel, options: ImportClassifierOptions = {}) =>
  importClassifier(foreignFile(model), options);
const trained = ({ parameters }: Model): string[] => parameters.filter((p) => p.trainable).map((p) => p.name);

const weights = { w: drawn([3, 4], "w"), b: drawn([4], "b") };
const dense: ForeignModel = {
  nodes: [
    { op: "MatMul", in: ["x", "w"], out: ["m"] },
    { op: "Add", in: ["m", "b"] },
  ],
  tensors: weights,
};

describe("files written by other tools", () => {
  it("scikit-learn's network: labels ignored, softmax left out, logits recovered", async () => {
    const { x, file, outputs } = fixture("mlp");
    const { classifier, notes } = importClassifier(file);
    const { model } = classifier;
    expect([model.inputShape, model.classes]).toEqual([[64], 10]);
    expect(notes).toEqual([
      "ignored: 'label', beside 'probabilities'",
      "Softmax 'Relu2' at the end is left out: its input is taken as the logits",
      "trains coefficient, intercepts, coefficient1, intercepts1, coefficient2, intercepts2",
      "leaves nothing as it is",
    ]);
    expect(model.parameters.map(({ role }) => role)).toEqual([
      "weight",
      "bias",
      "weight",
      "bias",
      "weight",
      "bias",
    ]);
    const logits = await runFile(exportClassifier(classifier), { [model.io?.input ?? ""]: x });
    expectNear(rowsOf(logits).flatMap(softmaxOf), outputs["probabilities"]?.flat() ?? []);
  });

  it("a convolutional network as PyTorch exports it: every batch size, sites, frozen statistics", async () => {
    const { x, file, outputs } = fixture("cnn");
    const { classifier, notes } = importClassifier(file, { name: "cnn", bounds: [0, 255] });
    const { model, bounds } = classifier;
    expect([model.name, model.inputShape, model.classes, bounds]).toEqual(["cnn", [1, 12, 12], 10, [0, 255]]);
    expect(model.sites).toEqual(["/relu1/Relu", "/relu2/Relu"]);
    expect(notes.slice(1)).toEqual([
      "trains conv1.weight, bn1.weight, bn1.bias, conv2.weight, conv2.bias, fc.weight, fc.bias",
      "leaves bn1.running_mean, bn1.running_var as it is",
    ]);
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
    expect(notes).toEqual([
      "a Reshape to [1, 64] is read as one to [B, 64]",
      "trains w2, b2, w1, b1",
      "leaves nothing as it is",
    ]);
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
    return { values: got?.data ?? new Float64Array(), notes: notes.slice(0, -2), io: classifier.model.io };
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
      "a single logit",
      { nodes: [{ op: "MatMul", in: ["x", "w"] }], tensors: { w: drawn([3, 1], "w") } },
      "output 'y': expected 2 or more classes, got 1",
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

describe("round trip", () => {
  /** A network of Temper's own: convolution, normalisation, pooling, two dense layers. */
  const shapes: Readonly<Record<string, readonly number[]>> = {
    "conv.weight": [4, 1, 3, 3],
    "conv.bias": [4],
    "bn.mean": [4],
    "bn.variance": [4],
    "fc1.weight": [64, 12],
    "fc1.bias": [12],
    "fc2.weight": [12, 5],
    "fc2.bias": [5],
  };
  const own: Classifier = {
    model: {
      name: "own",
      inputShape: [1, 8, 8],
      classes: 5,
      parameters: Object.entries(shapes).map(([name, shape]) => ({
        name,
        shape,
        role: name.endsWith("bias") ? "bias" : "weight",
        trainable: !name.startsWith("bn"),
      })),
      buffers: [],
      sites: [],
      initialize: () => ({}),
      apply: (x, pass) => {
        const maps = (name: string): Node => reshape(pass.value(name), [4, 1, 1]);
        const normal = div(sub(x, 0.5), 0.25);
        const c = add(conv(normal, pass.value("conv.weight"), { pads: [1, 1, 1, 1] }), maps("conv.bias"));
        const n = div(sub(c, maps("bn.mean")), sqrt(add(maps("bn.variance"), 1e-5)));
        const p = maxPool(relu(n), { kernel: [2, 2], strides: [2, 2] });
        const f = reshape(p, [x.shape[0] ?? 1, 64]);
        const h = relu(add(matmul(f, pass.value("fc1.weight")), pass.value("fc1.bias")));
        return add(matmul(h, pass.value("fc2.weight")), pass.value("fc2.bias"));
      },
    },
    weights: Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        const { data } = drawn(shape, name);
        return [name, floats(shape, Float32Array.from(data as Float32Array, Math.abs))];
      }),
    ),
    bounds: [0, 1],
  };

  it("out and in again: the same logits, bit for bit, and the same parameters", async () => {
    const file = exportClassifier(own);
    const { classifier } = importClassifier(file);
    const again = exportClassifier(classifier);
    const x = drawn([7, 1, 8, 8]);
    const [first, second] = [await runFile(file, { input: x }), await runFile(again, { input: x })];
    expect(second).toEqual(first);
    expect(new Set(trained(classifier.model))).toEqual(new Set(trained(own.model)));
    for (const { name, role } of classifier.model.parameters) {
      expect(classifier.weights[name]).toEqual(own.weights[name]);
      expect(own.model.parameters.find((p) => p.name === name)?.role).toBe(role);
    }
  });

  it("a second trip changes nothing at all", () => {
    const once = exportClassifier(importClassifier(exportClassifier(own)).classifier);
    const twice = exportClassifier(importClassifier(once).classifier);
    expect(twice).toEqual(once);
  });

  it("several passes in one graph, one over a doubled batch, share the file's constants", () => {
    const { classifier } = importClassifier(fixture("cnn-batch-1").file);
    const { model } = classifier;
    const nodes = weightInputs(model);
    const pass = evaluationPass(lookup(nodes));
    const doubled = input("doubled", [{ batch: 2, plus: 0 }, ...model.inputShape]);
    const total = sum(model.apply(doubled, pass));
    expect(total.shape).toEqual([]);
    const x = drawn([4, ...model.inputShape]);
    const { values } = feeds(classifier, x);
    const [got] = interpret([total], { batch: 2, values: { ...values, doubled: toArray64(x) } });
    const [want] = interpret([sum(graphOf(classifier).logits)], { batch: 4, values });
    expect(got?.data[0]).toBe(want?.data[0]);
  });
});
