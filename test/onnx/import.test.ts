// What the import refuses, in its exact words, and what it makes of files with fixed batches and several outputs.
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { B } from "../../src/base/shape.js";
import { floats, fromNumbers } from "../../src/base/tensor.js";
import { input, type Node } from "../../src/graph/node.js";
import { TensorProto_DataType as Kind } from "../../src/onnx/generated/onnx_pb.js";
import { knownOperators } from "../../src/onnx/domains.js";
import { buildGraph, importGraph, outputNode } from "../../src/onnx/import.js";
import { drawn, expectSameAsRuntime } from "../support/against-runtime.js";
import {
  declared,
  foreignFile,
  foreignProto,
  serialize,
  type ForeignModel,
} from "../support/onnx-builder.js";

function imported(model: ForeignModel, options: { output?: string } = {}): Node {
  const graph = importGraph(foreignFile(model), options);
  return outputNode(buildGraph(graph, input("x", [B, ...graph.input.shape])), graph.output);
}

const relu = { op: "Relu", in: ["x"] };
const bools = (value: boolean) => fromNumbers("bool", [], [value ? 1 : 0]);
const known = knownOperators.filter((name) => !name.includes(".")).join(", ");

const refused: readonly (readonly [string, ForeignModel, string])[] = [
  [
    "an unknown operator",
    { nodes: [{ op: "Sofmax", in: ["x"], name: "head" }] },
    `node 'head': unknown operator 'Sofmax' – did you mean 'Softmax'? (known: ${known})`,
  ],
  [
    "an unknown operator without a name",
    { nodes: [{ op: "GridSample", in: ["x"] }] },
    `node 'y': unknown operator 'GridSample' (known: ${known})`,
  ],
  [
    "an unknown domain",
    { nodes: [{ op: "Conv", in: ["x"], name: "conv", domain: "com.example" }] },
    "node 'conv': expected an operator of a known domain, got com.example.Conv (allowed: ai.onnx, ai.onnx.ml, com.microsoft)",
  ],
  [
    "Multinomial",
    { nodes: [{ op: "Multinomial", in: ["x"], name: "noise" }] },
    "node 'noise': operator 'Multinomial' is refused: its draws have no gradient; export the model without it",
  ],
  [
    "random numbers that nobody draws",
    { nodes: [{ op: "RandomNormalLike", in: ["x"], name: "noise" }] },
    "RandomNormalLike 'noise': random numbers: expected a host that draws them, got none",
  ],
  [
    "random numbers of a fixed shape for an open batch",
    { nodes: [{ op: "RandomUniform", in: [], name: "noise", attributes: { shape: [4, 3] } }] },
    "RandomUniform 'noise': random numbers: expected a shape [batch, …], got [4, 3]",
  ],
  [
    "random numbers whose first axis is not the batch",
    {
      nodes: [
        { op: "Transpose", in: ["x"], out: ["t"] },
        { op: "RandomNormalLike", in: ["t"], name: "noise" },
      ],
    },
    "RandomNormalLike 'noise': random numbers: expected a shape [batch, …], got [3, B]",
  ],
  ...["If", "Loop", "Scan"].map(
    (op) =>
      [
        op,
        { nodes: [{ op, in: ["x"], name: "flow" }] },
        `node 'flow': operator '${op}' is refused: control flow cannot be differentiated here; export the model without it`,
      ] as const,
  ),
  [
    "batch normalisation in training mode",
    {
      x: ["N", 1],
      nodes: [
        {
          op: "BatchNormalization",
          in: ["x", "s", "s", "s", "s"],
          name: "bn",
          attributes: { training_mode: 1 },
        },
      ],
      tensors: { s: floats([1], [1]) },
    },
    "BatchNormalization 'bn': batch normalisation: expected inference, got training mode: export the model in inference mode",
  ],
  [
    "batch normalisation with outputs of training",
    {
      x: ["N", 1],
      opset: 9,
      nodes: [
        { op: "BatchNormalization", in: ["x", "s", "s", "s", "s"], out: ["y", "mean", "var"], name: "bn" },
      ],
      tensors: { s: floats([1], [1]) },
    },
    "BatchNormalization 'bn': batch normalisation: expected inference, got training mode: export the model in inference mode",
  ],
  [
    "dropout that keeps nothing",
    {
      nodes: [{ op: "Dropout", in: ["x", "ratio", "on"], name: "drop" }],
      tensors: { ratio: floats([], [1]), on: bools(true) },
    },
    "Dropout 'drop': ratio: expected a rate in [0, 1), got 1",
  ],
  [
    "a further output",
    {
      x: ["N", 1, 4],
      nodes: [
        { op: "MaxPool", in: ["x"], out: ["p", "indices"], attributes: { kernel_shape: [2] } },
        { op: "Relu", in: ["indices"], name: "r" },
      ],
    },
    "Relu 'r': input 'indices': expected a value computed by an earlier node, got one of the further outputs, which Temper does not compute",
  ],
  [
    "a value from nowhere",
    { nodes: [{ op: "Relu", in: ["ghost"], name: "r" }] },
    "Relu 'r': input 'ghost': expected a value computed by an earlier node, got no such value before it",
  ],
  [
    "an output from nowhere",
    { nodes: [relu], outputs: ["ghost"] },
    "output 'ghost': expected a value that some node computes, got none",
  ],
  [
    "an output that is constant",
    { nodes: [{ op: "Shape", in: ["x"] }] },
    "output 'y': expected a function of the input, got a constant",
  ],
  [
    "an output of whole numbers",
    { nodes: [{ op: "Cast", in: ["x"], attributes: { to: Kind.INT32 } }] },
    "output 'y': expected floats, got int32",
  ],
  ["no outputs", { nodes: [relu], outputs: [] }, "model: expected one output of floats, got none"],
  [
    "several outputs",
    { nodes: [relu, { op: "Neg", in: ["x"], out: ["z"] }], outputs: ["y", "z"] },
    "model: expected one output of floats, got 'y', 'z'",
  ],
  [
    "an input of rank 1",
    { x: [3], nodes: [relu] },
    "input 'x': expected a shape [batch, …] of rank 2 or more, got [3]",
  ],
  [
    "open sizes behind the batch",
    { x: ["N", 3, "height", "width"], nodes: [relu] },
    "input 'x': expected fixed sizes behind the batch, got [N, 3, height, width]",
  ],
  ["an old operator set", { opset: 6, nodes: [relu] }, "model: expected an operator set from 7 to 26, got 6"],
  [
    "a new operator set",
    { opset: 27, nodes: [relu] },
    "model: expected an operator set from 7 to 26, got 27",
  ],
  [
    "numbers that are none",
    { nodes: [{ op: "Add", in: ["x", "w"] }], tensors: { w: floats([3], [1, NaN, 3]) } },
    "tensor 'w': expected numbers, got NaN at element 1",
  ],
  [
    "a target that is computed from the data",
    {
      nodes: [
        { op: "Cast", in: ["x"], out: ["s"], attributes: { to: Kind.INT64 } },
        { op: "Reshape", in: ["x", "s"], name: "r" },
      ],
    },
    "Reshape 'r': input 2: expected numbers known when the model is imported, got a value that is computed",
  ],
  [
    "a Reshape that does not fit",
    {
      nodes: [{ op: "Reshape", in: ["x", "s"], name: "r" }],
      tensors: { s: fromNumbers("int64", [2], [2, -1]) },
    },
    "Reshape 'r': input 2: expected sizes that divide [B, 3], got [2, -1]",
  ],
  [
    "a missing input",
    { nodes: [{ op: "Clip", in: [], name: "c" }] },
    "Clip 'c': input 1: expected a value, got 0 inputs",
  ],
  [
    "an attribute of another type",
    { nodes: [{ op: "LeakyRelu", in: ["x"], name: "l", attributes: { alpha: "much" } }] },
    "LeakyRelu 'l': attribute 'alpha': expected a number, got string",
  ],
  [
    "an unknown padding",
    {
      x: ["N", 1, 4],
      nodes: [{ op: "MaxPool", in: ["x"], name: "p", attributes: { kernel_shape: [2], auto_pad: "SAME" } }],
    },
    "MaxPool 'p': attribute 'auto_pad': expected a known mode, got SAME (allowed: NOTSET, SAME_UPPER, SAME_LOWER, VALID)",
  ],
  [
    "three spatial axes",
    {
      x: ["N", 1, 4, 4, 4],
      nodes: [{ op: "MaxPool", in: ["x"], name: "p", attributes: { kernel_shape: [2, 2, 2] } }],
    },
    "MaxPool 'p': input 1: expected [batch, channels, length] or [batch, channels, height, width], got [B, 1, 4, 4, 4]",
  ],
  [
    "sizes that do not divide for every batch",
    {
      nodes: [
        { op: "Shape", in: ["x"], out: ["s"] },
        { op: "Div", in: ["s", "two"], out: ["h"], name: "half" },
        { op: "Reshape", in: ["x", "h"] },
      ],
      tensors: { two: fromNumbers("int64", [], [2]) },
    },
    "Div 'half': Div: expected a division that is exact for every batch size, got B / 2",
  ],
];

