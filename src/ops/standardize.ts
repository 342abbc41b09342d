// Standardization (batch-norm's core) and its adjoint. Both are written in other operations, arranged so that a
// large tensor is read and written as seldom as possible; as operations they have short derivatives of any order.
import { check } from "../base/errors.js";
import { B, stridesOf } from "../base/shape.js";
import { argument, checkFloat, type Node, type Operand, type TensorType } from "../graph/node.js";
import { operation, type Array64, type Operation } from "../graph/op.js";
import { add, div, mul, neg, sub } from "./arithmetic.js";
import { walk } from "./arrays.js";
import { sqrt } from "./exponential.js";
import { reducedAxes } from "./reduce.js";
import { mean } from "./size.js";

export type StandardizeOptions = {
  /** The axes over which mean and variance are taken. */
  readonly axes: readonly number[];
  /** Added to the variance. */
  readonly epsilon: number;
};

/** x − μ and r = 1/√(σ² + ε). */
function centred(x: Node, { axes, epsilon }: StandardizeOptions): { c: Node; r: Node } {
  const { c, variance } = moments(x, axes);
  return { c, r: div(1, sqrt(add(variance, epsilon))) };
}

/** μ, x − μ and σ² (divided by n) over `axes`, which stay with size 1. */
export function moments(x: Node, axes: readonly number[]): { mu: Node; c: Node; variance: Node } {
  const mu = mean(x, { axes, keepDims: true });
  const c = sub(x, mu);
  return { mu, c, variance: mean(mul(c, c), { axes, keepDims: true }) };
}

/** Per element of x its group (what shares statistics), and the means of `f` over the groups. */
function groupsOf(x: Array64, axes: readonly number[]) {
  const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const strides = stridesOf(kept).map((s, i) => (axes.includes(i) ? 0 : s));
  const group = new Int32Array(x.data.length);
  walk(x.shape, strides, (i, offset) => (group[i] = offset));
  const groups = kept.reduce((a, b) => a * b, 1);
  const n = x.data.length / groups;
  const means = (f: (i: number) => number): Float64Array => {
    const out = new Float64Array(groups);
    group.forEach((at, i) => (out[at] = (out[at] ?? 0) + f(i) / n));
    return out;
  };
  return { at: (values: Float64Array, i: number): number => values[group[i] ?? 0] ?? NaN, means };
}

/** x̂ and r, element by element. */
function standardized(x: Array64, { axes, epsilon }: StandardizeOptions) {
  const { at, means } = groupsOf(x, axes);
  const mu = means((i) => x.data[i] ?? NaN);
  const variance = means((i) => ((x.data[i] ?? NaN) - at(mu, i)) ** 2);
  const r = variance.map((v) => 1 / Math.sqrt(v + epsilon));
  return { at, means, r, hat: x.data.map((value, i) => (value - at(mu, i)) * at(r, i)) };
}

function checkInput(where: string, x: TensorType, { axes, epsilon }: StandardizeOptions): void {
  checkFloat(where, x);
  reducedAxes(where, x.shape.length, { axes });
  check(epsilon >= 0, where, "an epsilon of 0 or more", () => String(epsilon));
}

/** What has mean 0 over its groups. */
const sumsToZero = ({ attributes }: { attributes: StandardizeOptions }, axes: readonly number[]): boolean =>
  attributes.axes.length === axes.length && attributes.axes.every((axis) => axes.includes(axis));

type Standardize = (x: Operand, options: StandardizeOptions) => Node;
type Adjoint = (x: Operand, g: Operand, options: StandardizeOptions) => Node;

const examples: readonly {
  readonly shape: readonly (typeof B | number)[];
  attributes: StandardizeOptions;
}[] = [
  { shape: [B, 2, 3, 2], attributes: { axes: [0, 2, 3], epsilon: 2 ** -7 } },
  { shape: [4, 3], attributes: { axes: [0], epsilon: 2 ** -10 } },
];

