// The measurement of one step: everybody loads it, gives the same losses, then takes turns.
import { join } from "node:path";
import { stepsPerRun } from "../dist/defenses/run-limits.js";
import { startContender } from "./contender.mjs";
import { fieldOf } from "./field.mjs";
import { calibrated, interleave, paired, spread } from "./measure.mjs";
import { isConvolutional } from "./networks.mjs";
import { writeTask } from "./tasks.mjs";

const comparedSteps = 3;
const tolerance = 1e-3;
const productSize = 2048;

/** Seconds: a peer's first losses, compilation included; and one step of it, later. */
const patience = { pytorch: 180, temper: 180, jax: 40, tfjs: 40 };
const quickPatience = { pytorch: 60, temper: 60, jax: 10, tfjs: 10 };
const longestStep = { pytorch: 60, temper: Infinity, jax: 20, tfjs: 20 };

/** How much of each. `forms`: who takes part. */
export const full = {
  repetitions: 7,
  milliseconds: 400,
  forms: ["train", "engine", "eager", "compile", "channels_last", "jax", "tfjs"],
  patience,
};
export const quick = {
  repetitions: 3,
  milliseconds: 120,
  forms: ["train", "engine", "eager", "jax", "tfjs"],
  patience: quickPatience,
};

/** Throws unless `losses` are the reference's. */
function compare(reference, losses) {
  const differs = reference.some((loss, i) => !(Math.abs(losses[i] - loss) <= tolerance * Math.abs(loss)));
  const words = (values) => values.map((value) => value.toFixed(4)).join(", ");
  if (differs) throw new Error(`computes something else: losses ${words(losses)}, not ${words(reference)}`);
}

/** Temper's product of this machine, as a contender among the others; and how to get a rate from its times. */
export async function openYardstick({ threads, milliseconds, repetitions }) {
  const contender = startContender("temper", { threads });
  const step = { kind: "product", size: productSize };
  const { multiple } = await contender.ask({ command: "load", step, form: "engine", threads });
  const ready = await calibrated({ ...contender, multiple }, { milliseconds: milliseconds / 2, repetitions });
  const rateOf = (times) => times.map((time) => time && (2 * productSize ** 3) / time / 1e6);
  return { ...ready, title: "matrix product", rateOf };
}

/** A contender that has loaded `step` and given the right losses; throws with the reason where it cannot. */
async function enter(entry, step, { plan, reference, images }) {
  const { threads, workshop } = plan;
  const contender = startContender(entry.peer, { threads, cache: workshop.cache });
  try {
    await contender.ask({ command: "describe", threads }, 60);
    const folder = join(workshop.folder, step.id);
    const given = { command: "load", folder, step, form: entry.form, threads, images };
    const { multiple, times, bytes } = await contender.ask(given, plan.patience[entry.peer]);
    let first;
    let losses;
    if (entry.key !== "train") {
      const question = { command: "check", step, threads, count: comparedSteps };
      ({ losses, first } = await contender.ask(question, plan.patience[entry.peer]));
      if (reference) compare(reference, losses);
    }
    const limit = longestStep[entry.peer];
    const ready = await calibrated({ ...contender, multiple }, { milliseconds: plan.milliseconds, limit });
    return { ...ready, ...entry, times, bytes, losses, firstLoss: first && first - contender.started };
  } catch (error) {
    contender.close();
    throw error;
  }
}

/**
 * Steps of a turn of `milliseconds` as images of one epoch: at least three, and where `bytes` says what a step moves,
 * at least one run of the engine as `train()` takes it on a large dataset.
 */
export function epochImages(milliseconds, { time, bytes }, batch) {
  const perRun = bytes ? stepsPerRun(time, bytes) : 1;
  const wanted = Math.max(perRun, Math.round(milliseconds / time));
  return batch * Math.max(3, Math.min(Math.ceil(60_000 / batch), wanted));
}

/**
 * Enters everybody. `slower` remembers who gave up on which work: a step with more of it is not tried again.
 * Returns { entered, absent: [{ key, reason }], reference, flops }.
 */
async function enterAll(step, plan, slower) {
  const field = fieldOf(step.network, plan).filter(({ peer }) => plan.found[peer]);
  const [entered, absent] = [[], []];
  const engineEntry = field.find(({ key }) => key === "engine");
  const engine = await enter(engineEntry, step, { plan });
  const flops = await engine.ask({ command: "work", step });
  const images = epochImages(plan.milliseconds, engine, step.batch);
  for (const entry of field) {
    plan.onTurn(`${step.title}: ${entry.title}`);
    const conv = isConvolutional(step.network.layers);
    const known = slower.find(({ key, kind }) => key === entry.key && conv && kind === step.kind);
    try {
      if (known) throw new Error(known.reason);
      const contender =
        entry === engineEntry ? engine : await enter(entry, step, { plan, images, reference: engine.losses });
      entered.push(contender);
    } catch (error) {
      if (entry.peer === "temper") throw new Error(`${step.title}: ${error.message}`);
      absent.push({ key: entry.key, reason: error.message });
      const gaveUp = /more than .* s$|s a step$/.test(error.message);
      if (gaveUp && conv && !known)
        slower.push({ key: entry.key, kind: step.kind, reason: `not tried: gave up on ${step.title}` });
    }
  }
  return { entered, absent, flops };
}

const fastest = (rows) =>
  rows
    .filter(({ key }) => key === "eager" || key === "compile")
    .sort((a, b) => a.milliseconds.median - b.milliseconds.median)[0];

/** The rows of a step. */
export async function measureStep(step, plan, { yardstick, slower }) {
  const begun = performance.now();
  writeTask(join(plan.workshop.folder, step.id), step);
  const { entered, absent, flops } = await enterAll(step, plan, slower);
  const [product, ...results] = await interleave([yardstick, ...entered], plan);
  const rate = yardstick.rateOf(product.times);
  const speed = (time) => flops / time / 1e6;
  const rows = [];
  for (const [i, { key, title, times, firstLoss, ask, close }] of entered.entries()) {
    const { times: measured, shares } = results[i];
    const memory = await ask({ command: "memory" });
    close();
    rows.push({
      key,
      title,
      measured,
      milliseconds: spread(measured),
      imagesPerSecond: (1000 * step.batch) / spread(measured).median,
      gigaflops: paired(speed, measured),
      share: paired((time, of) => speed(time) / of, measured, rate),
      outside: paired((share) => 1 - share, shares),
      memory,
      start: { ...times, firstLoss },
    });
  }
  const pytorch = fastest(rows);
  const ours = rows.find(({ key }) => key === "train");
  for (const row of rows) {
    row.speed = pytorch && paired((theirs, mine) => theirs / mine, pytorch.measured, row.measured);
    row.behind = paired((theirs, mine) => theirs / mine, row.measured, ours.measured);
  }
  const { id, title, kind, batch } = step;
  const seconds = (performance.now() - begun) / 1000;
  return {
    id,
    title,
    kind,
    batch,
    seconds,
    flops,
    product: spread(rate),
    pytorch: pytorch?.key,
    rows,
    absent,
  };
}
