// What the graphs of gradient attacks share: their inputs, and the state of a point (fallen or not, uphill where).
import { gradient } from "../autodiff/gradient.js";
import { B } from "../base/shape.js";
import { input, type InputNode, type Node, type Operand } from "../graph/node.js";
import { passOver, weightInputs } from "../nn/classifier.js";
import type { Classifier, Model } from "../nn/model.js";
import { cast, greater, sameIndex } from "../ops/compare.js";
import { mul, sub } from "../ops/arithmetic.js";
import { argMax } from "../ops/indexing.js";
import type { AttackLoss } from "./losses.js";
import { reluAfterPooling } from "./pooled-relu.js";

/** Inputs under the names they have in the ONNX file. */
export interface AttackInputs {
  /** The points to perturb, [n, …]. */
  readonly input: InputNode;
  /** [n], int32. */
  readonly labels: InputNode;
  /** Scalar, in input units. */
  readonly epsilon: InputNode;
  /**
   * Parameters and buffers, which become initializers; what a random model draws joins them while the graph is built.
   */
  readonly weights: Map<string, InputNode>;
}

export function attackInputs(model: Model): AttackInputs {
  return {
    input: input("input", [B, ...model.inputShape]),
    labels: input("labels", [B], "int32"),
    epsilon: input("epsilon", []),
    weights: weightInputs(model),
  };
}

/** +1: leave the labels; −1: reach them. A number where a file fixes it, else a scalar input. */
export const aim = (targeted: boolean): number => (targeted ? -1 : 1);

/** Logits [n, classes] at `x`, in evaluation mode, for graphs that only ask. */
export const queriedAt = ({ model }: Classifier, x: Node, { weights }: AttackInputs): Node =>
  model.apply(x, passOver(weights));

/** Logits [n, classes] at `x`, in evaluation mode, for graphs that differentiate. */
export const logitsAt = (classifier: Classifier, x: Node, inputs: AttackInputs): Node =>
  reluAfterPooling(queriedAt(classifier, x, inputs));

/** Whether each row has reached the attack's aim: [n], boolean. */
export function fallen(logits: Node, labels: Node, direction: Operand): Node {
  const hit = cast(sameIndex(argMax(logits, -1), labels), "float32");
  return greater(mul(sub(0.5, hit), direction), 0);
}

export interface Ascent {
  readonly logits: Node;
  /** A positive multiple, row by row, of the loss's gradient at `x`: up for direction +1, down for −1. */
  readonly gradient: Node;
}

/** Which way the loss rises at `x`. */
export function ascentAt(
  classifier: Classifier,
  x: Node,
  inputs: AttackInputs,
  { loss, direction }: { readonly loss: AttackLoss; readonly direction: Operand },
): Ascent {
  const logits = logitsAt(classifier, x, inputs);
  const cotangent = mul(loss.ascent(logits, inputs.labels), direction);
  const [uphill] = gradient(logits, [x], { cotangent });
  if (uphill === undefined) throw new Error("no gradient");
  return { logits, gradient: uphill };
}

/** The graph inputs among `operands`: what a caller feeds and a file leaves open. */
export const openInputs = (...operands: readonly Operand[]): InputNode[] =>
  operands.flatMap((operand) => (typeof operand !== "number" && operand.kind === "input" ? [operand] : []));
