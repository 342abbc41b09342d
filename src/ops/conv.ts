// Convolution | its input adjoint | its filter adjoint: one form Σ x·w·y, each derivative the other two.
import { check } from "../base/errors.js";
import { B, count, formatShape, multiplyDims, resolveShape, sameShape, type Shape } from "../base/shape.js";
import { argument, checkFloat, toNode, type Node, type Operand } from "../graph/node.js";
import { operation, type Operation } from "../graph/op.js";
import { add } from "./arithmetic.js";
import { convMixesGroups, groupByGroup, transposeMixesGroups } from "./conv-groups.js";
import { lowerConv, lowerFilterAdjoint, lowerInputAdjoint } from "./conv-lowering.js";
import {
  checkCotangent,
  convAttributes,
  convSizes,
  eachTerm,
  type ConvAttributes,
  type ConvOptions,
} from "./conv-sizes.js";
import { biasedSamples, plain, samples } from "./conv-samples.js";
import { sum } from "./reduce.js";
import { reshape } from "./reshape.js";
import { foldIntoChannels, foldRows, tiled, unfoldFromChannels, unfoldRows } from "./rows.js";

export type { ConvOptions } from "./conv-sizes.js";

type Conv = (x: Operand, w: Operand, options?: ConvOptions) => Node;
type InputAdjoint = (g: Operand, w: Operand, options: ConvOptions & { inputShape: Shape }) => Node;
type FilterAdjoint = (
  x: Operand,
  g: Operand,
  options: ConvOptions & { filterShape: readonly number[] },
) => Node;

/** Multiply–adds of outputs `y` by filters `w`: each output sums over one filter. */
const terms = (y: Shape, w: Shape, batch: number): number =>
  count(resolveShape([...y, ...w.slice(1)], batch));

/**
 * Σ over taps and channels of x [N, C, spatial …] · w [K, C/groups, kernel …] → [N, K, spatial …] (ONNX Conv).
 * Derivatives: the input and the filter adjoint.
 */
