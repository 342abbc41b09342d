// Files with other numbers in some tensors: every way of storing them, and nothing else changed.
import { create, fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { floats, toNumbers } from "../../src/base/tensor.js";
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as Location,
  TensorProto_DataType as Kind,
  TensorProtoSchema,
} from "../../src/onnx/generated/onnx_pb.js";
import { importClassifier } from "../../src/nn/imported.js";
import { readOnnx } from "../../src/onnx/read.js";
import { rewriteTensors } from "../../src/onnx/rewrite.js";
import { trainingNotes } from "../../src/cli/model-notes.js";
import { fixture } from "../support/classifiers.js";
import { foreignProto, serialize } from "../support/onnx-builder.js";

type Init = Parameters<typeof create<typeof TensorProtoSchema>>[1];

/** A linear classifier whose weight is stored in a way of its own. */
function fileWith(stored: Init, count = 6): Uint8Array {
  const proto = foreignProto({ nodes: [{ op: "MatMul", in: ["x", "w"] }] });
  proto.graph?.initializer.push(
    create(TensorProtoSchema, { name: "w", dims: [BigInt(count / 2), 2n], ...stored }),
  );
  return serialize(proto);
}

const read = (file: Uint8Array, name = "w"): number[] => {
  const found = readOnnx(file).tensors.get(name);
  return found === undefined ? [] : [...toNumbers(found)];
};

const values = [1, -2.5, 0.1, 1e-6, 70000, -0.3];
const w = floats([3, 2], Float32Array.from(values));

describe("tensors in the file's own type", () => {
  it.each([
    ["float in its field", { dataType: Kind.FLOAT, floatData: [0, 0, 0, 0, 0, 0] }],
    ["float, raw", { dataType: Kind.FLOAT, rawData: new Uint8Array(24) }],
    ["double in its field", { dataType: Kind.DOUBLE, doubleData: [0, 0, 0, 0, 0, 0] }],
    ["double, raw", { dataType: Kind.DOUBLE, rawData: new Uint8Array(48) }],
  ])("%s: exactly", (_, stored) => {
    const file = rewriteTensors(fileWith(stored), { w });
    expect(read(file)).toEqual([...w.data].map(Number));
    expect(readOnnx(file).tensors.get("w")?.stored).toBe(stored.dataType === Kind.FLOAT ? "float" : "double");
  });

  it("float16: to the nearest, to the largest where there is none", () => {
    const stored = fileWith({ dataType: Kind.FLOAT16, int32Data: [0, 0, 0, 0, 0, 0] });
    const [one, ...others] = read(rewriteTensors(stored, { w }));
    expect([one, ...others]).toEqual([1, -2.5, 0.0999755859375, 17 * 2 ** -24, 65504, -0.300048828125]);
    // Halfway between two halves the even one is taken, among subnormal ones too.
    const halves = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25, 2047.5, 2 ** -14 - 2 ** -26];
    const between = floats([3, 2], Float32Array.from(halves));
    expect(read(rewriteTensors(stored, { w: between }))).toEqual([
      ...[1, 1 + 2 ** -9, 0, 2 ** -23, 2048, 2 ** -14],
    ]);
  });

  it("float16 and bfloat16: what they hold comes back bit by bit", () => {
    for (const dataType of [Kind.FLOAT16, Kind.BFLOAT16]) {
      const all = [...new Uint16Array(2 ** 16).keys()].filter((bits) =>
        dataType === Kind.FLOAT16 ? ((bits >> 10) & 31) < 31 : ((bits >> 7) & 255) < 255,
      );
      const file = fileWith({ dataType, rawData: new Uint8Array(Uint16Array.from(all).buffer) }, all.length);
      const before = readOnnx(file).tensors.get("w");
      if (before === undefined) throw new Error("no tensor");
      const after = readOnnx(rewriteTensors(file, { w: before })).tensors.get("w");
      expect(after?.data).toEqual(before.data);
    }
  });

  it("bfloat16: to the nearest", () => {
    const stored = fileWith({ dataType: Kind.BFLOAT16, rawData: new Uint8Array(12) });
    const some = floats([3, 2], Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, -1.01, 3, 0, 1e-3));
    const want = [1, 1 + 2 ** -6, -1.0078125, 3, 0, 0.00099945068359375];
    expect(read(rewriteTensors(stored, { w: some }))).toEqual(want);
  });

  it("says which trained tensors are rounded", () => {
    const { model } = importClassifier(
      fileWith({ dataType: Kind.FLOAT16, rawData: new Uint8Array(12) }),
    ).classifier;
    expect(trainingNotes(model)).toEqual([
      "trains w",
      "writes w (float16) as the file stores them: what they learn is rounded",
    ]);
  });
});

describe("the rest of the file", () => {
  it("stays as it is, metadata beside its own", () => {
    const { file } = fixture("cnn");
    const { classifier } = importClassifier(file);
    const same = classifier.model.origin?.write(classifier.weights, {}) ?? new Uint8Array();
    const [before, after] = [file, same].map((bytes) => fromBinary(ModelProtoSchema, bytes));
    expect(after?.graph).toEqual(before?.graph);
    expect(after?.opsetImport).toEqual(before?.opsetImport);
    const once = rewriteTensors(file, {}, { metadata: { a: "1", b: "2" } });
    expect(readOnnx(rewriteTensors(once, {}, { metadata: { b: "3" } })).metadata).toEqual({ a: "1", b: "3" });
  });

  it("keeps which tensors train, for the next time", () => {
    const { classifier } = importClassifier(fixture("cnn").file, {
      freeze: ["conv*"],
      train: ["bn1.running_mean"],
    });
    const file = classifier.model.origin?.write(classifier.weights, {}) ?? new Uint8Array();
    expect(importClassifier(file).classifier.model.parameters).toEqual(classifier.model.parameters);
  });

  it("writes constants in nodes, and refuses names that the file does not hold", () => {
    const value = floats([3, 2], new Float32Array(6));
    const nodes = [
      { op: "Constant", in: [], out: ["w"], attributes: { value } },
      { op: "MatMul", in: ["x", "w"] },
    ];
    const file = serialize(foreignProto({ nodes }));
    const { weights } = importClassifier(rewriteTensors(file, { w })).classifier;
    expect(weights["w"]?.data).toEqual(w.data);
    expect(() => rewriteTensors(file, { v: w })).toThrow("the file holds no tensor 'v'");
  });

  it("holds what lay in other files, written anew or not", () => {
    const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
    const outside = { dataType: Kind.FLOAT, dataLocation: Location.EXTERNAL };
    const file = fileWith({ ...outside, externalData: [entry("location", "weights.bin")] });
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    const external = () => ({ bytes: 24, read: (at: number, n: number) => bytes.subarray(at, at + n) });
    expect(read(rewriteTensors(file, {}, { external }))).toEqual([...w.data].map(Number));
    const zeros = floats([3, 2], new Float32Array(6));
    expect(read(rewriteTensors(file, { w: zeros }, { external }))).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
