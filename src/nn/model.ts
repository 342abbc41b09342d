// What a network is to the rest of Temper: named values, and a function that builds its graph.
import type { NoiseRequest } from "../base/noise.js";
import type { Tensor } from "../base/tensor.js";
import type { Node } from "../graph/node.js";
import type { LossName } from "./loss-names.js";

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

/** See `Model.betweenEpochs`. */
export type BetweenEpochs = (weights: Weights, progress: number) => Weights;

export interface NoiseSource {
  /** A float32 node of `request.shape` that holds the noise. */
  draw(request: NoiseRequest): Node;
}

/** What a model may read, and add, where the loss of a pass is minimised. */
export interface LossPass {
  /** What the loss is of, [n, …inputShape], as the dataset has it. */
  readonly inputs: Node;
  /** True classes, int32 [n]. */
  readonly labels: Node;
  /** Adds a term to the loss: a scalar, or a value of each row, [n]. Terms of one name are summed and reported under it. */
  add(name: string, term: Node): void;
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
  /** Only in the training pass, none of those that craft points or measure gradients. */
  readonly loss?: LossPass;
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

/** The file that a model was read from. */
export interface Origin {
  /** Trained parameters that it stores in fewer bits than float32 has, and as what: `w (float16)`. */
  readonly rounded: readonly string[];
  /**
   * The file with other values of the parameters that train, and `metadata` beside its own: its nodes, inputs and outputs
   * stay as they are, a softmax at its end and labels beside it too.
   */
  write(weights: Weights, metadata: Readonly<Record<string, string>>): Uint8Array;
}

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
  /** Where it comes from a file; a model made of it by putting something in front or behind has none. */
  readonly origin?: Origin;
  /** The loss that it is trained with where none is named; default `softmax-cross-entropy`. */
  readonly loss?: LossName;
  /** What it draws in evaluation, [batch, …] each: a random model. Absent where it draws nothing. */
  readonly draws?: readonly NoiseRequest[];
  /**
   * What changes after an epoch beside what training has moved: new values of some parameters and buffers, from all of
   * them and from the share of the epochs that is over, `progress` in (0, 1]. A pure function: training that was stopped
   * and continued is as if it never stopped.
   */
  readonly betweenEpochs?: BetweenEpochs;
  /**
   * The form in which the model is exported and judged, where it is another: the same logits in evaluation, without what
   * only training needs.
   */
  readonly deployed?: (weights: Weights) => { readonly model: Model; readonly weights: Weights };
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

/** Those of `weights` that `model` has. */
export const valuesOf = ({ parameters, buffers }: Model, weights: Weights): Weights =>
  Object.fromEntries(
    [...parameters, ...buffers].flatMap(({ name }) => {
      const value = weights[name];
      return value ? [[name, value] as const] : [];
    }),
  );

/** The classifier in the form in which it is exported. */
export const deployed = (classifier: Classifier): Classifier => ({
  ...classifier,
  ...classifier.model.deployed?.(classifier.weights),
});

/** The loss that a model is trained with where none is named. */
export const ownLoss = ({ loss = "softmax-cross-entropy" }: Model): LossName => loss;

/** Whether the same input may give other outputs another time. */
export const isRandom = ({ draws = [] }: Model): boolean => draws.length > 0;

/** A pass over given values: running statistics, no dropout; a random model draws from `noise`. */
export const evaluationPass = (value: (name: string) => Node, noise: NoiseSource = noNoise): Pass => ({
  training: false,
  statisticsHeld: true,
  value,
  noise,
  site: (_, activation) => activation,
  update: () => undefined,
});
