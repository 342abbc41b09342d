// The networks of the papers with their sizes, and how long it takes until they can run: graph built and differentiated,
// ONNX file written, session created. Each is measured in a process of its own, so that nothing is warm.
// Usage: node scripts/networks.mjs [--only NAME] [--times FILE] [--write FILE]; with --times nothing is measured: the times
// are those of the page FILE, with what it says of the machine, and all else is counted anew.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as temper from "temper-ml";

const of = (classes, ...inputShape) => ({ inputShape, classes });
const mnist = of(10, 1, 28, 28);
const cifar = of(10, 3, 32, 32);
const everywhere = { batchNorm: true, outputBatchNorm: true };
const convolutions = (...list) => list.map(([filters, kernel, more = {}]) => ({ filters, kernel, ...more }));
const overlapping = { padding: 2, pool: { size: 3, stride: 2 } };

const large = { stages: [4, 6, 8, 10, 8], growth: [8, 16, 32, 64, 128], stride: 2, denseFactor: 2 };

/** Pixels of a side up to which a step is timed: ONNX Runtime takes minutes for those of NASNet-A and SENet-154. */
const smallSide = 64;

/**
 * `published`: parameters as the paper or its authors' code counts them; `work`: multiply–adds of one image
 * as the paper gives them.
 */
const networks = {
  "SGM's MNIST-DNN": {
    build: () => temper.mlp({ hidden: [2500, 2000, 1500, 1000, 500], dropout: 0.5, ...everywhere }),
    images: mnist,
  },
  "SGM's MNIST-CNN": {
    build: () =>
      temper.convnet({
        convolutions: convolutions([64, 5, { padding: 1, pool: 2 }], [64, 5, { padding: "valid", pool: 2 }]),
        hidden: [1024],
        dropout: 0.5,
        ...everywhere,
      }),
    images: mnist,
  },
  "All-CNN-C": { build: () => temper.allCnnC(), images: cifar, published: "1,369,738 without batch-norm" },
  "ABP's 784-400-400-10": { build: () => temper.mlp(), images: mnist },
  "ABP's 2×3000": { build: () => temper.mlp({ hidden: [3000, 3000] }), images: cifar },
  "ABP's conv net": {
    build: () =>
      temper.convnet({
        convolutions: convolutions([96, 5, overlapping], [128, 5, overlapping], [256, 5, overlapping]),
        hidden: [2048, 2048],
      }),
    images: cifar,
    published: "10,071,562",
  },
  "L1DB's model A": {
    build: () =>
      temper.convnet({
        convolutions: convolutions(
          [64, 8, { stride: 2, padding: "same" }],
          [128, 6, { stride: 2, padding: "valid" }],
          [128, 5, { padding: "valid" }],
        ),
        hidden: [],
      }),
    images: mnist,
  },
  "L1DB's model B": {
    build: () =>
      temper.convnet({
        convolutions: convolutions([128, 3, { padding: "same" }], [64, 3, { stride: 2, padding: "valid" }]),
        hidden: [128],
      }),
    images: mnist,
  },
  "L1DB's model C": { build: () => temper.mlp({ hidden: [512, 256, 128] }), images: mnist },
  LeNet: { build: () => temper.lenet(), images: mnist },
  CapsNet: { build: () => temper.capsnet(), images: mnist, published: "6,804,224" },
  "CapsNet with its decoder": {
    build: () => temper.capsnet({ reconstruction: 0.0005 }),
    images: mnist,
    published: "8,215,568",
  },
  "ResNet-110, stochastic depth": {
    build: () => temper.cifarResnet({ survival: 0.5 }),
    images: cifar,
    published: "1,727,962",
  },
  "ResNet-152, stochastic depth": {
    build: () => temper.cifarResnet({ depth: 152, survival: 0.5 }),
    images: cifar,
    published: "2,408,474",
  },
  "WRN-16-8": {
    build: () => temper.wideResnet({ depth: 16, width: 8 }),
    images: cifar,
    published: "10,961,370",
  },
  "WRN-28-10": {
    build: () => temper.wideResnet({ depth: 28, width: 10 }),
    images: cifar,
    published: "36,479,194",
  },
  "WRN-34-10": {
    build: () => temper.wideResnet({ depth: 34, width: 10 }),
    images: cifar,
    published: "46,160,474",
  },
  "PreAct ResNet-18": { build: () => temper.preactResnet(), images: cifar, published: "11,171,146" },
  "Inception-v3, 32×32": {
    build: () => temper.inceptionV3({ stem: "cifar" }),
    images: of(100, 3, 32, 32),
  },
  "CondenseNet-86": {
    build: () => temper.condensenet(),
    images: cifar,
    published: "0.52 M after condensing",
    work: "65.8 M after condensing",
  },
  "CondenseNet, C = G = 4": {
    build: () => temper.condensenet(large),
    images: of(1000, 3, 224, 224),
    published: "4.8 M after condensing",
    work: "529 M after condensing",
  },
  "CondenseNet, C = G = 8": {
    build: () => temper.condensenet({ ...large, groups: 8 }),
    images: of(1000, 3, 224, 224),
    published: "2.9 M after condensing",
    work: "274 M after condensing",
  },
  "ResNet-18": {
    build: () => temper.resnet({ depth: 18 }),
    images: of(1000, 3, 224, 224),
    published: "11,689,512",
    work: "1.8 G",
  },
  "ResNet-50": {
    build: () => temper.resnet(),
    images: of(1000, 3, 224, 224),
    published: "25,557,032",
    work: "3.8 G",
  },
  "Inception-v3, 299×299": {
    build: () => temper.inceptionV3(),
    images: of(1000, 3, 299, 299),
    published: "23,834,568",
    work: "5 G",
  },
  "NASNet-A mobile": {
    build: () => temper.nasnet({ cells: 4, filters: 1056, stem: 32, skips: false }),
    images: of(1000, 3, 224, 224),
    published: "5.3 M",
    work: "564 M",
  },
  "NASNet-A large": {
    build: () => temper.nasnet(),
    images: of(1000, 3, 331, 331),
    published: "88.9 M",
    work: "23.8 G",
  },
  "SENet-154": {
    build: () => temper.senet(),
    images: of(1000, 3, 320, 320),
    published: "115,088,984; 145.8 M",
    work: "42.4 G",
  },
};

