// The file format: every way of storing a tensor, and files that are none.
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { floats, toNumbers } from "../../src/base/tensor.js";
import {
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as Location,
  TensorProto_DataType as Kind,
  TensorProtoSchema,
  type TensorProto,
} from "../../src/onnx/generated/onnx_pb.js";
import { readTensor } from "../../src/onnx/read-tensor.js";
import { readOnnx } from "../../src/onnx/read.js";
import { foreignFile, foreignProto, serialize } from "../support/onnx-builder.js";

type Fields = Partial<Omit<TensorProto, "$typeName" | "$unknown">>;
const proto = (dataType: Kind, dims: number[], fields: Fields): TensorProto =>
  create(TensorProtoSchema, { name: "w", dataType, dims: dims.map(BigInt), ...fields });
const raw = (array: { readonly buffer: ArrayBufferLike }): Fields => ({
  rawData: new Uint8Array(array.buffer),
});

const stored: readonly (readonly [string, Kind, Fields, string, readonly number[]])[] = [
  ["float, raw", Kind.FLOAT, raw(Float32Array.of(1.5, -2)), "float32", [1.5, -2]],
  ["float, field", Kind.FLOAT, { floatData: [1.5, -2] }, "float32", [1.5, -2]],
  ["double, raw", Kind.DOUBLE, raw(Float64Array.of(0.1, -2)), "float32", [Math.fround(0.1), -2]],
  ["double, field", Kind.DOUBLE, { doubleData: [0.25, -2] }, "float32", [0.25, -2]],
  ["float16, raw", Kind.FLOAT16, raw(Uint16Array.of(0x3c00, 0xc100)), "float32", [1, -2.5]],
  [
    "float16, small and large",
    Kind.FLOAT16,
    raw(Uint16Array.of(0x0001, 0x7bff)),
    "float32",
    [2 ** -24, 65504],
  ],
  ["float16, field", Kind.FLOAT16, { int32Data: [0x3800, 0xfc00] }, "float32", [0.5, -Infinity]],
  ["bfloat16, raw", Kind.BFLOAT16, raw(Uint16Array.of(0x3f80, 0xc020)), "float32", [1, -2.5]],
  ["int8, raw", Kind.INT8, raw(Int8Array.of(-1, 7)), "int32", [-1, 7]],
  ["int16, raw", Kind.INT16, raw(Int16Array.of(-300, 7)), "int32", [-300, 7]],
  ["uint16, raw", Kind.UINT16, raw(Uint16Array.of(65535, 7)), "int32", [65535, 7]],
  ["int32, raw", Kind.INT32, raw(Int32Array.of(-3, 70000)), "int32", [-3, 70000]],
  ["int32, field", Kind.INT32, { int32Data: [-3, 70000] }, "int32", [-3, 70000]],
  ["int64, raw", Kind.INT64, raw(BigInt64Array.of(-3n, 2n ** 40n)), "int64", [-3, 2 ** 40]],
  ["int64, field", Kind.INT64, { int64Data: [-3n, 4n] }, "int64", [-3, 4]],
  ["uint32, field", Kind.UINT32, { uint64Data: [3n, 4n] }, "int64", [3, 4]],
  ["uint64, raw", Kind.UINT64, raw(BigUint64Array.of(3n, 4n)), "int64", [3, 4]],
  ["uint8, raw", Kind.UINT8, raw(Uint8Array.of(3, 255)), "uint8", [3, 255]],
  ["bool, raw", Kind.BOOL, raw(Uint8Array.of(0, 2)), "bool", [0, 1]],
  ["bool, field", Kind.BOOL, { int32Data: [0, 1] }, "bool", [0, 1]],
];

describe("tensors", () => {
  it.each(stored)("%s", (_, kind, fields, dtype, values) => {
    const read = readTensor(proto(kind, [2], fields));
    expect(read.dtype).toBe(dtype);
    expect([...toNumbers(read)]).toEqual(values);
  });

  it("raw data that is not aligned", () => {
    const bytes = new Uint8Array(13);
    bytes.set(new Uint8Array(Float32Array.of(1.5, -2, 3).buffer), 1);
    expect([...toNumbers(readTensor(proto(Kind.FLOAT, [3], { rawData: bytes.subarray(1) })))]).toEqual([
      1.5, -2, 3,
    ]);
  });

  it.each([
    [
      "strings",
      proto(Kind.STRING, [1], {}),
      "tensor 'w': expected floats, whole numbers or booleans, got string",
    ],
    [
      "too few bytes",
      proto(Kind.FLOAT, [2, 3], raw(Float32Array.of(1))),
      "tensor 'w': expected 6 elements for [2, 3], got 4 bytes of float",
    ],
    [
      "too many elements",
      proto(Kind.INT64, [1], { int64Data: [1n, 2n] }),
      "tensor 'w': expected 1 elements for [1], got 2",
    ],
    [
      "external data",
      proto(Kind.FLOAT, [1], {
        dataLocation: Location.EXTERNAL,
        externalData: [create(StringStringEntryProtoSchema, { key: "location", value: "weights.bin" })],
      }),
      "tensor 'w': expected its data inside the ONNX file, got external data in 'weights.bin'",
    ],
  ])("%s are refused", (_, tensor, message) => {
    expect(() => readTensor(tensor)).toThrow(new TemperError(message));
  });
});

describe("files", () => {
  const file = foreignFile({
    nodes: [{ op: "MatMul", in: ["x", "w"] }],
    tensors: { w: floats([3, 40], new Float32Array(120)) },
  });

  it("are read into nodes, tensors, inputs and outputs", () => {
    const { nodes, tensors, inputs, outputs, opset, producer, name } = readOnnx(file);
    expect(nodes).toEqual([
      { operator: "MatMul", domain: "", name: "", inputs: ["x", "w"], outputs: ["y"], attributes: {} },
    ]);
    expect(tensors.get("w")?.shape).toEqual([3, 40]);
    expect(inputs).toEqual([{ name: "x", type: "float", dims: ["N", 3] }]);
    expect(outputs).toEqual([{ name: "y", type: "float", dims: null }]);
    expect([opset, producer, name]).toEqual([18, "another tool", "foreign"]);
  });

  it("inputs that have an initializer are none", () => {
    const model = foreignProto({
      nodes: [{ op: "Add", in: ["x", "w"] }],
      tensors: { w: floats([3], [1, 2, 3]) },
    });
    const [x] = model.graph?.input ?? [];
    if (x) model.graph?.input.push({ ...x, name: "w" });
    expect(readOnnx(serialize(model)).inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  it("cut short anywhere are refused", () => {
    for (const length of [10, 200, file.length - 1])
      expect(() => readOnnx(file.subarray(0, length))).toThrow(
        /^model: expected an ONNX file, got \d+ bytes that are none or are cut short \(.+\)$/,
      );
  });

  it("of another kind are refused", () => {
    expect(() => readOnnx(new TextEncoder().encode("hello, this is no model"))).toThrow(
      /^model: expected an ONNX file, got 23 bytes /,
    );
    expect(() => readOnnx(new Uint8Array())).toThrow(
      new TemperError("model: expected an ONNX file, got 0 bytes without a graph"),
    );
  });

  it("with sparse initializers are refused", () => {
    const model = foreignProto({ nodes: [{ op: "Relu", in: ["x"] }] });
    model.graph?.sparseInitializer.push(create(SparseTensorProtoSchema, {}));
    expect(() => readOnnx(serialize(model))).toThrow(
      new TemperError("model: expected dense initializers, got sparse ones"),
    );
  });
});
