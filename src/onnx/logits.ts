// Where the logits are: in front of a trailing softmax, which is left out.
import { sizeOf, sameDim } from "../base/shape.js";
import type { ImportedGraph } from "./import.js";
import { labelOf } from "./import.js";
import { softmaxAxis } from "./operators/softmax.js";
import type { OnnxNode } from "./read.js";
import { shapeOf, type Value } from "./value.js";

/** Operators that may stand between a softmax and the output without mixing classes. */
const passing = ["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "Dropout", "Log"];

export interface Trailing {
  readonly skip: ReadonlySet<OnnxNode>;
  readonly notes: readonly string[];
}

/** Whether `node` normalises over all `classes` of a sample. */
function coversClasses(node: OnnxNode, x: Value, classes: Value["shape"][number], opset: number): boolean {
  const given = node.attributes["axis"];
  const int = (_: string, otherwise: number): number => (typeof given === "number" ? given : otherwise);
  const shape = shapeOf(x);
  const { axis, flattens } = softmaxAxis({ int, opset }, shape.length);
  const covered = flattens ? sizeOf(shape.slice(axis)) : (shape[axis] ?? 1);
  return axis > 0 && sameDim(covered, classes);
}

/**
 * The softmaxes at the end of `graph`, whose `values` were built with all of them: without them the output is the
 * logits. Predictions are the same; losses and attacks take logits.
 */
export function trailingSoftmax(graph: ImportedGraph, values: ReadonlyMap<string, Value>): Trailing {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const output = values.get(graph.output);
  const classes = output === undefined ? 0 : sizeOf(shapeOf(output).slice(1));
  const skip = new Set<OnnxNode>();
  const logs: OnnxNode[] = [];
  const notes: string[] = [];
  let node = producers.get(graph.output);
  for (; node !== undefined; node = producers.get(node.inputs[0] ?? "")) {
    if (node.operator === "Log") logs.push(node);
    if (passing.includes(node.operator)) continue;
    const x = values.get(node.inputs[0] ?? "");
    if (node.operator !== "Softmax" && node.operator !== "LogSoftmax") break;
    if (x === undefined || !coversClasses(node, x, classes, graph.opset)) break;
    for (const skipped of [node, ...logs.splice(0)]) skip.add(skipped);
    notes.push(`${labelOf(node)} at the end is left out: its input is taken as the logits`);
  }
  return { skip, notes };
}