/** Runs the parts one after the other; milliseconds of each, and what the last one gave. */
async function timed(parts) {
  const times = [];
  let value;
  for (const part of parts) {
    const begun = performance.now();
    value = await part(value);
    times.push(performance.now() - begun);
  }
  return { times, value };
}

/** Graph, file and session of a training step with momentum. */
const stepParts = (engine, { build, images }) => [
  () =>
    temper.buildTrainStep({
      model: build()(images),
      defense: temper.standard(),
      optimizer: temper.sgd({ momentum: 0.9 }),
      loss: "softmax-cross-entropy",
      labelSmoothing: 0,
      bounds: [0, 1],
    }),
  async ({ loop }) => temper.exportLoop(loop, { target: await engine.target() }),
  (file) => engine.load(file),
];

/** Graph with file, and session of a classifier with starting weights. */
function forwardParts(engine, { build, images }) {
  const model = build()(images);
  const weights = model.initialize(0);
  return [
    () => temper.exportClassifier({ model: build()(images), weights, bounds: [0, 1] }),
    (file) => engine.load(file),
  ];
}

/** Times one network in this process, forward or its step, and prints them with its size. */
async function timeHere(name, what) {
  const engine = temper.workerEngine({ threads: 2 });
  await engine.target();
  const chosen = networks[name];
  const parts = what === "step" ? stepParts(engine, chosen) : forwardParts(engine, chosen);
  const { times, value } = await timed(parts);
  await value.release();
  await engine.close();
  console.log(JSON.stringify(times));
}

