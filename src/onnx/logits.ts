// Where the logits are: in front of a trailing softmax or sigmoid, which is left out.
import { sameDim, sizeOf } from "../base/shape.js";
import { labelOf, type ImportedGraph } from "./import.js";
import { softmaxAxis } from "./operators/softmax.js";
import type { OnnxNode } from "./read.js";
import { shapeOf, type Value } from "./value.js";

/** Operators that may stand between a softmax and the output without mixing classes. */
const passing = ["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "Dropout", "Log"];

export interface Trailing {
  /** What to build in place of nodes at the end. */
  readonly replaced: ReadonlyMap<OnnxNode, OnnxNode>;
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

/** The node with nothing in its place. */
const leftOut = (node: OnnxNode): OnnxNode => ({ ...node, domain: "", operator: "Identity", attributes: {} });

/** scikit-learn's linear classifier without the function of its scores; null where it has none. */
function withoutTransform(node: OnnxNode): OnnxNode | null {
  const { post_transform: transform, ...attributes } = node.attributes;
  const isLinear = node.operator === "LinearClassifier" || node.operator === "LinearRegressor";
  if (!isLinear || (transform !== "SOFTMAX" && transform !== "LOGISTIC")) return null;
  return { ...node, attributes };
}

/** What stands in the place of a node that turns scores into probabilities: of `classes` a sample, or null. */
function withoutProbabilities(
  node: OnnxNode,
  x: Value | undefined,
  classes: Value["shape"][number],
  opset: number,
): OnnxNode | null {
  if (node.operator === "Sigmoid") return leftOut(node);
  if (node.operator !== "Softmax" && node.operator !== "LogSoftmax") return withoutTransform(node);
  return x !== undefined && coversClasses(node, x, classes, opset) ? leftOut(node) : null;
}

/** Nodes by the names of their outputs. */
const producersIn = ({ nodes }: ImportedGraph): ReadonlyMap<string, OnnxNode> =>
  new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));

/** The node that `name` is, up to nodes that hand it on. */
function originOf(name: string, producers: ReadonlyMap<string, OnnxNode>): OnnxNode | undefined {
  let node = producers.get(name);
  while (node !== undefined && passing.includes(node.operator)) node = producers.get(node.inputs[0] ?? "");
  return node;
}

/** Both probabilities of two classes, [1 − p, p] of p = sigmoid(z), as the logits [z − z, z]; null where it is none. */
function bothProbabilities(
  end: OnnxNode | undefined,
  producers: ReadonlyMap<string, OnnxNode>,
): Trailing | null {
  if (end?.operator !== "Concat" || end.inputs.length !== 2) return null;
  const rest = end.inputs.map((name) => producers.get(name)).find((node) => node?.operator === "Sub");
  const p = end.inputs.find((name) => name === rest?.inputs[1]);
  const sigmoid = p === undefined ? undefined : originOf(p, producers);
  if (rest === undefined || p === undefined || sigmoid?.operator !== "Sigmoid") return null;
  const label = labelOf(sigmoid);
  return {
    replaced: new Map([
      [sigmoid, leftOut(sigmoid)],
      [rest, { ...rest, inputs: [p, p] }],
    ]),
    notes: [`${label} at the end is left out: its input z gives the logits [0, z] of two classes`],
  };
}

/**
 * The softmaxes and sigmoids at the end of `graph`, whose `values` were built with all of them: without them the
 * output is the logits. Predictions are the same; losses and attacks take logits. A normaliser behind them
 * (scikit-learn) goes with them.
 */
export function trailingSoftmax(graph: ImportedGraph, values: ReadonlyMap<string, Value>): Trailing {
  const producers = producersIn(graph);
  const output = values.get(graph.output);
  const classes = output === undefined ? 0 : sizeOf(shapeOf(output).slice(1));
  const pair = bothProbabilities(originOf(graph.output, producers), producers);
  if (pair) return pair;
  const replaced = new Map<OnnxNode, OnnxNode>();
  const behind: OnnxNode[] = [];
  const notes: string[] = [];
  let node = producers.get(graph.output);
  for (; node !== undefined; node = producers.get(node.inputs[0] ?? "")) {
    if (node.operator === "Log" || node.operator === "Normalizer") behind.push(node);
    if (passing.includes(node.operator) || node.operator === "Normalizer") continue;
    const instead = withoutProbabilities(node, values.get(node.inputs[0] ?? ""), classes, graph.opset);
    if (instead === null) break;
    replaced.set(node, instead);
    for (const each of behind.splice(0)) replaced.set(each, leftOut(each));
    const what = instead.operator === "Identity" ? "is left out: its input is" : "gives its scores:";
    notes.push(`${labelOf(node)} at the end ${what} taken as the logits`);
    if (instead.operator !== "Identity") break;
  }
  return { replaced, notes };
}