export const conv: Operation<Conv> = operation<ConvAttributes, Conv>(
  {
    name: "conv",
    infer: (inputs, spec) => {
      for (const type of inputs) checkFloat("conv", type);
      const { y } = convSizes("conv", argument(inputs, 0).shape, argument(inputs, 1).shape, spec);
      return { dtype: "float32", shape: y };
    },
    evaluate: (inputs, spec, shape) => {
      const [x, w] = [argument(inputs, 0), argument(inputs, 1)];
      const out = new Float64Array(count(shape));
      eachTerm(convSizes("conv", x.shape, w.shape, spec), (i, j, k) => {
        out[k] = (out[k] ?? 0) + (x.data[i] ?? 0) * (w.data[j] ?? 0);
      });
      return out;
    },
    derivative: (g, { inputs, attributes }) => {
      const [x, w] = [argument(inputs, 0), argument(inputs, 1)];
      return [
        convInputAdjoint(g, w, { ...attributes, inputShape: x.shape }),
        convFilterAdjoint(x, g, { ...attributes, filterShape: w.shape.map(Number) }),
      ];
    },
    lower: (emit, inputs, { inputs: nodes, attributes }) => {
      const sizes = convSizes("conv", argument(nodes, 0).shape, argument(nodes, 1).shape, attributes);
      return lowerConv(emit, inputs, sizes);
    },
    narrow: ({ inputs, attributes: { groups, ...spec } }) => {
      const [x, w] = [argument(inputs, 0), argument(inputs, 1)];
      if (!convMixesGroups(Number(w.shape[0]), groups)) return null;
      return groupByGroup(
        groups,
        [
          [x, 1],
          [w, 0],
        ],
        1,
        ([u = x, v = w]) => conv(u, v, { ...spec, groups: 1 }),
      );
    },
    plus: ({ inputs, shape, attributes }, addend) => {
      const perFilter = [shape[1] ?? 1, ...shape.slice(2).map(() => 1)];
      if (!sameShape(addend.shape, perFilter)) return null;
      const bias = reshape(addend, perFilter.slice(0, 1));
      return biasedConv(argument(inputs, 0), argument(inputs, 1), bias, attributes);
    },
    multiplyAdds: ({ inputs, shape }, batch) => terms(shape, argument(inputs, 1).shape, batch),
    vectorize: ({ shape, attributes }, inputs, rows) => {
      const [x, w] = [argument(inputs, 0), argument(inputs, 1)];
      if (!w.mapped) return unfoldRows(conv(foldRows(x.node), w.node, attributes), shape, rows);
      const groups = attributes.groups * rows;
      const y = conv(foldIntoChannels(tiled(x, rows)), foldRows(w.node), { ...attributes, groups });
      return unfoldFromChannels(y, shape, rows);
    },
    examples: samples.map(({ x, w, spec }) => ({ inputs: [{ shape: x }, { shape: w }], attributes: spec })),
    rejects: [
      {
        inputs: [{ shape: [1, 3, 4, 4] }, { shape: [2, 2, 3, 3] }],
        attributes: plain,
        message: "conv: expected 2 channels (1 × 2), got [1, 3, 4, 4]",
      },
      {
        inputs: [{ shape: [1, 4, 4, 4] }, { shape: [3, 2, 3, 3] }],
        attributes: { ...plain, groups: 2 },
        message: "conv: expected filters in 2 equal groups, got 3",
      },
      {
        inputs: [{ shape: [1, 1, 2, 4] }, { shape: [1, 1, 3, 3] }],
        attributes: plain,
        message: "conv: expected a padded input at least as large as the window, got 1 too few along axis 2",
      },
      {
        inputs: [{ shape: [1, 1, 4, 4] }, { shape: [1, 1, 3, 3] }],
        attributes: { ...plain, strides: [0, 1] },
        message: "conv: expected 2 strides of 1 or more, got 0, 1",
      },
      {
        inputs: [{ shape: [1, 1, 4, 4] }, { shape: [1, 1, 3, 3] }],
        attributes: { ...plain, pads: [1, 1] },
        message: "conv: expected 4 pads of 0 or more, got 1, 1",
      },
      {
        inputs: [{ shape: [1, 4] }, { shape: [1, 4] }],
        attributes: plain,
        message: "conv: expected a tensor [N, C, spatial …], got [1, 4]",
      },
      {
        inputs: [{ shape: [1, 1, 4, 4] }, { shape: [1, 1, 3] }],
        attributes: plain,
        message: "conv: expected filters [K, C/groups, …] of rank 4, got [1, 1, 3]",
      },
      {
        inputs: [{ shape: [1, 1, B, 4] }, { shape: [1, 1, 3, 3] }],
        attributes: plain,
        message: "conv: expected spatial sizes that do not depend on the batch, got [1, 1, B, 4]",
      },
    ],
  },
  (make) =>
    (x, w, options = {}) => {
      const node = toNode(x);
      return make([node, w], convAttributes(node.shape.length, options));
    },
);

type InputAttributes = ConvAttributes & { readonly inputShape: Shape };