function apart(name, what) {
  const file = fileURLToPath(import.meta.url);
  const { stdout, status } = spawnSync(process.execPath, [file, "--child", what, "--only", name], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${name}: its process ended with ${status}`);
  return JSON.parse(stdout);
}

const seconds = (milliseconds) => (milliseconds / 1000).toFixed(2);
const integer = (n) => n.toLocaleString("en-US");

/** 1.23 M, 4.5 G. */
function short(n) {
  const [size, unit] = n >= 1e9 ? [1e9, "G"] : [1e6, "M"];
  return `${Number((n / size).toPrecision(3))} ${unit}`;
}

/** The cells of measured times. */
function measuredTimes(name) {
  const forward = apart(name, "forward");
  const step = networks[name].images.inputShape.at(-1) <= smallSide ? apart(name, "step") : [];
  const total = (times) => (times.length === 0 ? "–" : seconds(times.reduce((a, b) => a + b, 0)));
  console.error(`${name}: forward ${total(forward)} s, step ${total(step)} s`);
  const parts = [0, 1, 2].map((i) => (step.length === 0 ? "–" : seconds(step[i])));
  return [total(forward), total(step), ...parts];
}

/** The cells of times in the row that the page `text` has for a network. */
function timesIn(text, name) {
  const line = text.split("\n").find((each) => each.startsWith(`| ${name} | `));
  if (line === undefined) throw new Error(`${name}: the page of times has no row for it`);
  return line.slice(2, -2).split(" | ").slice(-5);
}

function row(name, timesOf) {
  const { build, images, published = "", work = "" } = networks[name];
  const { parameters, batchNormParameters, multiplyAdds, exported } = temper.describeModel({
    ...{ model: build(), ...images, defenses: [], optimizer: temper.sgd(), batchSize: 1 },
  });
  const after = (key, format) =>
    exported && exported[key] !== { parameters, multiplyAdds }[key]
      ? ` (exported ${format(exported[key])})`
      : "";
  const sizes = [
    `${integer(parameters)}${after("parameters", integer)}`,
    integer(batchNormParameters),
    published,
    `${short(multiplyAdds)}${after("multiplyAdds", short)}`,
    work,
  ];
  return `| ${[name, images.inputShape.join("×"), ...sizes, ...timesOf(name)].join(" | ")} |`;
}

const versionOf = (name) => createRequire(import.meta.url)(`${name}/package.json`).version;

/** Why published multiply–adds are others than ours. */
const differences = [
  "- CondenseNet's authors (`measure_model` of their code) also count one operation for each element that a ReLU passes on,",
  "  one for each element that average pooling reads, and the last layer's biases. For C = G = 4 ours are 516,640,576, the",
  "  ReLUs 11,014,416, the pooling 1,672,272 and the biases 1,000: 529,328,264 in all; for C = G = 8 261,545,792 and the same",
  "  12,687,688 make 274,233,480; for CondenseNet-86 62,381,888 and 3,434,506 make 65,816,394.",
  "- ResNet-50's 3.8 G are with a block's stride in its first 1×1 convolution; here, as in torchvision, its 3×3 convolution",
  "  has it, which takes 77 M more in each of the three blocks that halve the image.",
  "- Inception-v3's 5 G is the round figure of its abstract.",
  "- SENet-154: 115,088,984 is the network as its authors released it; 145.8 M and 42.4 G are what Di, Yu and Tian print of",
  "  SENet at 320×320 without its layers, which those of the release do not add up to.",
  "- NASNet-A large: its 88.9 M agree where batch-norm's moving means and variances, as many again as its scales and shifts,",
  "  are counted too: 88,949,818.",
];

/** What the times were measured with. */
const machineHere = () =>
  `Temper ${versionOf("temper-ml")}, Node ${process.version}, ONNX Runtime ${versionOf("onnxruntime-node")}, ` +
  `${cpus()[0]?.model.trim() ?? "unknown processor"}, 2 threads.`;

const machineIn = (text) => text.split("\n").find((line) => line.startsWith("Temper ")) ?? machineHere();

const page = (rows, machine) =>
  `${[
    "# Networks",
    "",
    "Made by `node scripts/networks.mjs --write docs/NETWORKS.md`; not edited by hand.",
    "",
    machine,
    "",
    "Parameters of each network of the papers, batch-norm's scales and shifts apart, beside what is published, both kinds",
    "together where nothing else is said; multiply–adds of one image, beside those that its paper gives. Then the seconds until",
    "it can run, each in a process of its own: forward (graph, file with weights, session), and a training step with momentum,",
    "by its parts: graph built, differentiated and simplified; ONNX file written; session created. Steps are timed for small",
    "images alone: those of the networks for large ones are beyond this machine, and ONNX Runtime takes up to minutes for",
    "their sessions.",
    "",
    "| network | images | parameters | batch-norm | published | multiply–adds | published | forward, s | step, s | graph | file | session |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
    "",
    "Counted are the products of convolutions, of dense layers and between capsules: one multiply–add for each weight and place",
    "that it is used at. Where the papers have other numbers, it is for what they count or build:",
    "",
    ...differences,
  ].join("\n")}\n`;

const { values } = parseArgs({
  options: {
    child: { type: "string" },
    only: { type: "string" },
    times: { type: "string" },
    write: { type: "string" },
  },
});
if (values.child !== undefined) await timeHere(values.only, values.child);
else {
  const names = Object.keys(networks).filter((name) => name.includes(values.only ?? ""));
  const known = values.times === undefined ? null : readFileSync(values.times, "utf8");
  const timesOf = known === null ? measuredTimes : (name) => timesIn(known, name);
  const text = page(
    names.map((name) => row(name, timesOf)),
    known === null ? machineHere() : machineIn(known),
  );
  if (values.write === undefined) console.log(text);
  else writeFileSync(values.write, text);
}
