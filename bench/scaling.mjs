// How Temper's engine and PyTorch grow with batch, width and threads; and `train()` with the size of its dataset.
import { join } from "node:path";
import { startContender } from "./contender.mjs";
import { calibrated, interleave, paired, spread } from "./measure.mjs";
import { mlp } from "./networks.mjs";
import { steps } from "./steps.mjs";
import { writeTask } from "./tasks.mjs";

const stepNamed = (id) => steps.find((step) => step.id === id);
const [abp, cnn] = ["a128", "c"].map(stepNamed);

const batches = [8, 16, 32, 64, 128, 256, 512];
const widths = [100, 200, 400, 800, 1600, 3200];
const datasets = [1_000, 10_000, 30_000, 60_000];

const ofBatch = (step, letter) =>
  batches.map((batch) => ({ group: `(${letter}) batch`, value: batch, step: { ...step, batch } }));
const ofWidth = widths.map((width) => ({
  group: "(a) width",
  value: width,
  step: { ...abp, network: mlp([width, width]) },
}));
const ofThreads = (cores) =>
  [abp, stepNamed("b-plain"), cnn].flatMap((step) =>
    [...new Set([1, cores])].map((threads) => ({
      group: `threads, ${step.title}`,
      value: threads,
      step,
      threads,
    })),
  );

/** The first and the last of each group. */
const ends = (points) =>
  points.filter(({ group }, i) => points[i - 1]?.group !== group || points[i + 1]?.group !== group);

const perRepetition = 3;

/** One point: the engine alone beside eager PyTorch, both in processes that serve all points. */
async function measurePoint({ group, value, step, threads }, plan, peers) {
  const at = { ...step, id: `scale-${step.id}` };
  const folder = join(plan.workshop.folder, at.id);
  writeTask(folder, at);
  const entered = [];
  for (const { contender, form, title } of peers) {
    const given = { folder, step: at, form, threads: threads ?? plan.threads };
    const { multiple } = await contender.ask({ command: "load", ...given });
    entered.push({ ...(await calibrated({ ...contender, multiple }, plan)), title });
  }
  const [ours] = peers;
  const flops = await ours.contender.ask({ command: "work", step: at });
  const [engine, eager] = await interleave(entered, { ...plan, repetitions: perRepetition });
  return {
    group,
    value,
    milliseconds: spread(engine.times),
    imagesPerSecond: (1000 * step.batch) / spread(engine.times).median,
    gigaflops: spread(engine.times.map((time) => time && flops / time / 1e6)),
    speed: eager && paired((theirs, mine) => theirs / mine, eager.times, engine.times),
  };
}

/** Seconds per epoch of `train()` and the memory of its process. */
async function measureDataset(step, images, plan) {
  const { threads } = plan;
  const contender = startContender("temper", { threads });
  const { multiple } = await contender.ask({ command: "load", step, form: "train", threads, images });
  const epoch = async () => (await contender.ask({ command: "steps", count: multiple })).milliseconds / 1000;
  await epoch();
  const seconds = spread([await epoch(), await epoch()]);
  const memory = await contender.ask({ command: "memory" });
  contender.close();
  return { title: step.title, images, seconds, memory };
}

export async function measureScaling(given) {
  const plan = { ...given, milliseconds: given.milliseconds / 2 };
  const all = [...ofBatch(abp, "a"), ...ofWidth, ...ofBatch(cnn, "c"), ...ofThreads(plan.threads)];
  const chosen = plan.quick ? ends(all) : all;
  const start = (peer) => startContender(peer, { threads: plan.threads, cache: plan.workshop.cache });
  const peers = [
    { contender: start("temper"), form: "engine", title: "Temper" },
    ...(plan.found.pytorch ? [{ contender: start("pytorch"), form: "eager", title: "PyTorch" }] : []),
  ];
  const points = [];
  for (const point of chosen) {
    plan.onTurn(`${point.group} ${point.value}`);
    points.push(await measurePoint(point, plan, peers));
  }
  for (const { contender } of peers) contender.close();
  const moving = {
    ...abp,
    id: "a-sgm",
    title: `${abp.network.name}, SGM`,
    craft: undefined,
    inputs: { lambda: 0.2 },
  };
  const epochs = [];
  for (const step of [abp, moving])
    for (const images of plan.quick ? datasets.slice(0, 2) : datasets)
      epochs.push(await measureDataset(step, images, plan));
  return { points, epochs };
}
