// Attacks beside published ones: runs the rows of rows.mjs on both sides and writes docs/ATTACKS.md.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
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
  --images N      fewer images than the row asks for, to try something
  --page          measures nothing, writes the page anew
  --dry           keeps no result and writes no page
PYTHON names the Python that has torch, onnx2torch and the packages of bench/attacks/peers (default python3).`;

const here = import.meta.dirname;
const results = join(here, "results");
const page = join(here, "..", "..", "docs", "ATTACKS.md");

const rowName = ({ attack, norm, epsilon }) =>
  [attack, norm, ...(epsilon === undefined ? [] : [epsilon])].join("-");
const fileOf = (row, model) => join(results, `${rowName(row)}-${model}.json`);

/** The reference of `row`, in a process of its own. */
function runReference({ norm, epsilon, reference }, set, { path, folder }) {
  const [data, out] = ["data.npz", "out.npz"].map((name) => join(folder, name));
  const y = { data: set.labels, shape: [set.labels.length] };
  writeFileSync(data, writeNpz({ x: { data: set.x, shape: set.shape }, y }));
  const { attack, options = {} } = reference;
  const flags = { model: path, data, attack, norm, options: JSON.stringify(options), out };
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

/** Both sides of one row on one model. */
async function measure(row, model, { dataset, engines, folder, machine, images }) {
  const { classifier, path, name, sha256 } = model;
  const count = Math.min(row.images ?? 1000, images);
  const set = await openImages(classifier, dataset, { images: count, engine: engines[0] });
  const context = { classifier, engines };
  const [load] = loadavg();
  const ours = await runTemper(row, set, context);
  const theirs = runReference(row, set, { path, folder });
  const sideOf = async ({ adversarial, ...side }) => ({
    ...(await judge(row, set, { adversarial }, context)),
    ...side,
  });
  const { attack, norm, epsilon } = row;
  const date = new Date().toISOString().slice(0, 10);
  return {
    row: rowName(row),
    attack,
    norm,
    epsilon,
    images: count,
    model: { name, sha256 },
    temper: await sideOf(ours),
    reference: await sideOf(theirs),
    machine,
    load,
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
const context = { dataset, engines, folder, machine: describeMachine(), images: Number(given.images) };
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
