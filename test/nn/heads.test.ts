// Heads of classifiers: one column, two columns, sigmoids, scikit-learn's; inputs and outputs beside those that count.
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { floats, fromNumbers, toNumbers } from "../../src/base/tensor.js";
import { interpret } from "../../src/graph/interpret.js";
import { TensorProto_DataType as Kind } from "../../src/onnx/generated/onnx_pb.js";
import { importClassifier, type ImportClassifierOptions } from "../../src/nn/imported.js";
import { drawn, expectNear, runFile } from "../support/against-runtime.js";
import { feeds, graphOf } from "../support/classifiers.js";
import {
  declared,
  foreignFile,
  foreignProto,
  serialize,
  type ForeignModel,
} from "../support/onnx-builder.js";

const x = drawn([3, 3], "x");

/** Logits of the classifier in `file` on three inputs, what was noted, and how many classes there are. */
function logitsOf(file: Uint8Array, options: ImportClassifierOptions = {}) {
  const { classifier, notes } = importClassifier(file, options);
  const { logits } = graphOf(classifier);
  const [result] = interpret([logits], feeds(classifier, x));
  return { logits: [...(result?.data ?? [])], notes, classes: classifier.model.classes };
}

const w = (classes: number) => drawn([3, classes], "w");
const head = (classes: number, ...nodes: ForeignModel["nodes"]): ForeignModel => ({
  nodes: [{ op: "MatMul", in: ["x", "w"], out: nodes.length > 0 ? ["z"] : ["y"] }, ...nodes],
  tensors: { w: w(classes) },
});
const scores = (classes: number): number[] => logitsOf(foreignFile(head(classes))).logits;

describe("one column", () => {
  const single = logitsOf(foreignFile(head(1)));

  it("z is read as the logits [0, z] of two classes", async () => {
    const z = toNumbers(await runFile(foreignFile(head(1)), { x: drawn([3, 3], "x") }));
    expect(single.classes).toBe(2);
    expectNear(
      single.logits,
      Array.from(z).flatMap((value) => [0, value]),
    );
    expect(single.notes).toEqual(["output 'y' has one column z: read as the logits [0, z] of two classes"]);
  });

  it("a sigmoid behind it is left out", () => {
    const { logits, notes } = logitsOf(foreignFile(head(1, { op: "Sigmoid", in: ["z"], name: "s" })));
    expect(logits).toEqual(single.logits);
    expect(notes).toContain("Sigmoid 's' at the end is left out: its input is taken as the logits");
  });
});

describe("two probabilities", () => {
  it.each([
    ["[1 − p, p]", ["q", "p"]],
    ["[p, 1 − p]", ["p", "q"]],
  ])("%s of one sigmoid are the logits of two classes", (_, order) => {
    const { tensors = {}, nodes } = head(
      1,
      { op: "Sigmoid", in: ["z"], out: ["p"], name: "s" },
      { op: "Sub", in: ["one", "p"], out: ["q"] },
      { op: "Concat", in: order, attributes: { axis: 1 } },
    );
    const both = logitsOf(foreignFile({ nodes, tensors: { ...tensors, one: floats([], [1]) } }));
    const single = logitsOf(foreignFile(head(1))).logits;
    const pairs = order[1] === "p" ? single : single.map((_, i) => single[i ^ 1] ?? NaN);
    expect(both.logits).toEqual(pairs);
    expect(both.notes).toEqual([
      "Sigmoid 's' at the end is left out: its input z gives the logits [0, z] of two classes",
    ]);
  });

  it("a difference from anything else stays", () => {
    const model = head(
      1,
      { op: "Tanh", in: ["z"], out: ["p"] },
      { op: "Sub", in: ["p", "z"], out: ["q"] },
      { op: "Concat", in: ["q", "p"], attributes: { axis: 1 } },
    );
    expect(logitsOf(foreignFile(model)).notes).toEqual([]);
  });
});

