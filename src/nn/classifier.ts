// Classifiers as ONNX files: logits of any batch size, normalisation inside.
import { check } from "../base/errors.js";
import { B } from "../base/shape.js";
import { graphFunction, type GraphFunction } from "../graph/function.js";
import { input, type InputNode, type Node } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import { exportFunction } from "../onnx/export.js";
import { deployed, evaluationPass, type Classifier, type Model, type Pass } from "./model.js";
import { drawInto } from "./noise-inputs.js";
import { recordKey, writeLoss, writeRecord } from "./parameter-record.js";

/** Graph inputs for every parameter and buffer of `model`, by name. */
export function weightInputs(model: Model): Map<string, InputNode> {
  const values = [...model.parameters, ...model.buffers];
  return new Map(values.map(({ name, shape }) => [name, input(name, shape)]));
}

/** Looks a weight up among `inputs`; a name that is missing is a mistake of the model's author. */
export const lookup =
  (inputs: ReadonlyMap<string, Node>) =>
  (name: string): Node => {
    const found = inputs.get(name);
    if (found === undefined) throw new Error(`the model uses '${name}', which it does not declare`);
    return found;
  };

/** What input and output are called in the classifier's file. */
export const fileNames = (model: Model): NonNullable<Model["io"]> =>
  model.io ?? { input: "input", output: "logits" };

/** The pass of an evaluation over `inputs`, to which what a random model draws is added. */
export const passOver = (inputs: Map<string, InputNode>): Pass =>
  evaluationPass(lookup(inputs), { draw: drawInto(inputs) });

/**
 * Logits [batch, classes] of the input [batch, …], the weights and what a random model draws, under the names of the
 * classifier's file.
 */
export function classifierFunction(model: Model): GraphFunction {
  const names = fileNames(model);
  const x = input(names.input, [B, ...model.inputShape]);
  const values = weightInputs(model);
  const logits = model.apply(x, passOver(values));
  return simplify(graphFunction(model.name, [x, ...values.values()], { [names.output]: logits }));
}

/** Throws where `model` draws random numbers, which nobody would do for it `purpose`. */
export function checkDrawsNothing({ name, draws = [] }: Model, purpose: string, where = name): void {
  check(draws.length === 0, where, `a model without random numbers, ${purpose}`, () =>
    draws.map((draw) => draw.name).join(", "),
  );
}

/** The classifier's network as a file, in the form that is deployed: input [batch, …], output [batch, classes] (logits), weights as initializers. */
export function exportClassifier(
  classifier: Classifier,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { model, weights } = deployed(classifier);
  checkDrawsNothing(model, "to write it");
  const all = { ...metadata, ...writeLoss(model), [recordKey]: writeRecord(model) };
  return exportFunction(classifierFunction(model), { weights, metadata: all });
}

/** The file that the classifier was read from, with its weights in the place of those; else `exportClassifier`. */
export function classifierFile(
  classifier: Classifier,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { model, weights } = classifier;
  return model.origin?.write(weights, metadata) ?? exportClassifier(classifier, metadata);
}