/**
 * x̂ = (x − μ)·r, r = 1/√(σ² + ε), μ and σ² the mean and the variance (divided by n) of x over `axes`.
 * Derivative: `standardizeAdjoint`, since x̂ depends on x through a symmetric matrix.
 */
export const standardize: Operation<Standardize> = operation<StandardizeOptions, Standardize>(
  {
    name: "standardize",
    infer: (inputs, options) => {
      const x = argument(inputs, 0);
      checkInput("standardize", x, options);
      return { dtype: "float32", shape: x.shape };
    },
    evaluate: (inputs, options) => standardized(argument(inputs, 0), options).hat,
    derivative: (g, { inputs, attributes }) => [standardizeAdjoint(argument(inputs, 0), g, attributes)],
    sumsToZero,
    expand: ({ inputs, attributes }) => {
      const { c, r } = centred(argument(inputs, 0), attributes);
      return mul(c, r);
    },
    examples: examples.map(({ shape, attributes }) => ({ inputs: [{ shape }], attributes })),
    rejects: [
      {
        inputs: [{ shape: [2, 3] }],
        attributes: { axes: [0], epsilon: -1 },
        message: "standardize: expected an epsilon of 0 or more, got -1",
      },
    ],
  },
  (make) => (x, options) => make([x], { axes: options.axes, epsilon: options.epsilon }),
);

/** P(g) = r·(g − m(g) − x̂·m(g·x̂)), m the mean over `axes`: the Jacobian of x̂ in x times g. */
export const standardizeAdjoint: Operation<Adjoint> = operation<StandardizeOptions, Adjoint>(
  {
    name: "standardizeAdjoint",
    infer: (inputs, options) => {
      const [x, g] = [argument(inputs, 0), argument(inputs, 1)];
      checkInput("standardizeAdjoint", x, options);
      checkFloat("standardizeAdjoint", g);
      return { dtype: "float32", shape: x.shape };
    },
    evaluate: (inputs, options) => {
      const g = argument(inputs, 1).data;
      const { at, means, r, hat } = standardized(argument(inputs, 0), options);
      const mean = means((i) => g[i] ?? NaN);
      const slope = means((i) => (g[i] ?? NaN) * (hat[i] ?? NaN));
      return g.map((value, i) => at(r, i) * (value - at(mean, i) - (hat[i] ?? NaN) * at(slope, i)));
    },
    // In g the same matrix again; in x, −r·(x̂·m(u·P(g)) + m(g·x̂)·P(u) + m(u·x̂)·P(g)).
    derivative: (u, { inputs, attributes }) => {
      const [x, g] = [argument(inputs, 0), argument(inputs, 1)];
      const m = (z: Node): Node => mean(z, { axes: attributes.axes, keepDims: true });
      const adjoint = (z: Node): Node => standardizeAdjoint(x, z, attributes);
      const hat = standardize(x, attributes);
      const { r } = centred(x, attributes);
      const through = add(mul(m(mul(g, hat)), adjoint(u)), mul(m(mul(u, hat)), adjoint(g)));
      return [neg(mul(r, add(mul(hat, m(mul(u, adjoint(g)))), through))), adjoint(u)];
    },
    sumsToZero,
    expand: ({ inputs, attributes }) => {
      const [x, g] = [argument(inputs, 0), argument(inputs, 1)];
      const { c, r } = centred(x, attributes);
      const m = (z: Node): Node => mean(z, { axes: attributes.axes, keepDims: true });
      const slope = mul(mul(r, mul(r, r)), m(mul(g, c)));
      return sub(sub(mul(g, r), mul(c, slope)), mul(r, m(g)));
    },
    examples: examples.map(({ shape, attributes }) => ({ inputs: [{ shape }, { shape }], attributes })),
    rejects: [
      {
        inputs: [{ shape: [2, 3] }, { shape: [2, 3] }],
        attributes: { axes: [2], epsilon: 0 },
        message: "standardizeAdjoint: expected an axis of a tensor of rank 2, got 2 (allowed: -2 to 1)",
      },
    ],
  },
  (make) => (x, g, options) => make([x, g], { axes: options.axes, epsilon: options.epsilon }),
);
