// A model from a list of layers, each fed by the one before.
import { check } from "../base/errors.js";
import { formatShape } from "../base/shape.js";
import { chain, numbered } from "./layers/chain.js";
import type { Layer } from "./layers/layer.js";
import type { Model } from "./model.js";

/**
 * The network `layers` over inputs [n, ...inputShape]; its last layer's outputs are the logits. Layers are called by
 * kind and running number: dense1, relu1, dense2 …
 */
export function sequential(name: string, inputShape: readonly number[], layers: readonly Layer[]): Model {
  const { outputShape, parts, ...rest } = chain(layers, inputShape, numbered(""));
  check(outputShape.length === 1, name, "a flat output", () => formatShape(outputShape));
  return { ...rest, name, inputShape, classes: outputShape[0] ?? 0, layers: parts };
}
