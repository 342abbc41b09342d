// The architecture contract: every architecture the registry exports is held to it by existing.
import { afterAll, describe, expect, it } from "vitest";
import { checkDerivatives } from "../../src/autodiff/check.js";
import { decodeTensors, encodeTensors } from "../../src/base/safetensors.js";
import type { AnyUnit } from "../../src/base/options.js";
import { randomStream } from "../../src/base/random.js";
import { B, count } from "../../src/base/shape.js";
import { floats } from "../../src/base/tensor.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input } from "../../src/graph/node.js";
import type { Array64 } from "../../src/graph/op.js";
import * as registry from "../../src/nn/architectures/index.js";
import type { Architecture } from "../../src/nn/architectures/architecture.js";
import { exportClassifier, lookup, weightInputs } from "../../src/nn/classifier.js";
import { multiplyAdds } from "../../src/graph/work.js";
import { deployed, evaluationPass, leafLayers, type Model, type Weights } from "../../src/nn/model.js";
import { localEngine } from "../../src/runtime/engine.js";

const architectures = Object.entries(registry as Record<string, AnyUnit<Architecture>>);
const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

/** Options that make each network small enough for the interpreter. */
const tiny: Record<string, unknown> = {
  mlp: { hidden: [7, 5], activation: "tanh" },
  convnet: {
    convolutions: [{ filters: 3, kernel: 3, pool: { size: 3, stride: 2 }, dropout: 0.2 }],
    hidden: [5],
    inputDropout: 0.1,
    activation: "tanh",
    batchNorm: true,
    outputBatchNorm: true,
  },
  lenet: { form: "lenet-5", activation: "tanh" },
  "all-cnn-c": { filters: [3, 4], activation: "tanh" },
  "wide-resnet": { depth: 10, width: 1, activation: "tanh" },
  resnet: { depth: 18, filters: 1, stem: "3x3", activation: "tanh" },
  "preact-resnet": { blocks: [1, 1], filters: 3, activation: "tanh", lastBatchNorm: true },
  "inception-v3": { stem: "cifar", scale: 0.01, activation: "tanh" },
  senet: { blocks: [1, 1], groups: 2, reduction: 4, activation: "tanh" },
  nasnet: { cells: 1, filters: 96, stem: 2, activation: "tanh" },
  capsnet: { filters: 2, kernel: 3, primary: 1, dimension: 3, activation: "tanh" },
  condensenet: {
    stages: [2, 1],
    growth: [2, 4],
    bottleneck: 2,
    groups: 2,
    denseFactor: 2,
    dropout: 0.2,
    activation: "tanh",
  },
  "cifar-resnet": { depth: 8, filters: 2, survival: 0.5, activation: "tanh" },
};

const batch = 3;
/** What their layers need at least, where 8×8 pixels are too few. */
const imageShapes: Record<string, readonly number[]> = {
  lenet: [1, 12, 12],
  "inception-v3": [1, 12, 12],
  nasnet: [1, 13, 13],
};

function prepared(model: Model) {
  const imageShape = model.inputShape;
  const x = input("input", [B, ...imageShape]);
  const image = new Float32Array(batch * count(imageShape));
  randomStream(0, "image").uniform(image, { sample: 0 });
  const weights = model.initialize(1);
  const nodes = weightInputs(model);
  const logits = model.apply(x, evaluationPass(lookup(nodes)));
  const values: Record<string, Array64> = { input: toArray64(floats([batch, ...imageShape], image)) };
  for (const [name, value] of Object.entries(weights)) values[name] = toArray64(value);
  return { x, image, weights, nodes, logits, values };
}