/** The adjoint of conv in x: cotangent g [N, K, …], filters w → `inputShape`. Derivatives: conv, filter adjoint. */
export const convInputAdjoint: Operation<InputAdjoint> = operation<InputAttributes, InputAdjoint>(
  {
    name: "convInputAdjoint",
    infer: (inputs, attributes) => {
      const [g, w] = [argument(inputs, 0), argument(inputs, 1)];
      const { inputShape } = attributes;
      checkFloat("convInputAdjoint", w);
      checkCotangent("convInputAdjoint", g, convSizes("convInputAdjoint", inputShape, w.shape, attributes));
      return { dtype: "float32", shape: inputShape };
    },
    evaluate: (inputs, attributes, shape) => {
      const [g, w] = [argument(inputs, 0), argument(inputs, 1)];
      const out = new Float64Array(count(shape));
      eachTerm(convSizes("convInputAdjoint", shape, w.shape, attributes), (i, j, k) => {
        out[i] = (out[i] ?? 0) + (g.data[k] ?? 0) * (w.data[j] ?? 0);
      });
      return out;
    },
    derivative: (g, { inputs, attributes }) => {
      const [u, w] = [argument(inputs, 0), argument(inputs, 1)];
      const filterShape = w.shape.map(Number);
      return [conv(g, w, attributes), convFilterAdjoint(g, u, { ...attributes, filterShape })];
    },
    lower: (emit, inputs, { inputs: nodes, shape, attributes }) => {
      const sizes = convSizes("convInputAdjoint", shape, argument(nodes, 1).shape, attributes);
      return lowerInputAdjoint(emit, argument(inputs, 0), argument(inputs, 1), sizes);
    },
    narrow: ({ inputs, attributes: { groups, inputShape, ...spec } }) => {
      const [g, w] = [argument(inputs, 0), argument(inputs, 1)];
      const [filters = 1, perGroup = 1] = w.shape.map(Number);
      if (!transposeMixesGroups(filters, perGroup, groups)) return null;
      const shape = inputShape.map((d, axis) => (axis === 1 ? perGroup : d));
      const one = { ...spec, groups: 1, inputShape: shape };
      return groupByGroup(
        groups,
        [
          [g, 1],
          [w, 0],
        ],
        1,
        ([u = g, v = w]) => convInputAdjoint(u, v, one),
      );
    },
    multiplyAdds: ({ inputs }, batch) => terms(argument(inputs, 0).shape, argument(inputs, 1).shape, batch),
    vectorize: ({ shape, attributes }, inputs, rows) => {
      const [g, w] = [argument(inputs, 0), argument(inputs, 1)];
      const [n = 1, channels = 1, ...spatial] = shape;
      if (!w.mapped) {
        const inputShape = [multiplyDims(rows, n), channels, ...spatial];
        return unfoldRows(
          convInputAdjoint(foldRows(g.node), w.node, { ...attributes, inputShape }),
          shape,
          rows,
        );
      }
      const x = convInputAdjoint(foldIntoChannels(tiled(g, rows)), foldRows(w.node), {
        ...attributes,
        groups: attributes.groups * rows,
        inputShape: [n, multiplyDims(rows, channels), ...spatial],
      });
      return unfoldFromChannels(x, shape, rows);
    },
    examples: samples.map(({ x, w, y, spec }) => ({
      inputs: [{ shape: y }, { shape: w }],
      attributes: { ...spec, inputShape: x },
    })),
    rejects: [
      {
        inputs: [{ shape: [2, 3, 3, 3] }, { shape: [3, 2, 2, 2] }],
        attributes: { ...plain, inputShape: [2, 2, 4, 3] },
        message: "convInputAdjoint: expected a cotangent of shape [2, 3, 3, 2], got [2, 3, 3, 3]",
      },
    ],
  },
  (make) =>
    (g, w, { inputShape, ...options }) =>
      make([g, w], { ...convAttributes(inputShape.length, options), inputShape }),
);

type FilterAttributes = ConvAttributes & { readonly filterShape: readonly number[] };

/** The adjoint of conv in w: input x, cotangent g [N, K, …] → `filterShape`. Derivatives: input adjoint, conv. */
export const convFilterAdjoint: Operation<FilterAdjoint> = operation<FilterAttributes, FilterAdjoint>(
  {
    name: "convFilterAdjoint",
    infer: (inputs, attributes) => {
      const [x, g] = [argument(inputs, 0), argument(inputs, 1)];
      const { filterShape } = attributes;
      checkFloat("convFilterAdjoint", x);
      checkCotangent(
        "convFilterAdjoint",
        g,
        convSizes("convFilterAdjoint", x.shape, filterShape, attributes),
      );
      return { dtype: "float32", shape: filterShape };
    },
    evaluate: (inputs, attributes, shape) => {
      const [x, g] = [argument(inputs, 0), argument(inputs, 1)];
      const out = new Float64Array(count(shape));
      eachTerm(convSizes("convFilterAdjoint", x.shape, shape, attributes), (i, j, k) => {
        out[j] = (out[j] ?? 0) + (x.data[i] ?? 0) * (g.data[k] ?? 0);
      });
      return out;
    },
    derivative: (g, { inputs, attributes }) => {
      const [x, u] = [argument(inputs, 0), argument(inputs, 1)];
      return [convInputAdjoint(u, g, { ...attributes, inputShape: x.shape }), conv(x, g, attributes)];
    },
    lower: (emit, inputs, { inputs: nodes, attributes }) => {
      const { shape } = argument(nodes, 0);
      const sizes = convSizes("convFilterAdjoint", shape, attributes.filterShape, attributes);
      return lowerFilterAdjoint(emit, argument(inputs, 0), argument(inputs, 1), sizes);
    },
    narrow: ({ inputs, attributes: { groups, filterShape, ...spec } }) => {
      const [x, g] = [argument(inputs, 0), argument(inputs, 1)];
      const [filters = 1, ...rest] = filterShape;
      if (!convMixesGroups(filters, groups)) return null;
      const one = { ...spec, groups: 1, filterShape: [filters / groups, ...rest] };
      return groupByGroup(
        groups,
        [
          [x, 1],
          [g, 1],
        ],
        0,
        ([u = x, v = g]) => convFilterAdjoint(u, v, one),
      );
    },
    multiplyAdds: ({ inputs, shape }, batch) => terms(argument(inputs, 1).shape, shape, batch),
    vectorize: ({ attributes }, inputs, rows) => {
      const [x, g] = [argument(inputs, 0), argument(inputs, 1)].map((v) => foldIntoChannels(tiled(v, rows)));
      const [filters = 1, ...rest] = attributes.filterShape;
      const groups = attributes.groups * rows;
      const filterShape = [rows * filters, ...rest];
      const w = convFilterAdjoint(x ?? 0, g ?? 0, { ...attributes, groups, filterShape });
      return unfoldRows(w, attributes.filterShape, rows);
    },
    examples: samples.map(({ x, w, y, spec }) => ({
      inputs: [{ shape: x }, { shape: y }],
      attributes: { ...spec, filterShape: w },
    })),
    rejects: [
      {
        inputs: [{ shape: [2, 2, 4, 3] }, { shape: [2, 3, 3, 3] }],
        attributes: { ...plain, filterShape: [3, 2, 2, 2] },
        message: "convFilterAdjoint: expected a cotangent of shape [2, 3, 3, 2], got [2, 3, 3, 3]",
      },
    ],
  },
  (make) =>
    (x, g, { filterShape, ...options }) =>
      make([x, g], { ...convAttributes(filterShape.length, options), filterShape }),
);

