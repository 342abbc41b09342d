// Holds the prediction of training's memory to what is measured: each case trains in a process of its own, whose peak
// (VmHWM) is counted from where an idle engine stands; then 10,000 steps show whether anything grows. Linux only.
// Usage: node scripts/memory.mjs [--only NAME] [--write FILE] [--into FILE]; with --into the rows of FILE that are measured
// again, or for the first time, take their places there, and the rest stays.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as temper from "temper-ml";

const mnist = { inputShape: [1, 28, 28], classes: 10 };
const cifar = { inputShape: [3, 32, 32], classes: 10 };
const everywhere = { batchNorm: true, outputBatchNorm: true };
const modelA = {
  convolutions: [
    { filters: 64, kernel: 8, stride: 2, padding: "same" },
    { filters: 128, kernel: 6, stride: 2, padding: "valid" },
    { filters: 128, kernel: 5, padding: "valid" },
  ],
  hidden: [],
};
const modelB = {
  convolutions: [
    { filters: 128, kernel: 3, padding: "same" },
    { filters: 64, kernel: 3, stride: 2, padding: "valid" },
  ],
  hidden: [128],
};
const twice64 = [
  { filters: 64, kernel: 5, pool: 2 },
  { filters: 64, kernel: 5, pool: 2 },
];
const sgmNet = { convolutions: twice64, hidden: [1024], dropout: 0.5, ...everywhere };
const { defenses } = temper;

/** What is trained; `apart` marks those that were measured after the prediction's constants had been chosen. */
const cases = {
  "mlp 784-800-800-10, adversarial-backprop, sgd": {
    ...mnist,
    batch: 128,
    model: () => temper.mlp({ hidden: [800, 800] }),
    defense: () => defenses["adversarial-backprop"](),
    optimizer: () => temper.sgd(),
    steps: 1000,
  },
  "mlp 2500-2000-1500-1000-500-10, wame": {
    ...mnist,
    batch: 128,
    model: () => temper.mlp({ hidden: [2500, 2000, 1500, 1000, 500], dropout: 0.5, ...everywhere }),
    optimizer: () => temper.wame(),
  },
  "L1DB's model A, jacobian-penalty summed, adam": {
    ...mnist,
    batch: 128,
    model: () => temper.convnet(modelA),
    defense: () => defenses["jacobian-penalty"]({ form: "summed" }),
    optimizer: () => temper.adam(),
  },
  "SGM's MNIST-CNN, sgm, wame": {
    ...mnist,
    batch: 128,
    model: () => temper.convnet(sgmNet),
    defense: () => defenses.sgm(),
    optimizer: () => temper.wame(),
    steps: 24,
  },
  "all-cnn-c, momentum": {
    ...cifar,
    batch: 64,
    model: () => temper.allCnnC(),
    optimizer: () => temper.sgd({ momentum: 0.9 }),
    steps: 24,
  },
  "wide-resnet 16-4, momentum": {
    ...cifar,
    batch: 64,
    model: () => temper.wideResnet(),
    optimizer: () => temper.sgd({ momentum: 0.9 }),
    steps: 24,
  },
  "mlp 784-400-400-10, adam, batch 10": {
    ...mnist,
    batch: 10,
    model: () => temper.mlp(),
    optimizer: () => temper.adam(),
    steps: 2000,
  },
  "convnet, fgsm-training, adam, batch 32": {
    ...mnist,
    batch: 32,
    model: () => temper.convnet(),
    defense: () => defenses["fgsm-training"](),
    optimizer: () => temper.adam(),
  },
  "wide-resnet 10-2 with dropout, adversarial-backprop, momentum, batch 32": {
    ...cifar,
    batch: 32,
    model: () => temper.wideResnet({ depth: 10, width: 2, dropout: 0.3 }),
    defense: () => defenses["adversarial-backprop"](),
    optimizer: () => temper.sgd({ momentum: 0.9 }),
    steps: 24,
  },
  "L1DB's model B, jacobian-penalty, wame, batch 64": {
    ...mnist,
    batch: 64,
    model: () => temper.convnet(modelB),
    defense: () => defenses["jacobian-penalty"](),
    optimizer: () => temper.wame(),
    steps: 24,
  },
  "wide-resnet 10-4, sgm, adam, batch 32, last batch of 20": {
    ...cifar,
    batch: 32,
    last: 20,
    model: () => temper.wideResnet({ depth: 10 }),
    defense: () => defenses.sgm(),
    optimizer: () => temper.adam(),
  },
  "mlp 784-1000-1000-1000-10, sign-noise, momentum, last batch of 50": {
    ...mnist,
    batch: 100,
    last: 50,
    model: () => temper.mlp({ hidden: [1000, 1000, 1000] }),
    defense: () => defenses["sign-noise"](),
    optimizer: () => temper.sgd({ momentum: 0.9 }),
    steps: 500,
  },
  "all-cnn-c without batch-norm, adversarial-backprop, adam, batch 32": {
    ...cifar,
    apart: true,
    batch: 32,
    model: () => temper.allCnnC({ batchNorm: false }),
    defense: () => defenses["adversarial-backprop"](),
    optimizer: () => temper.adam(),
    steps: 24,
  },
  "convnet with batch-norm, sgm, momentum, batch 200": {
    ...mnist,
    apart: true,
    batch: 200,
    model: () => temper.convnet({ batchNorm: true, hidden: [256] }),
    defense: () => defenses.sgm(),
    optimizer: () => temper.sgd({ momentum: 0.9 }),
    steps: 24,
  },
  "wide-resnet 28-10, momentum, batch 64": {
    ...cifar,
    apart: true,
    batch: 64,
    model: () => temper.wideResnet({ depth: 28, width: 10 }),
    optimizer: () => temper.sgd({ momentum: 0.9 }),
    steps: 16,
  },
  "resnet 18 on 16×16 pixels, momentum": {
    inputShape: [3, 16, 16],
    classes: 10,
    apart: true,
    batch: 128,
    model: () => temper.resnet({ depth: 18 }),
    optimizer: () => temper.sgd({ momentum: 0.9 }),
    steps: 24,
  },
  "capsnet, adam": {
    ...mnist,
    apart: true,
    batch: 128,
    model: () => temper.capsnet(),
    optimizer: () => temper.adam(),
    steps: 8,
  },
  "mlp 784-1500-1500-10 with dropout, jacobian-penalty, adam, batch 50": {
    ...mnist,
    apart: true,
    batch: 50,
    model: () => temper.mlp({ hidden: [1500, 1500], dropout: 0.5 }),
    defense: () => defenses["jacobian-penalty"](),
    optimizer: () => temper.adam(),
    steps: 64,
  },
};

