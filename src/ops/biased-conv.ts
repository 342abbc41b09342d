// Convolution and a bias per filter in one node, which simplification makes of the two.
import { check } from "../base/errors.js";
import { B, formatShape, type Shape } from "../base/shape.js";
import { argument, checkFloat, type Node, type Operand } from "../graph/node.js";
import { operation, type Operation } from "../graph/op.js";
import { add } from "./arithmetic.js";
import { convMixesGroups } from "./conv-groups.js";
import { lowerConv } from "./conv-lowering.js";
import { convAttributes, convSizes, type ConvAttributes, type ConvOptions } from "./conv-sizes.js";
import { conv } from "./conv.js";
import { sum } from "./reduce.js";
import { reshape } from "./reshape.js";

type BiasedConv = (x: Operand, w: Operand, b: Operand, options?: ConvOptions) => Node;

const plain: ConvAttributes = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1 };

const samples: readonly { x: Shape; w: readonly number[]; spec: ConvAttributes }[] = [
  { x: [B, 2, 4, 3], w: [3, 2, 2, 2], spec: { ...plain, pads: [1, 0, 1, 0] } },
  { x: [B, 3, 2, 3], w: [4, 3, 2, 3], spec: plain },
  { x: [2, 2, 3, 3], w: [12, 1, 2, 2], spec: { ...plain, groups: 2 } },
];

/** x [N, C, …] ⋆ w [K, C/groups, …] + b [K] → [N, K, …]. Derivatives: those of conv, and the sum over all but K. */
export const biasedConv: Operation<BiasedConv> = operation<ConvAttributes, BiasedConv>(
  {
    name: "biasedConv",
    infer: (inputs, attributes) => {
      const { dtype, shape } = conv.op.infer(inputs.slice(0, 2), attributes);
      const b = argument(inputs, 2);
      checkFloat("biasedConv", b, 1);
      check(b.shape[0] === shape[1], "biasedConv", `a bias for each of ${String(shape[1])} filters`, () =>
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
    examples: samples.map(({ x, w, spec }) => ({
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
