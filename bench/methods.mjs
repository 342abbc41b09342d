// What each defence costs beside standard training: `train()` with everything else the same, in turns.
import { startContender } from "./contender.mjs";
import { calibrated, interleave, paired, spread } from "./measure.mjs";
import { networks } from "./networks.mjs";
import { epochImages } from "./run.mjs";

const sgd = { name: "sgd", rate: 0.01 };
const penalty = (form, of) => ["jacobian-penalty", { lambda: 10, form, of, reduction: "mean" }];

const methods = [
  { name: "standard", defenses: [["standard", {}]] },
  { name: "sign-noise", defenses: [["sign-noise", {}]] },
  { name: "sgm", defenses: [["sgm", {}]] },
  { name: "adversarial-backprop", defenses: [["adversarial-backprop", {}]] },
  { name: "fgsm-training", defenses: [["fgsm-training", {}]] },
  { name: "jacobian-penalty, summed", defenses: [penalty("summed", "logits")] },
  { name: "jacobian-penalty, exact", defenses: [penalty("exact", "probabilities")] },
];
const penalties = methods.filter(({ name }) => /standard|penalty/.test(name));

const tables = [
  { network: networks.mlp, methods },
  { network: networks.sgmCnn, methods },
  { network: networks.modelA, methods: penalties },
  { network: networks.modelC, methods: penalties },
];

const batch = 128;

async function enter({ network, method, standard, plan }) {
  const { threads, milliseconds } = plan;
  const step = { id: method.name, kind: "train", network, batch, optimizer: sgd, defenses: method.defenses };
  const contender = startContender("temper", { threads });
  const flops = await contender.ask({ command: "work", step });
  // Before anything is known about a method it is thought as fast as its arithmetic.
  const time = standard ? (standard.time * flops) / standard.flops : milliseconds / 8;
  const images = epochImages(milliseconds, { time }, batch);
  const { multiple } = await contender.ask({ command: "load", step, form: "train", threads, images });
  return {
    ...(await calibrated({ ...contender, multiple }, plan)),
    title: `${network.name}, ${method.name}`,
    flops,
  };
}

/** One network under each of `methods`. */
async function measureNetwork({ network, methods: chosen }, plan) {
  const entered = [];
  for (const method of chosen) {
    plan.onTurn(`${network.name}, ${method.name}`);
    entered.push(await enter({ network, method, standard: entered[0], plan }));
  }
  const results = await interleave(entered, plan);
  const rows = [];
  for (const [i, { ask, close, flops }] of entered.entries()) {
    const { times } = results[i];
    rows.push({
      name: chosen[i].name,
      ratio: paired((mine, standard) => mine / standard, times, results[0].times),
      arithmetic: flops / entered[0].flops,
      milliseconds: spread(times),
      memory: await ask({ command: "memory" }),
    });
    close();
  }
  return { network: network.name, batch, rows };
}

export async function measureMethods(plan) {
  const chosen = plan.quick ? tables.filter(({ network }) => network !== networks.sgmCnn) : tables;
  const repetitions = Math.min(plan.repetitions, 5);
  const measured = [];
  for (const table of chosen) measured.push(await measureNetwork(table, { ...plan, repetitions }));
  return measured;
}
