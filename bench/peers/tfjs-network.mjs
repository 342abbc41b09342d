// The peer TensorFlow.js: logits of a described network. Images are [n, h, w, c] here.
import * as tf from "@tensorflow/tfjs";

/** A weight as this peer holds it: filters are [h, w, in, out]. */
export const held = ({ data, shape }) =>
  tf.tidy(() => {
    const value = tf.tensor(data.slice(), shape);
    return shape.length === 4 ? tf.transpose(value, [2, 3, 1, 0]) : value;
  });

/** Batch-norm: batch statistics, or for inference the running ones as they start (mean 0, variance 1). */
function norm(x, [scale, shift], { inference }) {
  const channels = x.shape.at(-1);
  const { mean, variance } = inference
    ? { mean: tf.zeros([channels]), variance: tf.ones([channels]) }
    : tf.moments(x, x.rank === 4 ? [0, 1, 2] : [0]);
  return tf.batchNorm(x, mean, variance, shift, scale, 1e-5);
}

/** [n, h, w, c] → [n, c·h·w], in everybody's order. */
const flat = (x) => {
  const alike = x.shape[1] * x.shape[2] === 1 || x.shape[3] === 1;
  return tf.reshape(alike ? x : tf.transpose(x, [0, 3, 1, 2]), [x.shape[0], -1]);
};

function apply(layer, x, take, options) {
  switch (layer.kind) {
    case "dense": {
      const [weight, bias] = take(2);
      return tf.add(tf.matMul(x, weight), bias);
    }
    case "conv": {
      const [filter, bias] = take(layer.bias ? 2 : 1);
      const y = tf.conv2d(x, filter, layer.stride, layer.padding);
      return bias ? tf.add(y, bias) : y;
    }
    case "norm":
      return norm(x, take(2), options);
    case "relu":
      return tf.relu(x);
    case "maxpool":
      return tf.maxPool(x, layer.kernel, layer.kernel, "valid");
    case "meanpool":
      return tf.mean(x, [1, 2]);
    case "flatten":
      return flat(x);
    case "dropout":
      return options.inference ? x : tf.dropout(x, layer.rate);
    case "residual": {
      const h = chain(layer.before, x, take, options);
      const y = chain(layer.branch, h, take, options);
      return tf.add(y, layer.shortcut.length > 0 ? chain(layer.shortcut, h, take, options) : x);
    }
    default:
      throw new Error(`no layer '${layer.kind}'`);
  }
}

const chain = (layers, x, take, options) =>
  layers.reduce((current, layer) => apply(layer, current, take, options), x);

/** Logits at x; `weights` in the description's order. */
export function logitsOf(layers, weights, x, options = {}) {
  let used = 0;
  const take = (count) => weights.slice(used, (used += count));
  return chain(layers, x, take, options);
}
