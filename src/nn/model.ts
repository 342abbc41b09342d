// What a network is to the rest of Temper: named values, and a function that builds its graph.
import type { Shape } from "../base/shape.js";
import type { Tensor } from "../base/tensor.js";
import type { InputNode, Node } from "../graph/node.js";

/** What a parameter does; weight decay and max-norm choose by it. */
export type Role = "weight" | "bias" | "scale" | "shift" | "other";

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: Role;
  /** Whether training may change it. */
  readonly trainable: boolean;
}

/** State that training moves without a gradient: batch-norm's running statistics. */
export interface Buffer {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Values of parameters and buffers by name. */
export type Weights = Readonly<Record<string, Tensor>>;

/** Noise that a graph asks of the host: drawn anew for each step and keyed by the sample it belongs to. */
export interface NoiseRequest {
  /** Stream name; under equal names a sample and its copies get the same noise, however many rows a pass has. */
  readonly name: string;
  /** Leading axis = samples (a multiple of the batch), then the shape for one sample. */
  readonly shape: Shape;
  /** `bernoulli`: 1 with probability p, else 0. `uniform`: [0, 1). `normal`: mean 0, variance 1. */
  readonly kind: "bernoulli" | "uniform" | "normal";
  readonly p?: number;
}

export interface NoiseSource {
  /** A float32 node of `request.shape` that holds the noise. */
  draw(request: NoiseRequest): Node;
}

/** A request and the graph input through which the host answers it. */
export interface NoiseInput {
  readonly request: NoiseRequest;
  readonly input: InputNode;
}

/** One forward pass: where values come from, and what may be added on the way. */
export interface Pass {
  /** Batch statistics and dropout (true), or running statistics and none (false). */
  readonly training: boolean;
  /** Whether derivatives treat batch statistics as constants. */
  readonly statisticsHeld: boolean;
  /** The node of a parameter or buffer. */
  value(name: string): Node;
  readonly noise: NoiseSource;
  /** Called with each hidden activation that has a name; returns what flows on. */
  site(name: string, activation: Node): Node;
  /** Sets the next value of a buffer. */
  update(buffer: string, next: Node): void;
}

/** One layer of a model, or a composition of several. */
export interface LayerRecord {
  readonly name: string;
  /** Shape of one output. */
  readonly outputShape: readonly number[];
  readonly parameters: readonly Parameter[];
  readonly parts?: readonly LayerRecord[];
}

/** Layers that are not composed of others, in order. */
export const leafLayers = (layers: readonly LayerRecord[]): LayerRecord[] =>
  layers.flatMap((layer) => (layer.parts ? leafLayers(layer.parts) : [layer]));

export interface Model {
  readonly name: string;
  /** Shape of one input, e.g. [1, 28, 28]. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Buffer[];
  /** Names of hidden activations, in order: where noise may be put. */
  readonly sites: readonly string[];
  /** What the model is built of, in order; absent where it comes from a file. */
  readonly layers?: readonly LayerRecord[];
  /** Names of input and output in the exported file; default `input` and `logits`. */
  readonly io?: { readonly input: string; readonly output: string };
  /** Starting values of parameters and buffers; the same seed gives the same values. */
  initialize(seed: number): Weights;
  /** Logits [n, classes] of inputs [n, ...inputShape]. */
  apply(x: Node, pass: Pass): Node;
}

/** A model with values: what is attacked, audited and exported. */
export interface Classifier {
  readonly model: Model;
  readonly weights: Weights;
  /** Smallest and largest legal input value. */
  readonly bounds: readonly [low: number, high: number];
}

const noNoise: NoiseSource = {
  draw: ({ name }) => {
    throw new Error(`evaluation draws no noise, but '${name}' was asked for`);
  },
};

/** A deterministic pass over given values: running statistics, no dropout. */
export const evaluationPass = (value: (name: string) => Node): Pass => ({
  training: false,
  statisticsHeld: true,
  value,
  noise: noNoise,
  site: (_, activation) => activation,
  update: () => undefined,
});