describe("two columns and more", () => {
  it("sigmoids at the end are left out", () => {
    const { logits } = logitsOf(foreignFile(head(2, { op: "Sigmoid", in: ["z"] })));
    expect(logits).toEqual(scores(2));
  });

  const linear = (transform: string, ...behind: ForeignModel["nodes"]): Uint8Array =>
    foreignFile({
      nodes: [
        {
          op: "LinearClassifier",
          name: "lc",
          domain: "ai.onnx.ml",
          in: ["x"],
          out: ["label", behind.length > 0 ? "p" : "y"],
          attributes: {
            coefficients: { floats: [0.5, -1, 2, 1, 0.25, -0.75] },
            intercepts: { floats: [0.1, -0.2] },
            classlabels_ints: [0, 1],
            post_transform: transform,
          },
        },
        ...behind,
      ],
    });

  it.each(["SOFTMAX", "LOGISTIC"])("scikit-learn's linear classifier gives its scores: %s", (transform) => {
    const plain = logitsOf(linear("NONE")).logits;
    const normalizer = { op: "Normalizer", domain: "ai.onnx.ml", in: ["p"], attributes: { norm: "L1" } };
    for (const file of [linear(transform), linear(transform, normalizer)]) {
      const { logits, notes } = logitsOf(file);
      expect(logits).toEqual(plain);
      expect(notes).toEqual(["LinearClassifier 'lc' at the end gives its scores: taken as the logits"]);
    }
  });

  it("ZipMap is passed over", () => {
    const zip = { op: "ZipMap", domain: "ai.onnx.ml", in: ["z"], out: ["named"] };
    const proto = foreignProto({ ...head(2, zip), outputs: ["named"] });
    expect(logitsOf(serialize(proto)).logits).toEqual(scores(2));
  });
});

describe("beside the input and the output", () => {
  it("an output called logits is taken", () => {
    const model = { ...head(3, { op: "Identity", in: ["z"], out: ["logits"] }), outputs: ["logits", "z"] };
    const { notes, logits } = logitsOf(foreignFile(model));
    expect(logits).toEqual(scores(3));
    expect(notes).toEqual(["ignored: 'z', beside 'logits'"]);
  });

  it("an input that the output does not need is passed over; one that it needs is refused by name", () => {
    const proto = foreignProto(head(2));
    proto.graph?.input.unshift(declared("mask", ["N", 7]));
    expect(logitsOf(serialize(proto)).logits).toEqual(scores(2));
    const needed = foreignProto(head(2, { op: "Add", in: ["z", "mask"] }));
    needed.graph?.input.push(declared("mask", ["N", 2], Kind.FLOAT));
    expect(() => logitsOf(serialize(needed))).toThrow(
      new TemperError("model: expected one input, got 2: 'x', 'mask'"),
    );
  });

  it("an input with an initializer keeps it", () => {
    const proto = foreignProto(head(2));
    proto.graph?.input.push(declared("w", [3, 2]));
    expect(logitsOf(serialize(proto)).logits).toEqual(scores(2));
  });

  it("sizes that the file leaves open are those given, where the others agree", () => {
    const model = { ...head(2), x: ["N", "features"] };
    expect(logitsOf(foreignFile(model), { inputShape: [3] }).logits).toEqual(scores(2));
    expect(() => logitsOf(foreignFile(model), { inputShape: [3, 1] })).toThrow(
      new TemperError("input 'x': expected fixed sizes behind the batch, got [N, features]"),
    );
  });
});

it("a class token and shapes of a batch of one serve any batch", async () => {
  const tensors = {
    token: drawn([1, 1, 4], "token"),
    three: ints(1, 3, 4),
    heads: ints(2, 4, 2),
    back: ints(2, 4, -1),
    flat: ints(1, -1),
    w: drawn([16, 2], "w"),
  };
  const nodes: ForeignModel["nodes"] = [
    { op: "Reshape", in: ["x", "three"], out: ["r"] },
    { op: "Concat", in: ["token", "r"], out: ["c"], attributes: { axis: 1 } },
    { op: "Reshape", in: ["c", "heads"], out: ["h"] },
    { op: "Softmax", in: ["h"], out: ["s"] },
    { op: "Reshape", in: ["s", "back"], out: ["b"] },
    { op: "Reshape", in: ["b", "flat"], out: ["f"] },
    { op: "MatMul", in: ["f", "w"] },
  ];
  const file = foreignFile({ x: [1, 12], nodes, tensors });
  await expectEachAlone(file);
});

