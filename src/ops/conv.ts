// Convolution | its input adjoint | its filter adjoint: one form Σ x·w·y, each derivative the other two.
import { B, count, multiplyDims, resolveShape, sameShape, type Shape } from "../base/shape.js";
import { argument, checkFloat, toNode, type Node, type Operand } from "../graph/node.js";
import { operation, type Operation } from "../graph/op.js";
import { biasedConv } from "./biased-conv.js";
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

const plain: ConvAttributes = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1 };

/** One convolution of the contract suite, from which all three operations take their examples. */
const samples: readonly { x: Shape; w: readonly number[]; y: Shape; spec: ConvAttributes }[] = [
  { x: [2, 2, 4, 3], w: [3, 2, 2, 2], y: [2, 3, 3, 2], spec: plain },
  { x: [B, 2, 5, 4], w: [2, 2, 3, 3], y: [B, 2, 5, 4], spec: { ...plain, pads: [1, 1, 1, 1] } },
  {
    x: [B, 2, 6, 5],
    w: [4, 1, 3, 2],
    y: [B, 4, 3, 2],
    spec: { strides: [2, 3], dilations: [1, 2], pads: [0, 1, 2, 0], groups: 2 },
  },
  {
    x: [{ batch: 2, plus: 0 }, 3, 4, 4],
    w: [3, 1, 2, 2],
    y: [{ batch: 2, plus: 0 }, 3, 2, 1],
    spec: { ...plain, strides: [2, 3], groups: 3 },
  },
  { x: [2, 1, 8, 7], w: [1, 1, 2, 2], y: [2, 1, 2, 2], spec: { ...plain, strides: [5, 4] } },
  { x: [2, 2, 3, 3], w: [12, 1, 2, 2], y: [2, 12, 2, 2], spec: { ...plain, groups: 2 } },
  { x: [B, 3, 2, 3], w: [4, 3, 2, 3], y: [B, 4, 1, 1], spec: plain },
  {
    x: [B, 8, 3, 4],
    w: [2, 8, 3, 2],
    y: [B, 2, 2, 3],
    spec: { ...plain, dilations: [1, 2], pads: [1, 1, 0, 0] },
  },
  { x: [B, 16, 4, 3], w: [32, 16, 3, 3], y: [B, 32, 4, 3], spec: { ...plain, pads: [1, 1, 1, 1] } },
  { x: [2, 8, 2, 2], w: [1, 8, 1, 2], y: [2, 1, 3, 4], spec: { ...plain, pads: [0, 2, 1, 1] } },
  {
    x: [2, 2, 5],
    w: [3, 2, 2],
    y: [2, 3, 3],
    spec: { strides: [2], dilations: [2], pads: [1, 1], groups: 1 },
  },
];

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
    plus: ({ inputs, shape, attributes }, addend, scale) => {
      const perFilter = [shape[1] ?? 1, ...shape.slice(2).map(() => 1)];
      if (scale !== null || !sameShape(addend.shape, perFilter)) return null;
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
