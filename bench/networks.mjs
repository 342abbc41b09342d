// The networks, each described once as a plain list of layers from which every peer builds itself.

const dense = (inputs, units) => ({ kind: "dense", inputs, units });
/** A convolution with square filters and `padding` zeros on each side. */
const conv = (channels, filters, kernel, { stride = 1, padding = 0, bias = true } = {}) => ({
  kind: "conv",
  channels,
  filters,
  kernel,
  stride,
  padding,
  bias,
});
/** Batch-norm: ε 1e-5, running ← 0.9 · running + 0.1 · batch. */
const norm = (channels) => ({ kind: "norm", channels });
const relu = { kind: "relu" };
/** Max-pooling by squares that do not overlap. */
const maxpool = (kernel) => ({ kind: "maxpool", kernel });
/** Mean of each channel: [n, c, h, w] → [n, c]. */
const meanpool = { kind: "meanpool" };
const flatten = { kind: "flatten" };
const dropout = (rate) => ({ kind: "dropout", rate });

const digits = { inputShape: [1, 28, 28], classes: 10 };
const photographs = { inputShape: [3, 32, 32], classes: 10 };

/** flatten, then dense layers with `after(units, isLast)` behind each. */
const fullyConnected = (sizes, after) => [
  flatten,
  ...sizes.slice(1).flatMap((units, i) => [dense(sizes[i], units), ...after(units, i === sizes.length - 2)]),
];
const reluBetween = (_, isLast) => (isLast ? [] : [relu]);
const normAndRelu = (units, isLast) => [norm(units), ...(isLast ? [] : [relu])];

/** 784 pixels, `hidden`, 10 classes, ReLU between. */
export const mlp = (hidden) => ({
  ...digits,
  name: ["784", ...hidden, "10"].join("-"),
  layers: fullyConnected([784, ...hidden, 10], reluBetween),
  temper: ["mlp", { hidden }],
});

const same = (filters, kernel, pool) => ({ filters, kernel, padding: "same", ...(pool && { pool }) });

/** L1DB's model A, 710,218 parameters. */
const modelA = {
  ...digits,
  name: "model A",
  layers: [
    conv(1, 64, 8, { stride: 2, padding: 3 }),
    relu,
    conv(64, 128, 6, { stride: 2 }),
    relu,
    conv(128, 128, 5),
    relu,
    flatten,
    dense(128, 10),
  ],
  temper: [
    "convnet",
    {
      convolutions: [
        { filters: 64, kernel: 8, stride: 2, padding: "same" },
        { filters: 128, kernel: 6, stride: 2, padding: "valid" },
        { filters: 128, kernel: 5, padding: "valid" },
      ],
      hidden: [],
    },
  ],
};

/** SGM's MNIST-CNN with 'same' padding: 3,326,666 parameters without batch-norm's. */
const sgmCnn = {
  ...digits,
  name: "SGM-CNN",
  layers: [
    ...[conv(1, 64, 5, { padding: 2 }), norm(64), relu, maxpool(2)],
    ...[conv(64, 64, 5, { padding: 2 }), norm(64), relu, maxpool(2)],
    ...[flatten, dense(3136, 1024), norm(1024), relu, dropout(0.5)],
    ...[dense(1024, 10), norm(10)],
  ],
  temper: [
    "convnet",
    {
      convolutions: [same(64, 5, 2), same(64, 5, 2)],
      hidden: [1024],
      batchNorm: true,
      outputBatchNorm: true,
      dropout: 0.5,
    },
  ],
};

/** SGM's MNIST-DNN: 11,972,510 parameters without batch-norm's. */
const sgmDnn = {
  ...digits,
  name: "SGM-DNN",
  layers: fullyConnected([784, 2500, 2000, 1500, 1000, 500, 10], normAndRelu),
  temper: ["mlp", { hidden: [2500, 2000, 1500, 1000, 500], batchNorm: true, outputBatchNorm: true }],
};

const convNormRelu = (channels, filters, kernel, stride = 1) => [
  conv(channels, filters, kernel, { stride, padding: (kernel - 1) / 2 }),
  norm(filters),
  relu,
];

/** All-CNN-C with batch-norm, as SGM's authors use it: 1,369,738 parameters without batch-norm's. */
const allCnn = {
  ...photographs,
  name: "All-CNN-C",
  layers: [
    ...[...convNormRelu(3, 96, 3), ...convNormRelu(96, 96, 3), ...convNormRelu(96, 96, 3, 2), dropout(0.5)],
    ...[
      ...convNormRelu(96, 192, 3),
      ...convNormRelu(192, 192, 3),
      ...convNormRelu(192, 192, 3, 2),
      dropout(0.5),
    ],
    ...[...convNormRelu(192, 192, 3), ...convNormRelu(192, 192, 1), ...convNormRelu(192, 10, 1)],
    meanpool,
  ],
  temper: ["all-cnn-c", {}],
};

const plainConv = (channels, filters, kernel, stride = 1) =>
  conv(channels, filters, kernel, { stride, padding: (kernel - 1) / 2, bias: false });

/** h = relu(norm(x)); branch(h) + x, or + shortcut(h) where the shape changes. */
const residual = (channels, filters, stride) => ({
  kind: "residual",
  before: [norm(channels), relu],
  branch: [plainConv(channels, filters, 3, stride), norm(filters), relu, plainConv(filters, filters, 3)],
  shortcut: channels === filters && stride === 1 ? [] : [plainConv(channels, filters, 1, stride)],
});

/** A wide residual network without dropout. */
function wideResnet(depth, width) {
  const blocks = (depth - 4) / 6;
  const stage = (channels, filters, stride) =>
    Array.from({ length: blocks }, (_, i) =>
      i === 0 ? residual(channels, filters, stride) : residual(filters, filters, 1),
    );
  const [a, b, c] = [16 * width, 32 * width, 64 * width];
  return {
    ...photographs,
    name: `WRN-${depth}-${width}`,
    layers: [
      plainConv(3, 16, 3),
      ...[...stage(16, a, 1), ...stage(a, b, 2), ...stage(b, c, 2)],
      ...[norm(c), relu, meanpool, dense(c, 10)],
    ],
    temper: ["wide-resnet", { depth, width }],
  };
}

export const networks = {
  mlp: mlp([800, 800]),
  modelA,
  modelC: { ...mlp([512, 256, 128]), name: "model C" },
  sgmCnn,
  sgmDnn,
  allCnn,
  wrn: wideResnet(16, 4),
};

/** Shapes of the trainable values of `layers` in the order in which they are sent: dense weights are [inputs, units]. */
export const parameterShapes = (layers) =>
  layers.flatMap((layer) => {
    if (layer.kind === "dense") return [[layer.inputs, layer.units], [layer.units]];
    if (layer.kind === "norm") return [[layer.channels], [layer.channels]];
    if (layer.kind === "residual")
      return parameterShapes([...layer.before, ...layer.branch, ...layer.shortcut]);
    if (layer.kind !== "conv") return [];
    const { channels, filters, kernel, bias } = layer;
    return [[filters, channels, kernel, kernel], ...(bias ? [[filters]] : [])];
  });

/** `layers` without dropout: what is compared before anything is timed. */
export const withoutDropout = (layers) => layers.filter(({ kind }) => kind !== "dropout");

export const isConvolutional = (layers) =>
  layers.some(
    (layer) => layer.kind === "conv" || (layer.kind === "residual" && isConvolutional(layer.branch)),
  );