const ints = (...values: number[]) => fromNumbers("int64", [values.length], values);

it("a batch of one behind the length, as transformers have it, serves any batch", async () => {
  const nodes: ForeignModel["nodes"] = [
    { op: "Reshape", in: ["x", "sequence"], out: ["r"] },
    { op: "Transpose", in: ["r"], out: ["t"], attributes: { perm: [1, 0, 2] } },
    { op: "Reshape", in: ["t", "rows"], out: ["flat"] },
    { op: "MatMul", in: ["flat", "m"], out: ["p"] },
    { op: "Reshape", in: ["p", "back"], out: ["b"] },
    { op: "Reshape", in: ["b", "heads"], out: ["h"] },
    { op: "Softmax", in: ["h"], out: ["s"] },
    { op: "Reshape", in: ["s", "back"], out: ["whole"] },
    { op: "ReduceMean", in: ["whole"], attributes: { axes: [0], keepdims: 0 }, out: ["mean"] },
    { op: "MatMul", in: ["mean", "w"] },
  ];
  const tensors = {
    sequence: ints(1, 3, 4),
    rows: ints(3, 4),
    back: ints(3, 1, 4),
    heads: ints(3, 2, 2),
    m: drawn([4, 4], "m"),
    w: drawn([4, 2], "w"),
  };
  await expectEachAlone(foreignFile({ opset: 13, x: [1, 12], nodes, tensors }));
});

describe("pooled images picked from one axis, as torch.export writes strides", () => {
  const nodes: ForeignModel["nodes"] = [
    { op: "Reshape", in: ["x", "flat"], out: ["f"] },
    { op: "Gather", in: ["f", "at"], out: ["g"] },
    { op: "MatMul", in: ["g", "w"] },
  ];
  const tensors = { flat: ints(-1), w: drawn([4, 2], "w") };

  it("of a batch of one", async () => {
    const at = fromNumbers("int64", [1, 4], [3, 0, 11, 5]);
    await expectEachAlone(foreignFile({ x: [1, 12], nodes, tensors: { ...tensors, at } }));
  });

  it("of a batch of any size", async () => {
    const positions: ForeignModel["nodes"] = [
      { op: "Shape", in: ["x"], out: ["shape"] },
      { op: "Gather", in: ["shape", "zero"], out: ["n"] },
      { op: "Range", in: ["zero", "n", "one"], out: ["images"] },
      { op: "Mul", in: ["images", "twelve"], out: ["starts"] },
      { op: "Unsqueeze", in: ["starts", "last"], out: ["columns"] },
      { op: "Add", in: ["columns", "within"], out: ["at"] },
    ];
    const [zero, one, twelve] = [0, 1, 12].map((n) => fromNumbers("int64", [], [n]));
    if (!zero || !one || !twelve) throw new Error("no numbers");
    const more = { zero, one, twelve, last: ints(1), within: ints(3, 0, 11, 5) };
    await expectEachAlone(
      foreignFile({ x: ["N", 12], nodes: [...positions, ...nodes], tensors: { ...tensors, ...more } }),
    );
  });
});

/** What the imported file gives for three images at once is what the file gives for each of them alone. */
async function expectEachAlone(file: Uint8Array): Promise<void> {
  const { classifier } = importClassifier(file);
  const { logits } = graphOf(classifier);
  const images = drawn([3, 12], "images");
  const [together] = interpret([logits], feeds(classifier, images));
  for (const row of [0, 1, 2]) {
    const image = floats([1, 12], images.data.slice(row * 12, row * 12 + 12) as Float32Array);
    const alone = toNumbers(await runFile(file, { x: image }));
    expectNear(together?.data.slice(row * 2, row * 2 + 2) ?? [], alone);
  }
}
