// `npm run bench`: measures, prints the page, and keeps it where it was asked to.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "./machine.mjs";
import { openPeers } from "./peers.mjs";
import { markdown } from "./report.mjs";
import { full, measureMethods, measureProducts, measureStep, quick } from "./run.mjs";

const usage = `npm run bench -- [--quick] [--json FILE] [--write FILE]
  --quick        few and short turns, to see that it works
  --json FILE    every measurement as JSON
  --write FILE   the page as Markdown, besides printing it
PYTHON names the Python that has PyTorch (default python3).`;

function options() {
  try {
    const known = {
      quick: { type: "boolean", default: false },
      json: { type: "string" },
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

async function measure(plan) {
  const modules = [
    { name: "PyTorch", file: "./pytorch.mjs" },
    { name: "jax-js", file: "./jax.mjs" },
    { name: "tfjs", file: "./tfjs.mjs" },
  ];
  const { peers, missing } = await openPeers(modules, plan);
  const products = await measureProducts(peers, plan);
  const steps = [];
  for (const batch of [10, 128]) steps.push(await measureStep(peers, batch, plan));
  for (const { close } of peers) await close();
  const methods = await measureMethods(128, plan);
  const described = peers.map(({ name, version, threads, how }) => ({ name, version, threads, how }));
  return { peers: described, missing, products, steps, methods };
}

const given = options();
if (given.help) {
  console.log(usage);
  process.exit(0);
}
const machine = describeMachine();
const onTurn = process.stderr.isTTY ? (turn) => process.stderr.write(`\r\u001b[K${turn}`) : () => undefined;
const plan = { ...(given.quick ? quick : full), quick: given.quick, machine, threads: machine.cores, onTurn };
const measured = await measure(plan).catch((error) => {
  console.error(`\nbench: ${error.message}`);
  process.exit(1);
});
if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
const results = { schema: 1, date: new Date().toISOString().slice(0, 10), machine, plan, ...measured };
const page = markdown(results);
console.log(page);
save(given.json, `${JSON.stringify(results, null, 2)}\n`);
save(given.write, page);
// Workers of the peers would keep the process.
process.exit(0);