type BiasedConv = (x: Operand, w: Operand, b: Operand, options?: ConvOptions) => Node;

/** x [N, C, …] ⋆ w [K, C/groups, …] + b [K] → [N, K, …]. Derivatives: those of conv, and the sum over all but K. */
export const biasedConv: Operation<BiasedConv> = operation<ConvAttributes, BiasedConv>(
  {
    name: "biasedConv",
    infer: (inputs, attributes) => {
      const { dtype, shape } = conv.op.infer(inputs.slice(0, 2), attributes);
      const b = argument(inputs, 2);
      checkFloat("biasedConv", b, 1);
      const filters = Number(shape[1]);
      check(b.shape[0] === filters, "biasedConv", `a bias for each of ${filters} filters`, () =>
        formatShape(b.shape),
      );
      return { dtype, shape };
    },
    evaluate: (inputs, attributes, shape, batch) => {
      const [, filters = 1, ...spatial] = shape;
      const plane = spatial.reduce((a, d) => a * d, 1);
      const { data } = argument(inputs, 2);
      return conv.op
        .evaluate(inputs.slice(0, 2), attributes, shape, batch)
        .map((y, i) => y + (data[Math.floor(i / plane) % filters] ?? NaN));
    },
    derivative: (g, { inputs, attributes }) => {
      const product = conv(argument(inputs, 0), argument(inputs, 1), attributes);
      const parts = product.kind === "op" ? (conv.op.derivative?.(g, product) ?? []) : [];
      const axes = g.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
      return [...parts, sum(g, { axes })];
    },
    lower: (emit, inputs, { inputs: nodes, attributes }) => {
      const sizes = convSizes("biasedConv", argument(nodes, 0).shape, argument(nodes, 1).shape, attributes);
      return lowerConv(emit, inputs, sizes);
    },
    narrow: ({ inputs, shape, attributes }) => {
      const [x, w, b] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
      if (!convMixesGroups(Number(w.shape[0]), attributes.groups)) return null;
      const perFilter = shape.map((d, axis) => (axis === 1 ? d : 1)).slice(1);
      return add(conv(x, w, attributes), reshape(b, perFilter));
    },
    multiplyAdds: ({ inputs, attributes }, batch) => {
      const product = conv(argument(inputs, 0), argument(inputs, 1), attributes);
      return product.kind === "op" ? (conv.op.multiplyAdds?.(product, batch) ?? 0) : 0;
    },
    examples: biasedSamples.map(({ x, w, spec }) => ({
      inputs: [{ shape: x }, { shape: w }, { shape: [w[0] ?? 1] }],
      attributes: spec,
    })),
    rejects: [
      {
        inputs: [{ shape: [1, 1, 3, 3] }, { shape: [2, 1, 2, 2] }, { shape: [3] }],
        attributes: plain,
        message: "biasedConv: expected a bias for each of 2 filters, got [3]",
      },
    ],
  },
  (make) =>
    (x, w, b, options = {}) => {
      const rank = typeof w === "number" ? 0 : w.shape.length;
      return make([x, w, b], convAttributes(rank, options));
    },
);
