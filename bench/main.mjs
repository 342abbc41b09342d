// `npm run bench`: measures, prints the page, and keeps it where it was asked to.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { describePeers, openWorkshop } from "./field.mjs";
import { describeMachine } from "./machine.mjs";
import { measureMethods } from "./methods.mjs";
import { markdown } from "./report/page.mjs";
import { full, measureStep, openYardstick, quick } from "./run.mjs";
import { measureScaling } from "./scaling.mjs";
import { chosenSteps, shortened } from "./steps.mjs";

const usage = `npm run bench -- [--quick] [--only NAMES] [--json FILE] [--write FILE]
  --quick        few and short turns of fewer steps, to see that it works
  --only NAMES   steps whose names begin so, and the sections \`methods\` and \`scaling\`: a,b-fgsm,scaling
  --json FILE    every measurement as JSON
  --into FILE    put the steps measured now into the measurements of an earlier run (its --json)
  --write FILE   the page as Markdown, besides printing it
PYTHON names the Python that has PyTorch (default python3).`;

function options() {
  try {
    const known = {
      quick: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      json: { type: "string" },
      into: { type: "string" },
      write: { type: "string" },
      help: { type: "boolean", default: false },
    };
    return parseArgs({ options: known }).values;
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    return process.exit(2);
  }
}

function save(file, text) {
  if (file === undefined) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const sections = ["methods", "scaling"];

async function measure(plan, only) {
  const names = only.split(",").filter((name) => name !== "");
  const prefixes = names.filter((name) => !sections.includes(name));
  const all = names.length > 0 && prefixes.length === 0 ? [] : chosenSteps(prefixes);
  const chosen = plan.quick ? shortened(all) : all;
  const isWanted = (section) => names.length === 0 || names.includes(section);
  const { found, missing } = await describePeers(plan);
  const whole = { ...plan, found };
  const yardstick = await openYardstick(whole);
  const context = { yardstick, slower: [] };
  const steps = [];
  for (const step of chosen) steps.push(await measureStep(step, whole, context));
  yardstick.close();
  const methods = isWanted("methods") ? await measureMethods(whole) : [];
  const scaling = isWanted("scaling") ? await measureScaling(whole) : { points: [], epochs: [] };
  return { peers: found, missing, steps, methods, scaling };
}

/** The turn under way, on one line of the terminal; in a log every minute. */
function reporter() {
  let last = 0;
  return (turn) => {
    if (process.stderr.isTTY) return void process.stderr.write(`\r\u001b[K${turn}`);
    if (Date.now() - last < 60_000) return undefined;
    last = Date.now();
    return void process.stderr.write(`${turn}\n`);
  };
}

const given = options();
if (given.help) {
  console.log(usage);
  process.exit(0);
}
const begun = Date.now();
const machine = describeMachine();
const workshop = openWorkshop();
process.on("exit", () => workshop.close());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
const amounts = given.quick ? quick : full;
const plan = { ...amounts, quick: given.quick, threads: machine.cores, workshop, onTurn: reporter() };
const measured = await measure(plan, given.only).catch((error) => {
  console.error(`\nbench: ${error.message}`);
  process.exit(1);
});
if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
const { repetitions, milliseconds } = plan;
const results = {
  schema: 2,
  date: new Date().toISOString().slice(0, 10),
  minutes: (Date.now() - begun) / 60_000,
  machine,
  plan: { quick: given.quick, only: given.only, repetitions, milliseconds },
  ...measured,
};
/** `results` with steps put in that were measured here, which say so. */
function putInto(file, now) {
  const before = JSON.parse(readFileSync(file, "utf8"));
  const later = { temper: now.machine.temper, minutes: now.minutes };
  const renewed = new Map(now.steps.map((step) => [step.id, { ...step, later }]));
  const steps = before.steps.map((step) => renewed.get(step.id) ?? step);
  return { ...before, steps };
}

const complete = given.into === undefined ? results : putInto(given.into, results);
const page = markdown(complete);
console.log(page);
save(given.json, `${JSON.stringify(complete, null, 2)}\n`);
save(given.write, page);
process.exit(0);