describe("refused", () => {
  it.each(refused)("%s", (_, model, message) => {
    expect(() => imported(model)).toThrow(new TemperError(message));
  });

  it("several inputs, or none", () => {
    const model = foreignProto({ nodes: [{ op: "Add", in: ["x", "z"] }] });
    model.graph?.input.push(declared("z", ["N", 3]));
    expect(() => importGraph(serialize(model))).toThrow(
      new TemperError("model: expected one input, got 2: 'x', 'z'"),
    );
    model.graph?.input.splice(0);
    expect(() => importGraph(serialize(model))).toThrow(
      new TemperError("model: expected one input, got none"),
    );
  });

  it("inputs of another type or without a shape", () => {
    const model = foreignProto({ nodes: [relu] });
    model.graph?.input.splice(0, 1, declared("x", ["N", 3], Kind.UINT8));
    expect(() => importGraph(serialize(model))).toThrow(
      new TemperError("input 'x': expected floats, got uint8"),
    );
    model.graph?.input.splice(0, 1, declared("x", null));
    expect(() => importGraph(serialize(model))).toThrow(
      new TemperError("input 'x': expected a declared shape [batch, …], got none"),
    );
  });

  it("an output that does not exist", () => {
    expect(() => imported({ nodes: [relu] }, { output: "z" })).toThrow(
      new TemperError("model: unknown output 'z' – did you mean 'y'? (known: y)"),
    );
  });
});

