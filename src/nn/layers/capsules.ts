// Capsules (Sabour, Frosst and Hinton 2017): vectors whose length says whether something is there, routed by agreement.
import type { Node } from "../../graph/node.js";
import { add, div, mul } from "../../ops/arithmetic.js";
import { sqrt } from "../../ops/exponential.js";
import { softmax } from "../../ops/log-softmax.js";
import { matmul } from "../../ops/matmul.js";
import { sum } from "../../ops/reduce.js";
import { reshape } from "../../ops/reshape.js";
import { transpose } from "../../ops/structure.js";
import type { InitializerName } from "../initializers.js";
import { drawn, plain, type Layer } from "./layer.js";

/** Added under square roots: lengths have a derivative at 0. */
const least = 1e-7;

const squaredLength = (s: Node): Node => sum(mul(s, s), { axes: [-1], keepDims: true });

/** |s|²/(1 + |s|²)·s/|s| over the last axis (eq. 1). */
function squash(s: Node): Node {
  const square = squaredLength(s);
  return mul(s, div(square, mul(add(square, 1), sqrt(add(square, least)))));
}

/** Maps as vectors: [n, groups·dimension, h, w] → [n, groups·h·w, dimension], squashed. */
export const primaryCapsules = (dimension: number): Layer => ({
  kind: "primary",
  build(name, inputShape) {
    const [channels = 0, height = 0, width = 0] = inputShape;
    const groups = Math.floor(channels / dimension);
    const outputShape = [groups * height * width, dimension];
    return {
      ...plain,
      outputShape,
      sites: [name],
      apply: (x, pass) => {
        const n = x.shape[0] ?? 1;
        const split = reshape(x, [n, groups, dimension, height * width]);
        const vectors = reshape(transpose(split, [0, 1, 3, 2]), [n, ...outputShape]);
        return pass.site(name, squash(vectors));
      },
    };
  },
});

export interface RoutedOptions {
  /** Length of each capsule's vector. */
  readonly dimension: number;
  /** Rounds of routing; 1 weighs all alike. */
  readonly routings: number;
  readonly initializer?: InitializerName;
}

/** Routing by agreement (procedure 1): votes [i, n, j, d] → capsules [n, j, d]; differentiated through. */
function route(votes: Node, routings: number): Node {
  const [, , capsules = 1] = votes.shape;
  let v = squash(mul(1 / Number(capsules), sum(votes, { axes: [0] })));
  let agreement: Node | undefined;
  for (let round = 1; round < routings; round++) {
    const seen = sum(mul(votes, v), { axes: [-1] });
    agreement = agreement ? add(agreement, seen) : seen;
    const [i = 1, n = 1, j = 1] = agreement.shape;
    const weights = reshape(softmax(agreement), [i, n, j, 1]);
    v = squash(sum(mul(votes, weights), { axes: [0] }));
  }
  return v;
}

/** A capsule for each of `capsules` classes: [n, i, d] → [n, capsules, dimension]. */
export const routedCapsules = (
  capsules: number,
  { dimension, routings, initializer = "normal-0.01" }: RoutedOptions,
): Layer => ({
  kind: "routed",
  build(name, inputShape) {
    const weight = `${name}.weight`;
    const shape = [...inputShape, capsules * dimension];
    return {
      ...plain,
      outputShape: [capsules, dimension],
      parameters: [{ name: weight, shape, role: "weight", trainable: true }],
      initialize: (seed) => ({ [weight]: drawn(initializer, shape, seed, weight) }),
      apply: (x, pass) => {
        const n = x.shape[0] ?? 1;
        const votes = matmul(transpose(x, [1, 0, 2]), pass.value(weight));
        return route(reshape(votes, [inputShape[0] ?? 1, n, capsules, dimension]), routings);
      },
    };
  },
});

/** Length of each capsule: [n, capsules, d] → [n, capsules]. */
export const capsuleLengths = (): Layer => ({
  kind: "lengths",
  build: (_, inputShape) => ({
    ...plain,
    outputShape: inputShape.slice(0, 1),
    apply: (v) => reshape(sqrt(add(squaredLength(v), least)), v.shape.slice(0, 2)),
  }),
});
