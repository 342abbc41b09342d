// A model from a list of layers, each fed by the one before.
import { check } from "../base/errors.js";
import { formatShape } from "../base/shape.js";
import { scope } from "../graph/node.js";
import type { BuiltLayer, Layer } from "./layers.js";
import type { Model } from "./model.js";

interface NamedLayer extends BuiltLayer {
  readonly name: string;
}

/** Builds `layers` in order; names are the kind and a running number: dense1, relu1, dense2 … */
function buildAll(layers: readonly Layer[], inputShape: readonly number[]): NamedLayer[] {
  const counts = new Map<string, number>();
  let shape = inputShape;
  return layers.map((layer) => {
    const number = (counts.get(layer.kind) ?? 0) + 1;
    counts.set(layer.kind, number);
    const name = `${layer.kind}${number}`;
    const built = layer.build(name, shape);
    shape = built.outputShape;
    return { ...built, name };
  });
}

/** The network `layers` over inputs [n, ...inputShape]; its last layer's outputs are the logits. */
export function sequential(name: string, inputShape: readonly number[], layers: readonly Layer[]): Model {
  const built = buildAll(layers, inputShape);
  const outputShape = built.at(-1)?.outputShape ?? inputShape;
  check(outputShape.length === 1, name, "a flat output", () => formatShape(outputShape));
  return {
    name,
    inputShape,
    classes: outputShape[0] ?? 0,
    parameters: built.flatMap((layer) => layer.parameters),
    buffers: built.flatMap((layer) => layer.buffers),
    sites: built.filter((layer) => layer.isSite).map((layer) => layer.name),
    initialize: (seed) =>
      Object.fromEntries(built.flatMap((layer) => Object.entries(layer.initialize(seed)))),
    apply: (x, pass) =>
      built.reduce((current, layer) => {
        const y = scope(layer.name, () => layer.apply(current, pass));
        return layer.isSite ? pass.site(layer.name, y) : y;
      }, x),
  };
}