describe("accepted", () => {
  it("unknown operators that the output does not need", () => {
    const extra = { op: "ArrayFeatureExtractor", in: ["x"], out: ["label"], domain: "ai.onnx.ml" };
    expect(imported({ nodes: [extra, relu] }).shape).toEqual([B, 3]);
  });

  it("several outputs, one of them chosen", () => {
    const nodes = [relu, { op: "Neg", in: ["x"], out: ["z"] }];
    const node = imported({ nodes, outputs: ["y", "z"] }, { output: "z" });
    expect(node.kind === "op" && node.op.name).toBe("neg");
  });

  it("labels beside the floats, with a note", () => {
    const model = foreignProto({ nodes: [relu, { op: "ArgMax", in: ["x"], out: ["label"] }] });
    model.graph?.output.unshift(declared("label", ["N"], Kind.INT64));
    const graph = importGraph(serialize(model));
    expect(graph.output).toBe("y");
    expect(graph.notes).toEqual(["ignored: 'label', beside 'y'"]);
  });

  it("a batch fixed at 1 and written into a Reshape, for any batch", async () => {
    const model: ForeignModel = {
      x: [1, 2, 4],
      nodes: [
        { op: "Reshape", in: ["x", "s"], out: ["f"] },
        { op: "Gemm", in: ["f", "w"] },
      ],
      tensors: { s: fromNumbers("int64", [2], [1, 8]), w: drawn([8, 3], "w") },
    };
    await expectSameAsRuntime(foreignFile(model));
    expect(imported(model).shape).toEqual([B, 3]);
    const notes: string[] = [];
    const graph = importGraph(foreignFile(model));
    buildGraph(graph, input("x", [B, 2, 4]), { note: (text) => notes.push(text) });
    expect(notes).toEqual(["a Reshape to [1, 8] is read as one to [B, 8]"]);
  });
});
