// Kills a run of a recipe at random moments, lets it go on each time, and compares the result with an unbroken run.
// Usage: node scripts/kill-test.mjs [RECIPE] [--kills N] [--seed N] [--checkpoint-every SECONDS]
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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

/** Runs the recipe into `folder`; kills it after `milliseconds` if that is given. Resolves to how it ended. */
function run(folder, milliseconds) {
  const args = [join(root, "dist", "cli", "main.js"), "run", recipe, "--out", folder];
  const child = spawn(process.execPath, [...args, "--checkpoint-every", values["checkpoint-every"]], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const timer =
    milliseconds === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), milliseconds);
  return new Promise((resolve) => {
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
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
  const moment = random.next().value * (seconds * 1000) * (1.2 / kills) + 500;
  const outcome = await run(broken, moment);
  console.log(`kill ${kill} after ${(moment / 1000).toFixed(1)} s: ${outcome}`);
  if (outcome === 0) break;
}
console.log(`last run: exit ${await run(broken)}`);
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
