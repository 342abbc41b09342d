// Attacks beside published ones: runs the rows of rows.mjs on both sides and writes docs/ATTACKS.md.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "../machine.mjs";
import { modelNames, mnist, openModel } from "./models.mjs";
import { readNpz, writeNpz } from "./npz.mjs";
import { agrees, markdown } from "./page.mjs";
import { rows } from "./rows.mjs";
import { judge, openEngines, openImages, runTemper } from "./temper.mjs";

const usage = `node bench/attacks/main.mjs [--only NAMES] [--models NAMES] [--images N] [--page | --dry]
  --only NAMES    rows whose names begin so (attack-norm-ε): pgd-linf,deepfool
  --models NAMES  out of ${modelNames.join(", ")} (default: all of them)
  --images N      fewer images than the row asks for
  --seeds N       runs on each side with seeds 0 to N − 1; their means are kept (default 1)
  --page          measures nothing, writes the page anew
  --dry           keeps no result and writes no page
PYTHON names the Python that has torch, onnx2torch and the packages of bench/attacks/peers (default python3).`;

const here = import.meta.dirname;
const results = join(here, "results");
const page = join(here, "..", "..", "docs", "ATTACKS.md");

const rowName = ({ attack, variant, norm, epsilon }) =>
  [
    attack,
    ...(variant === undefined ? [] : [variant]),
    norm,
    ...(epsilon === undefined ? [] : [epsilon]),
  ].join("-");
const fileOf = (row, model) => join(results, `${rowName(row)}-${model}.json`);

/** The reference of `row`, in a process of its own. */
function runReference({ norm, epsilon, reference }, set, { path, folder, seed }) {
  const [data, out] = ["data.npz", "out.npz"].map((name) => join(folder, name));
  const y = { data: set.labels, shape: [set.labels.length] };
  writeFileSync(data, writeNpz({ x: { data: set.x, shape: set.shape }, y }));
  const { attack, options = {} } = reference;
  const flags = {
    model: path,
    data,
    attack,
    norm,
    options: JSON.stringify(options),
    out,
    seed: String(seed),
  };
  if (epsilon !== undefined) flags.epsilon = String(epsilon);
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  const { status, stdout, stderr } = spawnSync(
    process.env.PYTHON ?? "python3",
    [join(here, "reference.py"), ...args],
    { encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  if (status !== 0) throw new Error(`reference ${attack}: ${stderr.trim().split("\n").at(-1)}`);
  const said = JSON.parse(stdout.trim().split("\n").at(-1));
  return { adversarial: readNpz(readFileSync(out), "adversarial").data, attack, options, ...said };
}

/** Seconds of all processors spent on anything. */
const busySeconds = () =>
  cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;

/** What `run` gives, and the share of the machine that other work took meanwhile. */
async function besideOthers(run) {
  const [begun, busy] = [performance.now(), busySeconds()];
  const result = await run();
  const all = ((performance.now() - begun) / 1000) * cpus().length;
  return { ...result, others: Math.max(0, busySeconds() - busy - result.processorSeconds) / all };
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** One side of a row from its runs, one for each seed: numbers are means, `runs` has what they are means of. */
function meanOf(runs) {
  const [first] = runs;
  const figure = first.accuracy === undefined ? "median" : "accuracy";
  const means = Object.entries(first).map(([key, value]) => [
    key,
    typeof value === "number" ? mean(runs.map((run) => run[key])) : value,
  ]);
  return { ...Object.fromEntries(means), runs: runs.map((run) => run[figure]) };
}

/** Both sides of one row on one model. */
async function measure(row, model, { dataset, engines, folder, machine, images, seeds }) {
  const { classifier, path, name, sha256 } = model;
  const count = Math.min(row.images ?? 1000, images);
  const set = await openImages(classifier, dataset, { images: count, engine: engines[0] });
  const context = { classifier, engines };
  const sides = { temper: [], reference: [] };
  for (let seed = 0; seed < seeds; seed++) {
    const both = {
      temper: () => runTemper(row, set, { ...context, seed }),
      reference: () => runReference(row, set, { path, folder, seed }),
    };
    for (const [side, run] of Object.entries(both)) {
      const { adversarial, ...taken } = await besideOthers(run);
      sides[side].push({ ...(await judge(row, set, { adversarial }, context)), ...taken });
    }
  }
  const { attack, variant, norm, epsilon } = row;
  const date = new Date().toISOString().slice(0, 10);
  return {
    row: rowName(row),
    attack,
    ...(variant === undefined ? {} : { variant }),
    norm,
    epsilon,
    images: count,
    model: { name, sha256 },
    seeds,
    temper: meanOf(sides.temper),
    reference: meanOf(sides.reference),
    machine,
    date,
  };
}

/** The results kept so far, in the order of the rows. */
const kept = () =>
  rows.flatMap((row) =>
    modelNames.flatMap((model) => {
      const file = fileOf(row, model);
      return existsSync(file) ? [JSON.parse(readFileSync(file, "utf8"))] : [];
    }),
  );

const { values: given } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    models: { type: "string", default: modelNames.join(",") },
    images: { type: "string", default: "100000" },
    seeds: { type: "string", default: "1" },
    page: { type: "boolean", default: false },
    dry: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (given.help) {
  console.log(usage);
  process.exit(0);
}
const prefixes = given.only.split(",");
const chosen = given.page ? [] : rows.filter((row) => prefixes.some((p) => rowName(row).startsWith(p)));
const dataset = await mnist();
const folder = mkdtempSync(join(tmpdir(), "temper-attacks-"));
const engines = openEngines();
const context = {
  dataset,
  engines,
  folder,
  machine: describeMachine(),
  images: Number(given.images),
  seeds: Number(given.seeds),
};
const models = [];
for (const name of modelNames) models.push(await openModel(name, dataset));
for (const row of chosen)
  for (const model of models.filter(({ name }) => given.models.split(",").includes(name))) {
    const result = await measure(row, model, context);
    const { temper, reference } = result;
    const side = ({ accuracy, median, seconds, outside }) =>
      `${accuracy ?? median} in ${seconds.toFixed(1)} s${outside > 0 ? ` (${outside} outside)` : ""}`;
    const verdict = agrees(result) ? "" : " DIFFERS";
    console.error(`${result.row} ${model.name}: ${side(temper)}, reference ${side(reference)}${verdict}`);
    if (given.dry) continue;
    mkdirSync(results, { recursive: true });
    writeFileSync(fileOf(row, model.name), `${JSON.stringify(result, null, 2)}\n`);
  }
if (!given.dry) writeFileSync(page, markdown(kept(), models));
await Promise.all(engines.map((engine) => engine.close()));
rmSync(folder, { recursive: true, force: true });
