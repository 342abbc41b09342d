// Which operations of training steps give other bits with two threads than with one, and by how much: every
// intermediate value of one step, computed from the same values by both. `--write FILE` keeps the page.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as temper from "../dist/index.js";
import { initialState } from "../dist/defenses/training-state.js";
import { feedsFor } from "../dist/defenses/feeds.js";
import { graphFunction, topological } from "../dist/graph/function.js";
import { exportFunction } from "../dist/onnx/export.js";

const mnist = { inputShape: [1, 28, 28], classes: 10 };
const cifar = { inputShape: [3, 32, 32], classes: 10 };
const modelA = () =>
  temper.convnet({
    convolutions: [
      { filters: 64, kernel: 8, stride: 2, padding: "same" },
      { filters: 128, kernel: 6, stride: 2, padding: "valid" },
      { filters: 128, kernel: 5, stride: 1, padding: "valid" },
    ],
    hidden: [],
  });
const cases = [
  [
    "784-800-800-10, ABP, batch 10",
    temper.mlp({ hidden: [800, 800] }),
    mnist,
    temper.adversarialBackprop(),
    10,
  ],
  [
    "784-800-800-10, ABP, batch 128",
    temper.mlp({ hidden: [800, 800] }),
    mnist,
    temper.adversarialBackprop(),
    128,
  ],
  ["784-200-100-10, batch 32", temper.mlp({ hidden: [200, 100] }), mnist, temper.standard(), 32],
  [
    "model A, Jacobian penalty, batch 32",
    modelA(),
    mnist,
    temper.jacobianPenalty({ form: "summed", of: "logits" }),
    32,
  ],
  ["convnet with batch-norm, SGM, batch 32", temper.convnet({ batchNorm: true }), mnist, temper.sgm(), 32],
  ["All-CNN-C, batch 16", temper.allCnnC({}), cifar, temper.standard(), 16],
  ["WRN-16-4, batch 16", temper.wideResnet({ depth: 16, width: 4 }), cifar, temper.standard(), 16],
];

function stepOf(architecture, shape, defense) {
  const model = architecture(shape);
  const step = temper.buildTrainStep({
    model,
    defense,
    optimizer: temper.sgd(),
    loss: "softmax-cross-entropy",
    labelSmoothing: 0,
    bounds: [0, 1],
  });
  return { model, step };
}

const samplesOf = ({ stored, perSample }) => ({ stored, perSample });

/** Feeds of one step, without the axis of steps. */
async function feedsOf(model, step, batch) {
  const [channels, height, width] = model.inputShape;
  const size = channels * height * width;
  const images = Uint8Array.from({ length: batch * size }, (_, i) => (i * 2654435761) >>> 24);
  const split = { images, labels: Uint8Array.from({ length: batch }, (_, i) => i % 10), count: batch };
  const state = initialState(step, model.initialize(0), split);
  const source = { step, split, imageShape: model.inputShape, seed: 0, spare: [], ...samplesOf(state) };
  const indices = Uint32Array.from({ length: batch }, (_, i) => i);
  const { iterations: _, ...scanned } = await feedsFor(source, { indices, batchSize: batch, epoch: 0 });
  const slices = Object.entries(scanned).map(([name, value]) => [
    name,
    { ...value, shape: value.shape.slice(1) },
  ]);
  const scalars = Object.entries({ learningRate: 0.1, ...step.scalars(0) }).map(([name, value]) => [
    name,
    temper.scalar(value),
  ]);
  return { ...Object.fromEntries([...slices, ...scalars]), ...state.tensors };
}

/** Runs `fn` with so many threads, as training would. */
async function valuesOf(fn, feeds, threads) {
  const engine = temper.localEngine({ threads });
  const program = await engine.load(exportFunction(fn, { target: await engine.target() }));
  const values = await program.run(feeds);
  await program.release();
  await engine.close();
  return values;
}

/** Largest difference relative to the largest element, and how many elements differ. */
function difference(a, b) {
  let [differing, most, largest] = [0, 0, 0];
  a.forEach((x, i) => {
    if (!Object.is(x, b[i])) differing++;
    most = Math.max(most, Math.abs(x - b[i]));
    largest = Math.max(largest, Math.abs(x));
  });
  return { differing, relative: largest > 0 ? most / largest : 0 };
}

const shapeText = (shape, batch) =>
  `[${shape.map((d) => (typeof d === "number" ? d : d.batch * batch + d.plus)).join(", ")}]`;

/** Each operation of the step by itself, fed with what one thread computed: the ones that differ with two. */
async function compare([name, architecture, shape, defense, batch]) {
  const { model, step } = stepOf(architecture, shape, defense);
  const { carried, scanned, invariant, outputs } = step.loop;
  const roots = [...carried.map(({ next }) => next), ...Object.values(outputs)];
  const nodes = topological(roots).filter(({ kind, dtype }) => kind === "op" && dtype === "float32");
  const named = Object.fromEntries(nodes.map((node, i) => [`v${i}`, node]));
  const whole = graphFunction(
    "whole",
    [...carried.map((state) => state.input), ...scanned, ...invariant],
    named,
  );
  const [one, two] = [
    await valuesOf(whole, await feedsOf(model, step, batch), 1),
    await valuesOf(whole, await feedsOf(model, step, batch), 2),
  ];
  const equal = new Set(topological(roots).filter((node) => node.kind !== "op"));
  const rows = [];
  nodes.forEach((node, i) => {
    const found = difference(one[`v${i}`].data, two[`v${i}`].data);
    const inputsEqual = node.inputs.every((each) => equal.has(each) || each.dtype !== "float32");
    if (found.differing === 0) equal.add(node);
    else if (inputsEqual)
      rows.push([
        name,
        node.op.name,
        node.inputs.map((each) => shapeText(each.shape, batch)).join(" · "),
        found,
      ]);
  });
  return { name, operations: nodes.length, rows };
}

const { values: flags } = parseArgs({ options: { write: { type: "string" } } });
const found = [];
for (const each of cases) found.push(await compare(each));
const lines = found.flatMap(({ name, operations, rows }) =>
  rows.length === 0
    ? [`| ${name} | none of ${operations} | | | |`]
    : rows.map(
        ([, op, shapes, { differing, relative }]) =>
          `| ${name} | \`${op}\` | ${shapes} | ${differing} | ${relative.toExponential(0)} |`,
      ),
);
const page = `# One thread and two

Made by \`node scripts/threads.mjs --write docs/THREADS.md\`; not edited by hand.

Equal seeds and equal numbers of threads give equal bytes, always. With another number of threads ONNX Runtime cuts some
operations differently, and float32 sums come out in another order. Below: every operation of seven training steps whose
operands were equal to the bit with one thread and with two, and whose result was not – how many of its elements differ,
and the largest difference relative to the largest element. So \`threads\` is part of a recipe and of a checkpoint.

| step | operation | operands | elements that differ | by at most |
| --- | --- | --- | ---: | ---: |
${lines.join("\n")}
`;
console.log(page);
if (flags.write !== undefined) writeFileSync(flags.write, page);
