// What the tensors of a file are for: weights and biases of products, scale, shift and statistics of batch-norm.
import type { ImportedGraph } from "./import.js";
import type { OnnxNode } from "./read.js";

/** A part that a tensor plays in the node that reads it. */
export type Slot = "weight" | "bias" | "scale" | "shift" | "statistic";

const slotsOf: Readonly<Record<string, readonly (Slot | null)[]>> = {
  Conv: [null, "weight", "bias"],
  Gemm: ["weight", "weight", "bias"],
  MatMul: ["weight", "weight"],
  BatchNormalization: [null, "scale", "shift", "statistic", "statistic"],
};

/** Operators that hand a tensor on as it is, up to its shape. */
const passing = ["Identity", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Cast", "Expand"];
const products = ["Conv", "Gemm", "MatMul"];

/** The slot of each float tensor that has one. A tensor added to a product (not to anything else) is its bias. */
export function slotsIn({ nodes, tensors }: ImportedGraph): ReadonlyMap<string, Slot> {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  /** The name behind `name`, and the node that computes it. */
  const origin = (name: string): { name: string; producer: OnnxNode | undefined } => {
    let producer = producers.get(name);
    while (producer !== undefined && passing.includes(producer.operator)) {
      name = producer.inputs[0] ?? "";
      producer = producers.get(name);
    }
    return { name, producer };
  };
  const isProduct = (name: string): boolean => products.includes(origin(name).producer?.operator ?? "");
  const found = new Map<string, Slot>();
  const assign = (name: string, slot: Slot | null | undefined): void => {
    const source = origin(name).name;
    if (slot && tensors.get(source)?.dtype === "float32" && !found.has(source)) found.set(source, slot);
  };
  for (const { operator, inputs } of nodes) {
    if (operator === "Add")
      inputs.forEach((name, i) => assign(name, isProduct(inputs[1 - i] ?? "") ? "bias" : null));
    else inputs.forEach((name, i) => assign(name, slotsOf[operator]?.[i]));
  }
  return found;
}
