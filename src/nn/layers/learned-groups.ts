// Learned group convolutions (Huang, Liu, van der Maaten and Weinberger 2018, "CondenseNet", section 3), in two forms:
// while training, where a mask says what each group reads, and condensed, as index, group convolution and shuffle.
import { check } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";
import { tensor, type Tensor } from "../../base/tensor.js";
import { constant, type Node } from "../../graph/node.js";
import { add, mul, sub } from "../../ops/arithmetic.js";
import { conv } from "../../ops/conv.js";
import { sqrt } from "../../ops/exponential.js";
import { maximum } from "../../ops/extremum.js";
import { gather } from "../../ops/gather.js";
import { clip } from "../../ops/piecewise.js";
import { sum } from "../../ops/reduce.js";
import { reshape } from "../../ops/reshape.js";
import { transpose } from "../../ops/structure.js";
import type { InitializerName } from "../initializers.js";
import type { Parameter, Weights } from "../model.js";
import { condensed, groupedWeight, keptAt, keptBy } from "./condensing.js";
import { drawn, filled, plain, type Layer } from "./layer.js";

export interface LearnedGroupOptions {
  /** G, groups of filters: filter i belongs to group i mod G. */
  readonly groups: number;
  /** C: in the end each group reads one in so many channels. */
  readonly factor: number;
  /** λ of the group lasso, while there are channels to drop. */
  readonly groupLasso: number;
  readonly bias: boolean;
  readonly initializer: InitializerName;
}

/** A 1×1 convolution to `filters` maps, or a dense layer to as many units, whose groups learn what they read. */
export type LearnedGroups = (filters: number, options: LearnedGroupOptions) => Layer;

/** Squared norms below this count as this under the root, which then has no derivative. */
const least = 1e-6;

function valueIn(weights: Weights, name: string): Tensor {
  const found = weights[name];
  if (found === undefined) throw new Error(`no value of '${name}'`);
  return found;
}

/** What both forms have in common over inputs [c, h, w] or [c]; products take images. */
function formOf(name: string, inputShape: readonly number[], filters: number, options: LearnedGroupOptions) {
  const { groups, factor, bias: hasBias } = options;
  const [channels = 0, ...image] = inputShape;
  const isImage = image.length === 2;
  check(isImage || image.length === 0, name, "an input [c, h, w] or [c]", () => formatShape(inputShape));
  check(filters % groups === 0, name, `filters that are a multiple of ${groups} groups`, () =>
    String(filters),
  );
  check(channels % factor === 0, name, `channels that are a multiple of ${factor}`, () => String(channels));
  const [weight, mask, bias] = [`${name}.weight`, `${name}.mask`, `${name}.bias`];
  const biases: Parameter[] = hasBias
    ? [{ name: bias, shape: [filters], role: "bias", trainable: true }]
    : [];
  return {
    ...{ channels, weight, mask, biases, outputShape: [filters, ...image] },
    ...{ isImage, starts: hasBias ? { [bias]: filled([filters], 0) } : {} },
    images: (x: Node): Node => (isImage ? x : reshape(x, [x.shape[0] ?? 1, channels, 1, 1])),
    outputs: (y: Node, value: (name: string) => Node): Node => {
      const whole = hasBias ? add(y, reshape(value(bias), [filters, 1, 1])) : y;
      return isImage ? whole : reshape(whole, [y.shape[0] ?? 1, filters]);
    },
  };
}

/** λ·Σ‖weights of a group for a channel‖₂ over weights [filters/groups, groups, channels]; 0 once `kept` are left in each group. */
function lasso(weights: Node, mask: Node, kept: number, lambda: number): Node {
  const [groups = 1] = mask.shape.map(Number);
  const norms = sqrt(maximum(sum(mul(weights, weights), { axes: [0] }), least));
  const isUnfinished = clip(sub(sum(mask), groups * kept), 0, 1);
  return mul(mul(lambda, isUnfinished), sum(norms));
}

/**
 * The form that trains: all channels through weight ⊙ mask, one convolution. Between epochs the mask [groups, channels]
 * loses channels; the group lasso is added to the loss as `groupLasso`.
 */
export const learnedGroups: LearnedGroups = (filters, options) => ({
  kind: "lconv",
  build(name, inputShape) {
    const { groups, factor, groupLasso: lambda, initializer } = options;
    const form = formOf(name, inputShape, filters, options);
    const { channels, outputShape } = form;
    const [shape, masked] = [
      [filters, channels, 1, 1],
      [groups, channels],
    ];
    return {
      ...plain,
      outputShape,
      parameters: [{ name: form.weight, shape, role: "weight", trainable: true }, ...form.biases],
      buffers: [{ name: form.mask, shape: masked }],
      initialize: (seed) => ({
        [form.weight]: drawn(initializer, shape, seed, form.weight),
        [form.mask]: filled(masked, 1),
        ...form.starts,
      }),
      betweenEpochs: (weights, progress) => {
        const kept = keptAt(progress, channels, factor);
        return {
          [form.mask]: condensed(valueIn(weights, form.mask), valueIn(weights, form.weight), kept),
        };
      },
      apply: (x, pass) => {
        const mask = pass.value(form.mask);
        const weights = mul(reshape(pass.value(form.weight), [filters / groups, groups, channels]), mask);
        if (lambda > 0) pass.loss?.add("groupLasso", lasso(weights, mask, channels / factor, lambda));
        return form.outputs(conv(form.images(x), reshape(weights, shape)), (of) => pass.value(of));
      },
    };
  },
});

/**
 * The condensed form of what `weights` hold: the channels that each group reads, gathered; a group convolution; and the
 * shuffle that puts filters where they were.
 */
export const condensedGroups =
  (held: Weights): LearnedGroups =>
  (filters, options) => ({
    kind: "lconv",
    build(name, inputShape) {
      const { groups } = options;
      const form = formOf(name, inputShape, filters, options);
      const kept = keptBy(valueIn(held, form.mask));
      const indices = constant(tensor("int32", [kept.flat().length], Int32Array.from(kept.flat())));
      const weight = groupedWeight(valueIn(held, form.weight), kept);
      const grouped = `${name}.grouped`;
      return {
        ...plain,
        outputShape: form.outputShape,
        parameters: [{ name: grouped, shape: weight.shape, role: "weight", trainable: true }, ...form.biases],
        initialize: () => ({ [grouped]: weight, ...form.starts }),
        apply: (x, pass) => {
          const y = conv(gather(form.images(x), indices, 1), pass.value(grouped), { groups });
          return form.outputs(shuffled(y, groups), (of) => pass.value(of));
        },
      };
    },
  });

/** Channels that lie group by group, one of each group after the other: [n, groups·k, h, w] → [n, k·groups, h, w]. */
function shuffled(y: Node, groups: number): Node {
  const [n = 1, filters = 1, ...image] = y.shape;
  if (groups === 1) return y;
  const apart = reshape(y, [n, groups, Number(filters) / groups, ...image]);
  return reshape(transpose(apart, [0, 2, 1, 3, 4]), y.shape);
}
