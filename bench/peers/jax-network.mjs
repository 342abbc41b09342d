// The peer jax-js: logits of a described network.
import { lax, nn, numpy as np, random } from "@jax-js/jax";

const perChannel = (values, rank) => (rank === 4 ? values.reshape([1, values.shape[0], 1, 1]) : values);

/** Batch-norm: batch statistics, or for inference the running ones as they start (mean 0, variance 1). */
function norm(x, [scale, shift], { inference }) {
  const rank = x.shape.length;
  if (inference)
    return x
      .div(Math.sqrt(1 + 1e-5))
      .mul(perChannel(scale, rank))
      .add(perChannel(shift, rank));
  const axis = rank === 4 ? [0, 2, 3] : [0];
  const centred = x.ref.sub(np.mean(x, axis, { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), axis, { keepdims: true });
  return centred
    .div(np.sqrt(variance.add(1e-5)))
    .mul(perChannel(scale, rank))
    .add(perChannel(shift, rank));
}

/** Largest of each square of `kernel` pixels. */
function maxpool(x, kernel) {
  const [n, c, h, w] = x.shape;
  return np.max(x.reshape([n, c, h / kernel, kernel, w / kernel, kernel]), [3, 5]);
}

function dropped(x, rate, key) {
  const mask = np.greater(random.uniform(key.ref, x.shape), rate);
  return x.mul(mask.astype(np.float32)).mul(1 / (1 - rate));
}

/** One layer; `take(n)` hands out its parameters. */
function apply(layer, x, take, options) {
  switch (layer.kind) {
    case "dense": {
      const [weight, bias] = take(2);
      return np.matmul(x, weight).add(bias);
    }
    case "conv": {
      const { stride, padding, bias } = layer;
      const [filter, shift] = take(bias ? 2 : 1);
      const pads = [padding, padding];
      const y = lax.convGeneralDilated(x, filter, [stride, stride], [pads, pads]);
      return bias ? y.add(perChannel(shift, 4)) : y;
    }
    case "norm":
      return norm(x, take(2), options);
    case "relu":
      return nn.relu(x);
    case "maxpool":
      return maxpool(x, layer.kernel);
    case "meanpool":
      return np.mean(x, [2, 3]);
    case "flatten":
      return x.reshape([x.shape[0], x.shape.slice(1).reduce((a, b) => a * b, 1)]);
    case "dropout":
      return options.key ? dropped(x, layer.rate, options.key) : x;
    case "residual": {
      const h = chain(layer.before, x.ref, take, options);
      const y = chain(layer.branch, h.ref, take, options);
      return y.add(layer.shortcut.length > 0 ? chain(layer.shortcut, h, take, options) : x);
    }
    default:
      throw new Error(`no layer '${layer.kind}'`);
  }
}

const chain = (layers, x, take, options) =>
  layers.reduce((current, layer) => apply(layer, current, take, options), x);

/** Logits at x; consumes x and `weights`. options.key: dropout; options.inference: running statistics. */
export function logitsOf(layers, weights, x, options) {
  let used = 0;
  const take = (count) => weights.slice(used, (used += count));
  return chain(layers, x, take, options);
}