/** 784-32-10 in batches of 10: steps so quick that 10,000 take seconds. */
const growth = {
  ...mnist,
  batch: 10,
  model: () => temper.mlp({ hidden: [32], dropout: 0.2 }),
  optimizer: () => temper.adam(),
  steps: 40_000,
  perEpoch: 500,
};

const MiB = 2 ** 20;

/** `VmRSS` or `VmHWM` of this process in bytes. */
const memoryOf = (key) =>
  1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]);

/** An engine that has run something, so that ONNX Runtime and its threads are there. */
async function idleEngine() {
  const engine = temper.workerEngine({ threads: 2 });
  const x = temper.input("x", [2]);
  const file = temper.exportFunction(temper.graphFunction("idle", [x], { y: temper.ops.add(x, 1) }));
  const program = await engine.load(file);
  await program.run({ x: temper.floats([2], [1, 2]) });
  return engine;
}

function stepOf({ model, inputShape, classes, defense = () => temper.standard(), optimizer }) {
  const network = model()({ inputShape, classes });
  const chosen = defense();
  const step = temper.buildTrainStep({
    model: network,
    defense: chosen,
    optimizer: optimizer(),
    loss: "softmax-cross-entropy",
    labelSmoothing: 0,
    bounds: [0, 1],
  });
  return { network, step };
}

/** Images of no dataset. */
function imagesOf({ batch, inputShape, steps = 48, perEpoch = 16, last = 0 }) {
  const count = batch * Math.min(perEpoch, steps) + last;
  const size = inputShape.reduce((a, b) => a * b, 1);
  const images = Uint8Array.from({ length: count * size }, (_, i) => (i * 7919) >> 3);
  return { images, labels: Uint8Array.from({ length: count }, (_, i) => i % 10), count };
}

/** Trains a case in this process and prints what it took. */
async function trainHere(name) {
  const chosen = cases[name] ?? growth;
  const { batch, inputShape, steps = 48 } = chosen;
  const engine = await idleEngine();
  const split = imagesOf(chosen);
  const idle = memoryOf("VmRSS");
  const { network, step } = stepOf(chosen);
  const perEpoch = Math.ceil(split.count / batch);
  const marks = [];
  await temper.train({
    engine,
    step,
    split,
    imageShape: inputShape,
    epochs: Math.ceil(steps / perEpoch),
    batchSize: batch,
    seed: 0,
    schedule: 1e-4,
    state: temper.initialState(step, network.initialize(0), split),
    name,
    onEpoch: ({ epoch }) => marks.push({ steps: (epoch + 1) * perEpoch, resident: memoryOf("VmRSS") - idle }),
  });
  const peak = memoryOf("VmHWM") - idle;
  const moved = step.movesInputs ? 4 * split.images.length : 0;
  const target = await engine.target();
  const predicted = temper.trainingMemory(step, batch, { moved, target });
  console.log(JSON.stringify({ peak, predicted, marks }));
  await engine.close();
}

