// Kills a run of a recipe at random moments – the whole of it, or the process of one trial – lets it go on each time, and
// compares the result with an unbroken run: nothing lost, no epoch trained twice but those since the last checkpoint,
// the same bytes.
// Usage: node scripts/kill-test.mjs [RECIPE] [--kills N] [--seed N] [--checkpoint-every SECONDS]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    "checkpoint-every": { type: "string", default: "3" },
  },
});
const recipe = positionals[0] ?? join(root, "recipes", "quickstart.yaml");
const kills = Number(values.kills);
const work = mkdtempSync(join(tmpdir(), "temper-kill-"));

/** The process that began `pid`; a number that died may be somebody else's by now. */
const parentOf = (pid) =>
  Number(spawnSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }).stdout);

/** The processes of `parent`'s trials that are under way in `folder`. */
function trialsIn(folder, parent) {
  const trials = join(folder, "trials");
  const names = existsSync(trials) ? readdirSync(trials) : [];
  const locks = names.map((name) => join(trials, name, "run.lock")).filter((lock) => existsSync(lock));
  return locks
    .map((lock) => Number(readFileSync(lock, "utf8")))
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
}

/** Epochs that were told of, over all runs, by trial and number. */
const epochs = new Map();

function countEpochs(text) {
  for (const [, epoch] of text.matchAll(/^(\S+: epoch \d+)\//gm))
    epochs.set(epoch, (epochs.get(epoch) ?? 0) + 1);
}

/** Runs the recipe into `folder`; kills what `choose` takes of it `milliseconds` after a trial began. Resolves to how it ended. */
function run(folder, { milliseconds, choose, counts = false } = {}) {
  const args = [join(root, "dist", "cli", "main.js"), "run", recipe, "--out", folder];
  const child = spawn(process.execPath, [...args, "--checkpoint-every", values["checkpoint-every"]], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  const kill = () => process.kill(choose([child.pid, ...trialsIn(folder, child.pid)]), "SIGKILL");
  let timer;
  const watch = setInterval(() => {
    if (trialsIn(folder, child.pid).length === 0) return;
    clearInterval(watch);
    if (milliseconds !== undefined) timer = setTimeout(kill, milliseconds);
  }, 100);
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearInterval(watch);
      clearTimeout(timer);
      if (counts) countEpochs(said);
      resolve(signal ?? code);
    });
  });
}

/** Hashes of results.json and of every model. */
function fingerprint(folder) {
  const files = ["results.json", ...readdirSync(join(folder, "models")).map((name) => join("models", name))];
  const hash = (file) =>
    createHash("sha256")
      .update(readFileSync(join(folder, file)))
      .digest("hex")
      .slice(0, 16);
  return Object.fromEntries(files.sort().map((file) => [file, hash(file)]));
}

/** A small generator of numbers in [0, 1), so that a failure can be repeated. */
function* uniform(seed) {
  for (let state = seed >>> 0; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

const [whole, broken] = [join(work, "whole"), join(work, "broken")];
const begun = performance.now();
const ended = await run(whole);
const seconds = (performance.now() - begun) / 1000;
console.log(`unbroken run: exit ${ended}, ${seconds.toFixed(1)} s`);
const random = uniform(Number(values.seed));
for (let kill = 1; kill <= kills; kill++) {
  const moment = random.next().value * (seconds * 1000) * (1.2 / kills);
  const choose = (processes) => processes[Math.floor(random.next().value * processes.length)];
  const outcome = await run(broken, { milliseconds: moment, choose, counts: true });
  console.log(`kill ${kill} after ${(moment / 1000).toFixed(1)} s: ${outcome}`);
  if (outcome === 0) break;
}
console.log(`last run: exit ${await run(broken, { counts: true })}`);
const twice = [...epochs.values()].reduce((sum, times) => sum + times - 1, 0);
console.log(`${epochs.size} epochs told of, ${twice} of them once more (those since the last checkpoint)`);
const [expected, got] = [fingerprint(whole), fingerprint(broken)];
const names = [...new Set([...Object.keys(expected), ...Object.keys(got)])];
for (const name of names)
  console.log(
    `${expected[name] === got[name] ? "equal " : "DIFFER"} ${name} ${expected[name] ?? "-"} ${got[name] ?? "-"}`,
  );
const equal = names.every((name) => expected[name] === got[name]);
console.log(equal ? "identical" : `different; both are in ${work}`);
if (equal) rmSync(work, { recursive: true, force: true });
process.exitCode = equal && ended === 0 ? 0 : 1;
