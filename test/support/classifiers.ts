// Classifiers under test: recorded files of other tools, their graphs and the values to feed them.
import { readFileSync } from "node:fs";
import { B } from "../../src/base/shape.js";
import { floats, type Tensor } from "../../src/base/tensor.js";
import { toArray64, type Feeds64 } from "../../src/graph/interpret.js";
import { input, type InputNode, type Node } from "../../src/graph/node.js";
import { lookup, weightInputs } from "../../src/nn/classifier.js";
import { evaluationPass, type Classifier, type Model } from "../../src/nn/model.js";

export interface Recorded {
  readonly x: Tensor;
  readonly file: Uint8Array;
  readonly outputs: Readonly<Record<string, number[][]>>;
}

/** A fixture and what ONNX Runtime gave for it where it was written. */
export function fixture(name: string): Recorded {
  const path = new URL(`../fixtures/${name}`, import.meta.url).pathname;
  // The script beside the fixtures writes these fields.
  const {
    shape,
    input: values,
    ...outputs
  } = JSON.parse(readFileSync(`${path}.json`, "utf8")) as {
    shape: number[];
    input: number[];
  } & Record<string, number[][]>;
  return { x: floats(shape, values), file: new Uint8Array(readFileSync(`${path}.onnx`)), outputs };
}

/** The graph of a classifier over named inputs. */
export function graphOf({ model }: Classifier): {
  x: InputNode;
  weights: ReadonlyMap<string, InputNode>;
  logits: Node;
} {
  const x = input("x", [B, ...model.inputShape]);
  const weights = weightInputs(model);
  return { x, weights, logits: model.apply(x, evaluationPass(lookup(weights))) };
}

/** Values of a classifier's weights and of `x` for the interpreter. */
export const feeds = ({ weights }: Classifier, x: Tensor): Feeds64 => ({
  batch: x.shape[0] ?? 1,
  values: Object.fromEntries(Object.entries({ ...weights, x }).map(([name, t]) => [name, toArray64(t)])),
});

export const softmaxOf = (row: readonly number[]): number[] => {
  const exps = row.map(Math.exp);
  const total = exps.reduce((a, b) => a + b);
  return exps.map((e) => e / total);
};

export const rowsOf = ({ data, shape: [, columns = 1] }: Tensor): number[][] =>
  Array.from({ length: data.length / columns }, (_, i) =>
    Array.from(data.slice(i * columns, (i + 1) * columns), Number),
  );

/** Names of the parameters that training may change. */
export const trained = ({ parameters }: Model): string[] =>
  parameters.filter((p) => p.trainable).map((p) => p.name);
