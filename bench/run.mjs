// The measurements: the ABP step against the peers, methods against standard training, products for scale.
import { calibrated, interleave, paired, spread } from "./measure.mjs";
import { engineOnly, hostOnly, product, stepOf, training } from "./temper.mjs";
import { sizes, syntheticSplit, taskFor } from "./workload.mjs";

const productSize = 2048;
const comparedSteps = 3;
const tolerance = 1e-3;

/** How much of each: turns, milliseconds a turn, images of one epoch of `train()`. */
export const full = { repetitions: 9, milliseconds: 500, images: 60_000 };
export const quick = { repetitions: 3, milliseconds: 200, images: 6_000 };

const losses = (values) => values.map((value) => value.toFixed(5)).join(", ");

/** Throws unless `contender` computes what Temper does. */
function compare(reference, name, values) {
  const differs = reference.some((value, i) => !(Math.abs(value - values[i]) <= tolerance));
  if (differs)
    throw new Error(
      `${name} does not compute the same step: losses ${losses(values)}, not ${losses(reference)}`,
    );
}

/** A contender's row; `baseline` are the milliseconds that its ratio refers to. */
function rowOf({ name, version, threads, flops, how }, times, { baseline, rate, batch }) {
  const perSecond = times.map((milliseconds) => flops / milliseconds / 1e6);
  return {
    name,
    version,
    threads,
    how,
    ratio: paired((mine, theirs) => mine / theirs, times, baseline),
    milliseconds: spread(times),
    imagesPerSecond: batch === undefined ? undefined : (1000 * batch) / spread(times).median,
    gigaflops: spread(perSecond).median,
    share: rate && paired((speed, product) => speed / product, perSecond, rate).median,
  };
}

/** Temper's product of this machine, as a contender among the others; and how to get a rate from its times. */
async function yardstick({ threads, milliseconds }) {
  const contender = await calibrated(await product(productSize, threads), { milliseconds });
  return { contender, rateOf: (times) => times.map((time) => contender.flops / time / 1e6) };
}

/** Matrix products of everybody: what each could do at best. */
export async function measureProducts(peers, plan) {
  const { contender: ours } = await yardstick(plan);
  const contenders = [{ ...ours, version: plan.machine.onnxruntime }];
  for (const peer of peers) {
    const theirs = await calibrated(await peer.product(productSize), plan);
    contenders.push({ ...theirs, ...described(peer), flops: ours.flops });
  }
  const times = await interleave(contenders, plan.repetitions, plan.onTurn);
  for (const { close } of contenders) await close();
  return {
    size: productSize,
    rows: contenders.map((contender, i) => rowOf(contender, times[i], { baseline: times[0] })),
  };
}

const described = ({ name, version, threads, how }) => ({ name, version, threads, how });

/** The ABP step of everybody at one batch size. */
export async function measureStep(peers, batch, plan) {
  const { threads, milliseconds } = plan;
  const task = taskFor(batch);
  const split = syntheticSplit(plan.images);
  const step = stepOf("adversarial-backprop");
  const flops = step.flops(batch);
  const engine = await engineOnly(step, { split, batch, threads });
  const reference = await engine.losses(comparedSteps);
  const loaded = [];
  for (const peer of peers) {
    const contender = await peer.load(task);
    compare(reference, peer.name, await contender.losses(comparedSteps));
    loaded.push({ ...(await calibrated(contender, { milliseconds })), ...described(peer), flops });
  }
  const multiple = await engine.prepare();
  const bare = { ...(await calibrated(engine, { milliseconds, multiple })), name: "Temper, engine alone" };
  const whole = { ...training(step, { split, batch, threads }), name: "Temper, `train()`" };
  const { contender: scale, rateOf } = await yardstick(plan);
  const contenders = [whole, bare, ...loaded];
  const turns = [scale, hostOnly(step, { split, batch, threads }), ...contenders];
  const [products, host, ...times] = await interleave(turns, plan.repetitions, plan.onTurn);
  for (const { close } of turns) await close();
  const context = { baseline: times[0], rate: rateOf(products), batch };
  return {
    network: sizes.join("-"),
    batch,
    losses: reference,
    stepsPerRun: multiple,
    product: spread(context.rate),
    outside: paired((all, run) => 1 - run / all, times[0], times[1]),
    host: paired((work, all) => work / all, host, times[0]),
    hostMilliseconds: spread(host),
    waiting: spread(whole.waits),
    rows: contenders.map((contender, i) => rowOf(contender, times[i], context)),
  };
}

const methods = ["standard", "sign-noise", "sgm", "adversarial-backprop"];

/** Methods against standard training, through `train()` and through the engine alone. */
export async function measureMethods(batch, plan) {
  const { threads, milliseconds } = plan;
  const split = syntheticSplit(plan.images);
  const steps = methods.map(stepOf);
  const whole = steps.map((step) => training(step, { split, batch, threads }));
  const host = steps.map((step) => hostOnly(step, { split, batch, threads }));
  const bare = [];
  for (const step of steps) {
    const engine = await engineOnly(step, { split, batch, threads });
    bare.push(await calibrated(engine, { milliseconds, multiple: await engine.prepare() }));
  }
  const { contender: scale, rateOf } = await yardstick(plan);
  const turns = [scale, ...whole, ...bare, ...host];
  const [products, ...times] = await interleave(turns, plan.repetitions, plan.onTurn);
  for (const { close } of turns) await close();
  const count = methods.length;
  const rate = rateOf(products);
  return {
    network: sizes.join("-"),
    batch,
    rows: methods.map((method, i) => {
      const [all, run, work] = [times[i], times[count + i], times[2 * count + i]];
      const context = { rate, batch };
      return {
        ...rowOf({ ...whole[i], name: method }, all, { ...context, baseline: times[0] }),
        arithmetic: whole[i].flops / whole[0].flops,
        engine: rowOf(bare[i], run, { ...context, baseline: times[count] }),
        outside: paired((a, b) => 1 - b / a, all, run),
        host: paired((a, b) => a / b, work, all),
        hostMilliseconds: spread(work),
        waiting: spread(whole[i].waits),
      };
    }),
  };
}
