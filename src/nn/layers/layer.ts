// What a layer is: it knows its parameters and output shape once its input shape is known, and builds its graph.
import { count } from "../../base/shape.js";
import { floats, type Tensor } from "../../base/tensor.js";
import type { Node } from "../../graph/node.js";
import { fansOf, initializers, type InitializerName } from "../initializers.js";
import type { BetweenEpochs, Buffer, Parameter, Pass } from "../model.js";

/** A layer for a known input shape. */
export interface BuiltLayer {
  readonly outputShape: readonly number[];
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Buffer[];
  /** Names of the hidden activations that `apply` hands to `pass.site`, in order. */
  readonly sites: readonly string[];
  /** What it is composed of, where it is. */
  readonly parts?: readonly NamedLayer[];
  /** What changes of its values after an epoch, given those of the whole network. */
  readonly betweenEpochs?: BetweenEpochs;
  initialize(seed: number): Readonly<Record<string, Tensor>>;
  apply(x: Node, pass: Pass): Node;
}

/** A layer with its place in a network: `dense1`, `block2.conv1`. */
export interface NamedLayer extends BuiltLayer {
  readonly name: string;
}

export interface Layer {
  /** What the layer is called, with a running number, in parameter names: `dense1.weight`. */
  readonly kind: string;
  build(name: string, inputShape: readonly number[]): BuiltLayer;
}

/** What layers without parameters and sites have in common. */
export const plain = {
  parameters: [],
  buffers: [],
  sites: [],
  initialize: () => ({}),
} as const;

export const filled = (shape: readonly number[], value: number): Tensor =>
  floats(shape, new Float32Array(count(shape)).fill(value));

export function drawn(
  initializer: InitializerName,
  shape: readonly number[],
  seed: number,
  name: string,
): Tensor {
  const out = new Float32Array(count(shape));
  initializers[initializer](out, seed, name, fansOf(shape));
  return floats(shape, out);
}
