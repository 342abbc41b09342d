// ONNX Runtime's own operators (domain com.microsoft), as its optimiser and its quantiser write them.
import { fail } from "../../base/errors.js";
import { resolveAxis } from "../../base/shape.js";
import type { Node } from "../../graph/node.js";
import {
  add,
  averagePool,
  clip,
  concat,
  leakyRelu,
  matmul,
  mean,
  mul,
  relu,
  sigmoid,
  tanh,
  transpose,
} from "../../ops/index.js";
import type { Builder, Call } from "../call.js";
import { convolved, perChannel } from "../convolution.js";
import { geluByErf, geluByTanh } from "../gelu.js";
import { layerNormalized } from "../normalization.js";
import { dequantized, gridAt, quantized, quantizedType } from "../quantization.js";
import { windowOf, spatialSizes } from "../window.js";

export const Gelu: Builder = (call) => geluByErf(call.at(0));
export const BiasGelu: Builder = (call) => geluByErf(add(call.at(0), call.at(1)));
export const FastGelu: Builder = (call) => geluByTanh(call.has(1) ? add(call.at(0), call.at(1)) : call.at(0));

/** x·sigmoid(αx). */
export const QuickGelu: Builder = (call) =>
  mul(call.at(0), sigmoid(mul(call.at(0), call.float("alpha", 1.702))));

/** The activation that a fused node holds. */
function activated(call: Call, x: Node): Node {
  const name = call.text("activation", "");
  const [first = 0, second = 0] = call.floats("activation_params") ?? [];
  const activations: Readonly<Record<string, () => Node>> = {
    "": () => x,
    Relu: () => relu(x),
    Sigmoid: () => sigmoid(x),
    Tanh: () => tanh(x),
    LeakyRelu: () => leakyRelu(x, call.float("activation_alpha", first)),
    Clip: () => clip(x, first, second),
    HardSigmoid: () => clip(add(mul(x, first), second), 0, 1),
  };
  const known = Object.keys(activations).slice(1).join(", ");
  return activations[name]?.() ?? fail("attribute 'activation'", "a known function", name, known);
}

/** Conv, a sum and an activation in one. */
export const FusedConv: Builder = (call) => {
  const y = convolved(call, call.at(0), call.at(1));
  const biased = call.has(2) ? add(y, perChannel(call.at(2), y)) : y;
  return activated(call, call.has(3) ? add(biased, call.at(3)) : biased);
};

/** α·A·B, each transposed on demand over its last two axes. */
export const FusedMatMul: Builder = (call) => {
  const product = matmul(call.at(0), call.at(1), {
    transposeA: call.int("transA", 0) !== 0,
    transposeB: call.int("transB", 0) !== 0,
  });
  return mul(product, call.float("alpha", 1));
};

/** Layer normalisation of x + y (+ bias). */
export const SkipLayerNormalization: Builder = (call) => {
  const sum = add(call.at(0), call.at(1));
  const x = call.has(4) ? add(sum, call.at(4)) : sum;
  const y = mul(layerNormalized(x, x.shape.length - 1, call.float("epsilon", 1e-12)), call.at(2));
  return [call.has(3) ? add(y, call.at(3)) : y, undefined, undefined, x];
};

/** An operator of two quantised tensors A, B: scales and zero points follow each, then those of the result. */
const quantizedPair =
  (build: (a: Node, b: Node) => Node): Builder =>
  (call) => {
    const [a, b] = [dequantized(call.at(0), gridAt(call, 1, 2)), dequantized(call.at(3), gridAt(call, 4, 5))];
    return quantized(build(a, b), gridAt(call, 6, 7), quantizedType(call, 7));
  };

export const QLinearAdd: Builder = quantizedPair((a, b) => add(a, b));
export const QLinearMul: Builder = quantizedPair((a, b) => mul(a, b));

/** An operator of one quantised tensor. */
const quantizedOne =
  (build: (x: Node, call: Call) => Node): Builder =>
  (call) =>
    quantized(
      build(dequantized(call.at(0), gridAt(call, 1, 2)), call),
      gridAt(call, 3, 4),
      quantizedType(call, 4),
    );

export const QLinearSigmoid: Builder = quantizedOne((x) => sigmoid(x));
export const QLinearLeakyRelu: Builder = quantizedOne((x, call) => leakyRelu(x, call.float("alpha", 0.01)));

/** Runs `build` on [batch, channels, …] where the node says that its channels come last. */
function channelsFirst(call: Call, x: Node, build: (x: Node) => Node): Node {
  if (call.int("channels_last", 0) === 0) return build(x);
  const axes = x.shape.map((_, i) => i);
  const last = axes.length - 1;
  const y = build(transpose(x, [0, last, ...axes.slice(1, last)]));
  return transpose(y, [0, ...axes.slice(2), 1]);
}

export const QLinearGlobalAveragePool: Builder = quantizedOne((x, call) =>
  channelsFirst(call, x, (y) => mean(y, { axes: y.shape.slice(2).map((_, i) => i + 2), keepDims: true })),
);

export const QLinearAveragePool: Builder = quantizedOne((x, call) =>
  channelsFirst(call, x, (y) => {
    const kernel = call.ints("kernel_shape") ?? [];
    const { strides, pads } = windowOf(call, spatialSizes(y.shape), kernel);
    return averagePool(y, { kernel, strides, pads, countIncludePad: call.int("count_include_pad", 0) !== 0 });
  }),
);

/** Tensors joined: the result's scale and zero point come first, then three inputs for each part. */
export const QLinearConcat: Builder = (call) => {
  const parts = call
    .values()
    .flatMap((_, i) =>
      i >= 2 && (i - 2) % 3 === 0 ? [dequantized(call.at(i), gridAt(call, i + 1, i + 2))] : [],
    );
  const axis = resolveAxis("axis", call.int("axis", 0), parts[0]?.shape.length ?? 1);
  return quantized(concat(parts, axis), gridAt(call, 0, 1), quantizedType(call, 1));
};

/** α·A·B + C of quantised matrices. */
export const QGemm: Builder = (call) => {
  const [a, b] = [dequantized(call.at(0), gridAt(call, 1, 2)), call.at(3)];
  const scales = gridAt(call, 4, 5);
  const product = matmul(a, dequantized(b, scales, { axis: call.int("transB", 0) !== 0 ? 0 : 1 }), {
    transposeA: call.int("transA", 0) !== 0,
    transposeB: call.int("transB", 0) !== 0,
  });
  const alpha = call.float("alpha", 1);
  const step = mul(mul(call.at(1), scales.scale), alpha);
  const y = mul(product, alpha);
  const biased = call.has(6) ? add(y, mul(call.at(6), step)) : y;
  return call.has(7) ? quantized(biased, gridAt(call, 7, 8), quantizedType(call, 8)) : biased;
};
