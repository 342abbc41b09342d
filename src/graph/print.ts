// Readable printing: one line per node, in the order of evaluation.
import { formatShape } from "../base/shape.js";
import { topological, type GraphFunction } from "./function.js";
import { inputsOf, type Attribute, type Node } from "./node.js";

const printAttribute = (value: Attribute): string =>
  typeof value === "object" && "data" in value ? `tensor ${formatShape(value.shape)}` : JSON.stringify(value);

function printConstant(node: Node & { kind: "constant" }): string {
  const { data } = node.value;
  const shown = [...data.subarray(0, 4)].map(String).join(", ");
  return data.length === 1 ? shown : `[${shown}${data.length > 4 ? ", …" : ""}]`;
}

/** `fn` as text: `%2 = matmul(x, w) {transposeB: true} : float32 [B, 10]`. */
export function print(fn: GraphFunction): string {
  const names = new Map<Node, string>();
  const lines: string[] = [];
  for (const node of topological(Object.values(fn.outputs))) {
    if (node.kind === "input") names.set(node, node.name);
    else if (node.kind === "constant" && node.value.data.length === 1) names.set(node, printConstant(node));
    else {
      const name = `%${lines.length}`;
      names.set(node, name);
      const attributes = node.kind === "op" ? Object.entries(node.attributes) : [];
      const shown = attributes.map(([key, value]) => `${key}: ${printAttribute(value)}`).join(", ");
      const call =
        node.kind === "constant"
          ? printConstant(node)
          : `${node.op.name}(${inputsOf(node)
              .map((child) => names.get(child) ?? "?")
              .join(", ")})`;
      lines.push(`${name} = ${call}${shown ? ` {${shown}}` : ""} : ${node.dtype} ${formatShape(node.shape)}`);
    }
  }
  const inputs = fn.inputs.map((node) => `${node.name}: ${node.dtype} ${formatShape(node.shape)}`).join(", ");
  const outputs = Object.entries(fn.outputs).map(([name, node]) => `  ${name} = ${names.get(node) ?? "?"}`);
  return [`${fn.name}(${inputs})`, ...lines.map((line) => `  ${line}`), "returns", ...outputs].join("\n");
}
