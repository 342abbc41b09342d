// ONNX graphs over float64 matrices, which come and go as sums of two float32 ones: 48 of their 53 bits.
import { toBinary } from "@bufbuild/protobuf";
import type { Shape } from "../../base/shape.js";
import { floats, type Tensor } from "../../base/tensor.js";
import { ModelProtoSchema, TensorProto_DataType as DataType } from "../../onnx/generated/onnx_pb.js";
import { graphProto, modelProto, valueInfo } from "../../onnx/proto.js";
import { Constants, GraphWriter } from "../../onnx/writer.js";
import type { Tensors } from "../../runtime/engine.js";

/** The two float32 tensors of a float64 one. */
export const partsOf = (name: string): readonly [high: string, low: string] => [
  `${name}.high`,
  `${name}.low`,
];

/** The float64 `values` as two float32 tensors of `shape`, the second what the first leaves. */
export function split(name: string, shape: readonly number[], values: Float64Array): Tensors {
  const [high, low] = [new Float32Array(values), new Float32Array(values.length)];
  for (let i = 0; i < low.length; i++) low[i] = (values[i] ?? 0) - (high[i] ?? 0);
  const names = partsOf(name);
  return { [names[0]]: floats(shape, high), [names[1]]: floats(shape, low) };
}

/** The float64 values of `name` among `tensors`. */
export function joined(name: string, tensors: Tensors): Float64Array {
  const [high, low] = partsOf(name).map((part) => (tensors[part] as Tensor).data);
  return Float64Array.from(high as Float32Array, (value, i) => value + Number(low?.[i] ?? 0));
}

/** The parts of `from` among `tensors`, as those of `to`. */
export const renamed = (tensors: Tensors, from: string, to: string): Tensors =>
  Object.fromEntries(partsOf(to).map((part, i) => [part, tensors[partsOf(from)[i] ?? ""] as Tensor]));

export interface DoubleGraph {
  readonly name: string;
  /** float64 inputs by name, given as their parts. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** float32 inputs by name. */
  readonly rows: Readonly<Record<string, Shape>>;
  /** float64 outputs by name, returned as their parts. */
  readonly outputs: Readonly<Record<string, Shape>>;
  /** Names of the outputs' values from those of the inputs, all float64. */
  readonly build: (writer: GraphWriter, value: (name: string) => string) => Readonly<Record<string, string>>;
}

/** The graph as an ONNX file of the standard domain. */
export function doubleFile({ name, inputs, rows, outputs, build }: DoubleGraph): Uint8Array {
  const constants = new Constants();
  const writer = new GraphWriter(constants);
  const cast = (value: string, to: DataType): string => writer.node("Cast", [value], { to });
  const value = (of: string): string => {
    if (of in rows) return cast(of, DataType.DOUBLE);
    const [high, low] = partsOf(of).map((part) => cast(part, DataType.DOUBLE));
    return writer.node("Add", [high ?? "", low ?? ""]);
  };
  for (const [output, result] of Object.entries(build(writer, value))) {
    const [high, low] = partsOf(output);
    writer.push("Cast", [result], [high], { to: DataType.FLOAT });
    const rest = writer.node("Sub", [result, cast(high, DataType.DOUBLE)]);
    writer.push("Cast", [rest], [low], { to: DataType.FLOAT });
  }
  const infos = (of: Readonly<Record<string, Shape>>) =>
    Object.entries(of).flatMap(([each, shape]) =>
      partsOf(each).map((part) => valueInfo(part, "float32", shape)),
    );
  const graph = graphProto({
    name,
    node: writer.nodeProtos,
    input: [
      ...infos(inputs),
      ...Object.entries(rows).map(([each, shape]) => valueInfo(each, "float32", shape)),
    ],
    output: infos(outputs),
    initializer: constants.initializers,
  });
  return toBinary(ModelProtoSchema, modelProto(graph));
}
