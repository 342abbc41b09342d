// A model of one node that shows how the engine orders blocked channels.
import { toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "./generated/onnx_pb.js";
import { graphProto, modelProto, nodeProto, valueInfo } from "./proto.js";

/** y = `ReorderInput` of x [1, channels, 1, 2]. */
export function exportReorderProbe(channels: number): Uint8Array {
  const shape = [1, channels, 1, 2];
  const graph = graphProto({
    name: "probe",
    node: [nodeProto("com.microsoft.nchwc.ReorderInput", "reorder", ["x"], ["y"])],
    input: [valueInfo("x", "float32", shape)],
    output: [valueInfo("y", "float32", shape)],
    initializer: [],
  });
  return toBinary(ModelProtoSchema, modelProto(graph));
}