describe.each(architectures)("%s", (name, make) => {
  const imageShape = imageShapes[name] ?? [1, 8, 8];
  const model = make(tiny[name] as never)({ inputShape: imageShape, classes: 4 });

  it("gives logits [batch, classes] and the same in ONNX Runtime as in float64", async () => {
    const { image, weights, logits, values } = prepared(model);
    expect(logits.shape).toEqual([B, 4]);
    const [expected] = interpret([logits], { batch, values });
    const program = await engine.load(exportClassifier({ model, weights, bounds: [0, 1] }));
    const result = await program.run({ input: floats([batch, ...imageShape], image) });
    await program.release();
    const scale = Math.max(...(expected?.data.map(Math.abs) ?? [1]));
    expected?.data.forEach((value, i) =>
      expect(Math.abs(Number(result["logits"]?.data[i]) - value)).toBeLessThan(scale * 1e-5),
    );
  });

  it("has derivatives that equal finite differences, first and second order", () => {
    const { x, nodes, logits, values } = prepared(model);
    for (const { error } of checkDerivatives(logits, [x, ...nodes.values()], { batch, values }))
      expect(error).toBeLessThan(1e-4);
  });

  it("starts from the same weights for the same seed, each parameter and buffer of its shape", () => {
    const [a, b, c] = [model.initialize(1), model.initialize(1), model.initialize(2)];
    expect(a).toEqual(b);
    expect(c).not.toEqual(a);
    for (const { name: key, shape } of [...model.parameters, ...model.buffers])
      expect(a[key]?.shape).toEqual(shape);
  });

  it("keeps its weights byte for byte through a file", () => {
    const weights = model.initialize(1);
    expect(decodeTensors("file", encodeTensors(weights, {})).tensors).toEqual(weights);
  });

  it("refuses an unknown option by name", () => {
    expect(() => make({ widht: 1 } as never)).toThrow(`${name}: unknown option 'widht'`);
  });
});

/** Parameters, those of batch-norm apart. */
function sizeOf(model: Model): { parameters: number; batchNorm: number } {
  const total = (roles: readonly string[]): number =>
    model.parameters.reduce((sum, { role, shape }) => sum + (roles.includes(role) ? count(shape) : 0), 0);
  return { parameters: total(["weight", "bias", "other"]), batchNorm: total(["scale", "shift"]) };
}

const mnist = { inputShape: [1, 28, 28], classes: 10 };
const cifar10 = { inputShape: [3, 32, 32], classes: 10 };
const cifar100 = { inputShape: [3, 32, 32], classes: 100 };

/** SGM's networks have batch-norm after all layers. */
const everywhere = { batchNorm: true, outputBatchNorm: true };
const sgmHidden = { hidden: [2500, 2000, 1500, 1000, 500], dropout: 0.5, ...everywhere };
const sgmConvolutions = (padding: "same" | "valid") => ({
  convolutions: [
    { filters: 64, kernel: 5, padding, pool: 2 },
    { filters: 64, kernel: 5, padding, pool: 2 },
  ],
  hidden: [1024],
  dropout: 0.5,
  ...everywhere,
});
const wideResnet = registry["wide-resnet"];

describe("published sizes", () => {
  const modelA = {
    convolutions: [
      { filters: 64, kernel: 8, stride: 2, padding: "same" as const },
      { filters: 128, kernel: 6, stride: 2, padding: "valid" as const },
      { filters: 128, kernel: 5, padding: "valid" as const },
    ],
    hidden: [],
  };
  const modelB = {
    convolutions: [
      { filters: 128, kernel: 3, padding: "same" as const },
      { filters: 64, kernel: 3, stride: 2, padding: "valid" as const },
    ],
    hidden: [128],
  };

  const srivastava = {
    convolutions: [96, 128, 256].map((filters, i) => ({
      ...{ filters, kernel: 5, padding: 2, pool: { size: 3, stride: 2 } },
      dropout: i === 2 ? 0.5 : 0.25,
    })),
    hidden: [2048, 2048],
    dropout: 0.5,
    inputDropout: 0.1,
  };

  it.each([
    ["quickstart's 784-400-400-10", registry.mlp({ hidden: [400, 400] })(mnist), 478_410, 0],
    ["SGM's MNIST-DNN, 2500-2000-1500-1000-500-10", registry.mlp(sgmHidden)(mnist), 11_972_510, 15_020],
    ["SGM's MNIST-CNN, 'same' padding", registry.convnet(sgmConvolutions("same"))(mnist), 3_326_666, 2324],
    ["SGM's MNIST-CNN, no padding", registry.convnet(sgmConvolutions("valid"))(mnist), 1_163_978, 2324],
    ["SGM's CIFAR net, All-CNN-C", registry["all-cnn-c"]()(cifar10), 1_369_738, 2516],
    ["ABP's convolutional net for CIFAR-10", registry.convnet(srivastava)(cifar10), 10_071_562, 0],
    ["ABP's 2×3000 for CIFAR-10", registry.mlp({ hidden: [3000, 3000] })(cifar10), 18_252_010, 0],
    ["CapsNet", registry.capsnet()(mnist), 6_804_224, 0],
    ["CapsNet with its decoder", registry.capsnet({ reconstruction: 0.0005 })(mnist), 8_215_568, 0],
    ["LeNet as Caffe has it", registry.lenet()(mnist), 431_080, 0],
    ["LeNet-5", registry.lenet({ form: "lenet-5" })(mnist), 61_706, 0],
    ["All-CNN-C", registry["all-cnn-c"]({ batchNorm: false })(cifar10), 1_369_738, 0],
    ["L1DB's model A", registry.convnet(modelA)(mnist), 710_218, 0],
    ["L1DB's model B", registry.convnet(modelB)(mnist), 1_460_938, 0],
    ["L1DB's model C, 512-256-128-10", registry.mlp({ hidden: [512, 256, 128] })(mnist), 567_434, 0],
  ])("%s", (_, model, parameters, batchNorm) => {
    expect(sizeOf(model)).toEqual({ parameters, batchNorm });
  });

  it.each([
    [16, 8, cifar10, 10_961_370],
    [28, 10, cifar10, 36_479_194],
    [28, 10, cifar100, 36_536_884],
    [34, 10, cifar10, 46_160_474],
  ])("WRN-%i-%i", (depth, width, images, total) => {
    const { parameters, batchNorm } = sizeOf(wideResnet({ depth, width })(images));
    expect(parameters + batchNorm).toBe(total);
  });
});