function trainApart(name) {
  const file = fileURLToPath(import.meta.url);
  const { stdout, status } = spawnSync(process.execPath, [file, "--child", name], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${name}: its process ended with ${status}`);
  return JSON.parse(stdout);
}

const inMiB = (bytes) => (bytes / MiB).toFixed(bytes < 10 * MiB ? 1 : 0);
const percent = (ratio) => `${ratio >= 1 ? "+" : "−"}${Math.abs(100 * (ratio - 1)).toFixed(0)} %`;

function caseRow(name) {
  const { peak, predicted } = trainApart(name);
  const { state, activations, engine, total } = predicted;
  const cells = [state, activations, engine, total, peak].map(inMiB);
  console.error(`${name}: predicted ${inMiB(total)} MiB, measured ${inMiB(peak)} MiB`);
  const ratio = total / peak;
  return {
    ratio,
    apart: cases[name].apart === true,
    line: `| ${[name, ...cells, percent(ratio)].join(" | ")} |`,
  };
}

/** The least and the most that is resident, by 10,000 steps. */
function growthRows() {
  const { marks } = trainApart("growth");
  return [0, 10_000, 20_000, 30_000].map((from) => {
    const within = marks.filter(({ steps }) => steps > from && steps <= from + 10_000);
    const resident = within.map((mark) => mark.resident);
    const numbers = [from + 1, from + 10_000].map((n) => n.toLocaleString("en-US")).join("–");
    return `| ${numbers} | ${inMiB(Math.min(...resident))} | ${inMiB(Math.max(...resident))} |`;
  });
}

const versionOf = (name) => createRequire(import.meta.url)(`${name}/package.json`).version;

function page(rows, grown) {
  const worst = Math.max(...rows.map(({ ratio }) => Math.abs(ratio - 1)));
  const table = (apart) => [
    "| training | state | activations | engine | predicted | measured | error |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows.filter((row) => row.apart === apart).map(({ line }) => line),
  ];
  return `${[
    "# Memory of training",
    "",
    "Made by `node scripts/memory.mjs --write docs/MEMORY.md`; not edited by hand.",
    "",
    `Temper ${versionOf("temper-ml")}, Node ${process.version}, ONNX Runtime ${versionOf("onnxruntime-node")}, ` +
      `${cpus()[0]?.model.trim() ?? "unknown processor"}, 2 threads. All in MiB.`,
    "",
    "`temper models describe` prints what training adds to an idle process at its peak. The engine's part is read from",
    "the ONNX file of the step: its values get buffers as ONNX Runtime's planner gives them, and two runs are played",
    "through on a model of its arena. The host's part is the state, held several times, the feeds, and a constant.",
    "The measured value is the peak of the resident memory (VmHWM) of a fresh process, less what it was with an idle",
    `engine. The largest error is ${(100 * worst).toFixed(0)} %.`,
    "",
    "The constants of the host's part – how often state and feeds are held, and the fixed part – were chosen with these",
    "in view:",
    "",
    ...table(false),
    "",
    "and not with these:",
    "",
    ...table(true),
    "",
    "## Growth",
    "",
    "784-32-10 with dropout and Adam in batches of 10, 40,000 steps: resident memory above that of the idle engine after",
    "every 500th. It rises until the heap has grown to what the collector lets it, and then levels off.",
    "",
    "| steps | least, MiB | most, MiB |",
    "| ---: | ---: | ---: |",
    ...grown,
  ].join("\n")}\n`;
}

const isGrowth = (line) => /^\| [\d,]+–/.test(line);

/** A row of a page as `caseRow` gives it. */
function rowIn(line) {
  const [name, ...cells] = line.slice(2, -2).split(" | ");
  const error = Number(cells.at(-1).replace("−", "-").replace(" %", ""));
  return { ratio: 1 + error / 100, apart: cases[name]?.apart === true, line };
}

/** The page in `text` with `rows` in their places. */
function merged(text, rows) {
  const lines = text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---"));
  const nameIn = (line) => line.slice(2).split(" | ")[0];
  const before = lines.filter((line) => nameIn(line) in cases).map(rowIn);
  const byName = new Map([...before, ...rows].map((row) => [nameIn(row.line), row]));
  const order = Object.keys(cases).filter((name) => byName.has(name));
  return page(
    order.map((name) => byName.get(name)),
    lines.filter(isGrowth),
  );
}

const { values } = parseArgs({
  options: {
    child: { type: "string" },
    only: { type: "string" },
    write: { type: "string" },
    into: { type: "string" },
  },
});
if (values.child !== undefined) await trainHere(values.child);
else {
  const names = Object.keys(cases).filter((name) => name.includes(values.only ?? ""));
  const { into, write = into } = values;
  const text =
    into === undefined
      ? page(names.map(caseRow), growthRows())
      : merged(readFileSync(into, "utf8"), names.map(caseRow));
  if (write === undefined) console.log(text);
  else writeFileSync(write, text);
}