describe("published sizes of networks for large images", () => {
  const imagenet = { inputShape: [3, 224, 224], classes: 1000 };
  const mobile = { cells: 4, filters: 1056, stem: 32, skips: false };
  const preact = registry["preact-resnet"];
  const small = registry["cifar-resnet"];
  it.each([
    ["ResNet-18", registry.resnet({ depth: 18 })(imagenet), 11_689_512],
    ["ResNet-50", registry.resnet()(imagenet), 25_557_032],
    ["SENet-154", registry.senet()({ inputShape: [3, 320, 320], classes: 1000 }), 115_088_984],
    ["NASNet-A large", registry.nasnet()({ inputShape: [3, 331, 331], classes: 1000 }), 88_753_150],
    ["NASNet-A mobile", registry.nasnet(mobile)(imagenet), 5_289_978],
    ["Inception-v3", registry["inception-v3"]()({ inputShape: [3, 299, 299], classes: 1000 }), 23_834_568],
    ["Inception-v3 for small images", registry["inception-v3"]({ stem: "cifar" })(cifar100), 21_990_468],
    ["ResNet-18 for small images", registry.resnet({ depth: 18, stem: "3x3" })(cifar10), 11_173_962],
    ["PreAct ResNet-18", preact()(cifar10), 11_171_146],
    ["PreAct ResNet-18 with a last batch-norm", preact({ lastBatchNorm: true })(cifar10), 11_172_170],
    ["ResNet-110", small()(cifar10), 1_727_962],
    ["ResNet-152 of small images", small({ depth: 152, survival: 0.5 })(cifar10), 2_408_474],
  ])("%s", (_, model, total) => {
    const { parameters, batchNorm } = sizeOf(model);
    expect(parameters + batchNorm).toBe(total);
  });
});

describe("published multiply–adds of one image, in thousand millions", () => {
  const sized = (side: number) => ({ inputShape: [3, side, side], classes: 1000 });
  const mobile = { cells: 4, filters: 1056, stem: 32, skips: false };
  it.each([
    ["ResNet-50", registry.resnet()(sized(224)), 4.1],
    ["Inception-v3", registry["inception-v3"]()(sized(299)), 5.7],
    ["SENet-154 at 320×320", registry.senet()(sized(320)), 42.3],
    ["NASNet-A large", registry.nasnet()(sized(331)), 23.8],
    ["NASNet-A mobile", registry.nasnet(mobile)(sized(224)), 0.564],
    ["WRN-28-10", wideResnet({ depth: 28, width: 10 })(cifar10), 5.2],
  ])("%s", (_, model, published) => {
    const x = input("input", [B, ...model.inputShape]);
    const logits = model.apply(x, evaluationPass(lookup(weightInputs(model))));
    expect(Math.abs(multiplyAdds([logits], 1) / 1e9 / published - 1)).toBeLessThan(0.02);
  });
});

/** Values that a network's training ends with, but for what it learns. */
function trained(model: Model): Weights {
  const values = [...model.parameters, ...model.buffers].map(
    ({ name, shape }) => [name, floats(shape, new Float32Array(count(shape)).fill(1))] as const,
  );
  const weights = Object.fromEntries(values);
  return { ...weights, ...model.betweenEpochs?.(weights, 1) };
}

describe("published sizes of condensenet", () => {
  const { condensenet } = registry;
  const imagenet = { inputShape: [3, 224, 224], classes: 1000 };
  const large = {
    ...{ stages: [4, 6, 8, 10, 8], growth: [8, 16, 32, 64, 128], stride: 2, denseFactor: 2 },
  };
  const workOf = (model: Model): number => {
    const x = input("input", [B, ...model.inputShape]);
    return multiplyAdds([model.apply(x, evaluationPass(lookup(weightInputs(model))))], 1);
  };
  /** What the paper's authors count beside multiply–adds: each value that is rectified or pooled, each bias. */
  const others = ({ layers = [], classes }: Model): number =>
    leafLayers(layers).reduce((sum, { name, outputShape }, i, all) => {
      if (/relu\d+$/.test(name)) return sum + count(outputShape);
      if (/averagepool\d+$/.test(name)) return sum + 4 * count(outputShape);
      return /globalaverage/.test(name) ? sum + count(all[i - 1]?.outputShape ?? []) : sum;
    }, classes);

  // Parameters and multiply–adds before and after; what was published, in millions.
  it.each([
    ["C = G = 4", condensenet(large)(imagenet), [11_922_680, 1_267_904_128], [4_773_944, 516_640_576], 529],
    [
      "C = G = 8",
      condensenet({ ...large, groups: 8 })(imagenet),
      [11_103_608, 1_137_847_936],
      [2_935_416, 261_545_792],
      274,
    ],
    ["86 layers for CIFAR-10", condensenet()(cifar10), [1_451_594, 173_858_624], [520_202, 62_381_888], 65.8],
  ])("%s", (_, model, before, after, millions) => {
    const { model: condensed } = deployed({ model, weights: trained(model), bounds: [0, 1] });
    const total = (of: Model): number => of.parameters.reduce((sum, { shape }) => sum + count(shape), 0);
    const [work, least] = [workOf(model), workOf(condensed)];
    expect([total(model), work]).toEqual(before);
    expect([total(condensed), least]).toEqual(after);
    expect(Math.abs((least + others(condensed)) / 1e6 / millions - 1)).toBeLessThan(0.001);
    expect(condensed.layers?.map(({ name, outputShape }) => [name, ...outputShape])).toEqual(
      model.layers?.map(({ name, outputShape }) => [name, ...outputShape]),
    );
    expect(condensed.buffers.filter(({ name }) => name.endsWith("mask"))).toEqual([]);
  });

  it("refuses growth that does not fit the stages", () => {
    expect(() => condensenet({ stages: [2, 2], growth: [8] })).toThrow(
      "condensenet.growth: expected as many numbers as stages, got [8]",
    );
  });
});

describe("wide-resnet", () => {
  it("builds WRN-16-4 with dropout between the convolutions of each block", () => {
    const { layers = [], sites } = wideResnet({ depth: 16, width: 4, dropout: 0.4 })(cifar10);
    expect(layers.filter(({ parts }) => parts).map(({ outputShape }) => outputShape)).toEqual([
      [64, 32, 32],
      [64, 32, 32],
      [128, 16, 16],
      [128, 16, 16],
      [256, 8, 8],
      [256, 8, 8],
    ]);
    expect(layers[1]?.parts?.map(({ name }) => name.replace("block1.", ""))).toEqual(
      "batchnorm1 relu1 conv1 batchnorm2 relu2 dropout1 conv2 shortcut.conv1".split(" "),
    );
    expect(sites).toHaveLength(13);
  });

  it("refuses a depth that is not 6n + 4", () => {
    expect(() => wideResnet({ depth: 18 })).toThrow(
      "wide-resnet.depth: expected a depth of 6n + 4: 10, 16, 22, 28 …, got 18",
    );
  });
});
